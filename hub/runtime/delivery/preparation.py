"""What a delivery sends: planned, made, and committed before the first attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.core.errors import ConfigError
from hub.core.identity import idempotency_key
from hub.core.ports import Written
from hub.core.step import StepNote
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.copies.wait import Reason
from hub.journal.deliveries.decisions import Decisions
from hub.journal.deliveries.effects import STATES
from hub.journal.interchanges.control_numbers import NUMBERS, NumberWanted
from hub.journal.rows import EffectPrepared
from hub.runtime.boundary import Boundary
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.writing import ContainedWriting
from hub.runtime.copy import pack, pack_facts
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.destination_steps import SteppedBody, stepped
from hub.runtime.delivery.kept_body import kept_body
from hub.runtime.delivery.living_tables import LivingTables
from hub.runtime.delivery.outcome import Batched, Busy, Failed, Filtered
from hub.runtime.delivery.outgoing import fixed_address_of, outgoing_of
from hub.runtime.delivery.rendering import render, waits_for_others
from hub.runtime.delivery.small_work import here_or_contained
from hub.runtime.runtime import Runtime

T = TypeVar("T")

MOST_WAITS = 600
"""How often a copy waits for a process that knows its destination: once a second, so for ten minutes. Then it is
dead."""


class Preparation:
    """Makes what is sent to a destination. It never sends."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._decisions = Decisions(runtime.journal)
        self._contained = ContainedWriting(runtime)
        self._tables = LivingTables(runtime.journal)

    async def plan(self, delivery: Delivery) -> None:
        """Decides how the bytes are made, and makes them now where nothing has to be asked first. Raises
        JournalUnavailable."""
        attempt, destination, copy = delivery.attempt, delivery.destination, delivery.copy
        if destination is None:
            delivery.verdict = await self._without_destination(delivery)
            return
        delivery.gathered = waits_for_others(copy, destination)
        delivery.takes_steps = bool(destination.steps) and not copy.is_batch  # its documents took the steps one by one
        asks_first = delivery.gathered or delivery.takes_steps or destination.sequence is not None
        if not asks_first and (attempt.fresh or destination.writer is None):
            await self._render(delivery, attempt.body)

    async def effect(self, delivery: Delivery, entry: Entry) -> EffectPrepared:
        """The row that claims the sending, with the bytes that are made; their claim is added to the entry."""
        runtime, now, copy = self._runtime, self._runtime.clock(), delivery.copy
        written = delivery.written if delivery.failure is None else None
        claim = None
        if written is not None:
            claim = copy.canonical if written.body is delivery.attempt.body and copy.canonical else None
            if claim is None:
                kept = await runtime.journal.keep(written.body)
                claim = kept.digest
                entry.claim(kept, now)
        return effect_prepared(
            copy.document_id,
            delivery.name,
            copy.route,
            idempotency_key(copy.document_id, delivery.name),
            now,
            runtime.journal.process,
            claim=claim,
            content_type=written.content_type if written is not None else None,
            facts=pack_facts(written.facts) if written is not None and written.facts else None,
            expect_ack=written.expect_ack if written is not None else None,
            address=delivery.address if written is not None else None,
        )

    async def finish(self, delivery: Delivery) -> None:
        """Makes and commits the bytes that the plan left open: after the steps, under a control number. It goes on with
        a failure, a verdict, or a state that names the bytes. Raises JournalUnavailable."""
        body = await self._step(delivery) if delivery.takes_steps else delivery.attempt.body
        if delivery.verdict is not None or delivery.failure is not None:
            return
        if delivery.takes_steps and delivery.sequence is not None:
            await self._commit(delivery, numbered=True)
        await self._render(delivery, body)
        if delivery.gathered and delivery.failure is None:  # a trial: the batch makes what is sent
            delivery.verdict = Batched()
        elif delivery.failure is None:
            await self._commit(delivery)

    async def _without_destination(self, delivery: Delivery) -> Busy | Failed:
        copy, name = delivery.copy, delivery.name
        if copy.waits < MOST_WAITS and await self._tables.others_may_know(copy.table):
            text = f"this process doesn't know {name}; another one has the route table {copy.table}"
            return Busy(Reason.TABLE, text)
        return Failed(ConfigError(f"the destination {name!r} is not there any more"))

    async def _step(self, delivery: Delivery) -> bytes:
        """What the steps of the destination make of the document."""
        attempt, destination, copy = delivery.attempt, delivery.opened, delivery.copy
        body = attempt.body
        with Boundary() as boundary:
            again = delivery.state.generation > 1
            released = await self._decisions.released_from(copy.document_id, delivery.name) if again else ()

            async def here() -> SteppedBody:
                return await stepped(destination.steps, attempt.snapshot.facts, copy, body, released=released)

            async def contained(recipe: Recipe) -> SteppedBody:
                return await self._contained.step(recipe, copy, destination, body, released)

            result = await _within_bounds(delivery, body, here, contained)
            delivery.notes, delivery.failure, body = result.said, result.error, result.body
            if result.filtered and result.error is None:
                delivery.verdict = Filtered(result.filtered)
        delivery.failure = boundary.error or delivery.failure
        return body

    async def _render(self, delivery: Delivery, body: bytes) -> None:
        """The bytes and their address. What goes with others is only tried."""
        with Boundary() as boundary:
            written = delivery.written = await self._written(delivery, body)
            if not delivery.gathered:
                delivery.notes += tuple(StepNote("write", f"warning: {text}") for text in written.warnings)
                facts = pack_facts(written.facts) if written.facts else None
                outgoing = outgoing_of(delivery.copy, delivery.key, written.body, written.content_type, facts)
                delivery.address = fixed_address_of(delivery.opened, outgoing)
        delivery.failure = boundary.error

    async def _written(self, delivery: Delivery, body: bytes) -> Written:
        now, copy, destination = self._runtime.clock(), delivery.copy, delivery.opened
        key, number, trial = delivery.key, delivery.number, delivery.gathered
        if destination.writer is None and not destination.gathers:
            return render(copy, destination, body, now, key, number, trial=trial)

        async def here() -> Written:
            return render(copy, destination, body, now, key, number, trial=trial)

        async def contained(recipe: Recipe) -> Written:
            return await self._contained.write(recipe, copy, delivery.name, body, now, key, number, trial)

        return await _within_bounds(delivery, body, here, contained)

    async def _commit(self, delivery: Delivery, *, numbered: bool = False) -> None:
        entry = Entry()
        entry.prepare(await self.effect(delivery, entry))
        if numbered:
            await self.add_number(delivery, entry)
        committed = await self._runtime.journal.commit(entry)
        delivery.accept(committed.of(STATES), committed.of(NUMBERS))

    async def add_number(self, delivery: Delivery, entry: Entry) -> None:
        """Asks for the control number that the bytes need, if any; the copy is kept with it, so that a hold can be made
        when the partner rejects."""
        copy, now, sequence = delivery.copy, self._runtime.clock(), delivery.sequence
        if sequence is None:
            return
        wanted = NumberWanted(
            partner=sequence,
            document_id=copy.document_id,
            destination=delivery.name,
            route=copy.route,
            headers=pack(copy.message),
            body=copy.claim or copy.canonical or await kept_body(self._runtime.journal, copy, entry, now),
            at=now,
            process=self._runtime.journal.process,
        )
        entry.add(NUMBERS, wanted)


async def _within_bounds(
    delivery: Delivery, body: bytes, here: Callable[[], Awaitable[T]], contained: Callable[[Recipe], Awaitable[T]]
) -> T:
    """The result of a worker process where the work may cost much, or a process died during it; otherwise that of this
    process."""
    snapshot, name = delivery.attempt.snapshot, delivery.name
    recipe = snapshot.contained_writing(name, len(body), delivery.attempt.suspect)
    if recipe is not None:
        return await contained(recipe)
    return await here_or_contained(snapshot.contained_writing(name, 0, True), here, contained)
