"""One document to one destination: what is sent is stored before the first attempt, and sent at most once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from hub.core.effect import EffectStatus
from hub.core.errors import ClaimMissing, ConfigError, MappingError
from hub.core.identity import digest, idempotency_key
from hub.core.message import EMPTY, JSON
from hub.core.ports import Receipt, Written
from hub.journal.control_numbers import NUMBERS, NumberWanted
from hub.journal.decisions import Decisions
from hub.journal.effects import STATES, EffectState
from hub.journal.entry import Entry
from hub.journal.marks import Marks
from hub.runtime.boundary import outcome_of, result_of
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.writing import ContainedWriting
from hub.runtime.copy import LARGEST_BODY, RouteCopy, pack, pack_facts
from hub.runtime.delivery.attempt import Attempt, Outcome, Stale, stale
from hub.runtime.delivery.destination_steps import SteppedBody, stepped
from hub.runtime.delivery.living_tables import LivingTables
from hub.runtime.delivery.outgoing import fixed_address_of, outgoing_of, send_within_limit
from hub.runtime.delivery.rendering import render, waits_for_others
from hub.runtime.delivery.small_work import here_or_contained
from hub.runtime.runtime import OpenDestination, Runtime

Conclude = Callable[[Outcome], Awaitable[None]]
"""Records an outcome; returns when it is committed."""

MOST_WAITS = 600
"""How often a copy waits for a process that knows its destination: once a second, so for ten minutes. Then it is dead."""


class Sender:
    """Prepares and sends. Knows which sends of this process are under way, so that two copies of one document never send
    to one destination at the same time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._decisions = Decisions(runtime.journal)
        self._marks = Marks(runtime.journal)
        self._contained = ContainedWriting(runtime)
        self._tables = LivingTables(runtime.journal)
        self._under_way: dict[tuple[str, str], asyncio.Future[None]] = {}

    @asynccontextmanager
    async def alone(self, copy: RouteCopy) -> AsyncIterator[None]:
        """Holds all open destinations of the copy until what was sent is committed."""
        keys = [(copy.document_id, destination) for destination in sorted(copy.open)]
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        taken: list[tuple[str, str]] = []
        try:
            for key in keys:
                while (other := self._under_way.get(key)) is not None:
                    await asyncio.shield(other)
                self._under_way[key] = mine
                taken.append(key)
            yield
        finally:
            for key in taken:
                del self._under_way[key]
            mine.set_result(None)

    async def attempt(self, copy: RouteCopy, redelivered: bool, conclude: Conclude, *, suspect: bool = False) -> None:
        """Sends the copy to each of its open destinations, all at once. `conclude` is called with each outcome as soon as it is known:
        the outcome of a fast destination never waits for a slow one. Raises the first error of `conclude`, when all have ended, and
        nothing that belongs to a destination. `suspect`: a process has died during it."""
        snapshot = self._runtime.snapshot
        body = await outcome_of(lambda: self._canonical(copy))
        if isinstance(body, ClaimMissing):
            attempt = Attempt(copy, b"", redelivered, snapshot, early=dict.fromkeys(copy.open, body))
            attempt.states, _ = await self._prepare(attempt, {})
        elif isinstance(body, Exception):
            raise body
        else:
            attempt = Attempt(copy, body, redelivered, snapshot, suspect=suspect)
            await self._plan(attempt)
            missing = [name for name in copy.open if attempt.misses(name)]
            if missing:
                await self._make(attempt, missing)

        async def send(name: str) -> None:
            await conclude(await self._send(attempt, snapshot.destinations.get(name), attempt.states[name]))

        if len(copy.open) == 1:
            await send(copy.open[0])
            return
        ended = await asyncio.gather(*map(send, copy.open), return_exceptions=True)
        errors = [error for error in ended if error is not None]
        if errors:
            raise errors[0]

    async def _plan(self, attempt: Attempt) -> None:
        """Sorts the open destinations, writes at once what can be written at once, and asks the journal where each of them stands."""
        copy, numbered = attempt.copy, dict[str, str]()
        fresh = copy.attempt == 1 and copy.parent is None and not attempt.redelivered
        for name in copy.open:
            destination = attempt.snapshot.destinations.get(name)
            if destination is None and copy.waits < MOST_WAITS and await self._tables.others_may_know(copy.table):
                attempt.elsewhere.add(name)
            elif destination is None:
                attempt.early[name] = ConfigError(f"the destination {name!r} is not there any more")
            elif waits_for_others(copy, destination):
                attempt.together.add(name)
                if destination.steps:  # a hold of a document keeps it out of the batch
                    attempt.stepping.add(name)
            elif destination.steps and not copy.is_batch:  # its documents have taken the steps one by one
                attempt.stepping.add(name)
            elif destination.sequence is not None:
                numbered[name] = destination.sequence
            elif fresh or destination.writer is None:
                attempt.rendered[name] = await self._rendered(attempt, destination, attempt.body)
        attempt.states, attempt.numbers = await self._prepare(attempt, attempt.rendered, numbered)
        if attempt.redelivered:
            attempt.early.update({name: Stale() for name in copy.open if stale(copy, attempt.states[name])})

    async def _make(self, attempt: Attempt, missing: Sequence[str]) -> None:
        """The bytes of those that have none: after the steps of the destination, with a control number where it needs one."""
        destinations, bodies = attempt.snapshot.destinations, dict[str, bytes]()
        for name in missing:
            if name in attempt.stepping:
                bodies[name] = await self._stepped(attempt, destinations[name])
        going = [name for name in missing if name not in attempt.early and name not in attempt.filtered]
        alone = [name for name in going if name in bodies and name not in attempt.together]
        numbered = {name: sequence for name in alone if (sequence := destinations[name].sequence)}
        if numbered:
            attempt.numbers |= (await self._prepare(attempt, {}, numbered))[1]
        for name in going:
            attempt.rendered[name] = await self._rendered(attempt, destinations[name], bodies.get(name, attempt.body))
        made = {n: attempt.rendered[n] for n in going if n not in attempt.early and n not in attempt.together}
        if made:
            attempt.states.update((await self._prepare(attempt, made))[0])

    async def _stepped(self, attempt: Attempt, destination: OpenDestination) -> bytes:
        """What the steps of the destination make of the document; in `early` or `filtered` why it doesn't go there."""
        name, copy = destination.name, attempt.copy
        again = attempt.states[name].generation > 1
        snapshot, body = attempt.snapshot, attempt.body
        recipe = snapshot.contained_writing(name, len(body), attempt.suspect)

        async def released() -> Collection[str]:
            return await self._decisions.released_from(copy.document_id, name) if again else ()

        async def here() -> SteppedBody:
            return await stepped(destination.steps, snapshot.facts, copy, body, released=await released())

        async def contained(by: Recipe) -> SteppedBody:
            return await self._contained.step(by, copy, destination, body, await released())

        if recipe is not None:
            found = await outcome_of(lambda: contained(recipe))
        else:
            found = await here_or_contained(snapshot.contained_writing(name, 0, True), here, contained)
        if isinstance(found, Exception):
            attempt.early[name] = found
            return attempt.body
        attempt.said[name] = found.said
        if found.error is not None:
            attempt.early[name] = found.error
        elif found.filtered:
            attempt.filtered[name] = found.filtered
        return found.body

    async def _canonical(self, copy: RouteCopy) -> bytes:
        if copy.claim is None:
            return copy.message.body
        stored = await self._runtime.journal.claim_body(copy.claim)
        return b"".join(stored.chunks())

    async def _rendered(self, attempt: Attempt, destination: OpenDestination, body: bytes) -> Written | None:
        """The bytes, made by a worker where that may cost much; in `early` why there are none. What is to go with others is only
        tried."""
        now, name, copy = self._runtime.clock(), destination.name, attempt.copy
        key = attempt.states[name].key if name in attempt.states else ""
        trial, number = name in attempt.together, attempt.numbers.get(name)
        recipe = attempt.snapshot.contained_writing(name, len(body), attempt.suspect)

        async def here() -> Written:
            return render(copy, destination, body, now, key, number, trial=trial)

        async def contained(by: Recipe) -> Written:
            return await self._contained.write(by, copy, name, body, now, key, number, trial)

        if destination.writer is None and not destination.gathers:
            written = await outcome_of(here)
        elif recipe is not None:
            written = await outcome_of(lambda: contained(recipe))
        else:
            written = await here_or_contained(attempt.snapshot.contained_writing(name, 0, True), here, contained)
        if isinstance(written, Exception):
            attempt.early[name] = written
            return None
        if written.warnings and not trial:
            told = tuple(("write", f"warning: {text}") for text in written.warnings)
            attempt.said[name] = (*attempt.said.get(name, ()), *told)
        if not trial:
            facts = pack_facts(written.facts) if written.facts else None
            outgoing = outgoing_of(copy, key, written.body, written.content_type, facts)
            attempt.addresses[name] = result_of(lambda: fixed_address_of(destination, outgoing))
        return written

    async def _prepare(
        self, attempt: Attempt, rendered: dict[str, Written | None], numbered: Mapping[str, str] = EMPTY
    ) -> tuple[dict[str, EffectState], dict[str, int]]:
        """The states of all open destinations, and the control numbers of those whose bytes are still to be made."""
        runtime, now, entry, copy = self._runtime, self._runtime.clock(), Entry(), attempt.copy
        for name in copy.open:
            written, address = rendered.get(name), attempt.addresses.get(name)
            claim = content_type = facts = expect_ack = None
            if written is not None and not isinstance(address, BaseException):
                content_type, expect_ack = written.content_type, written.expect_ack
                facts = pack_facts(written.facts) if written.facts else None
                claim = copy.canonical if written.body is attempt.body and copy.canonical else None
                if claim is None:
                    kept = await runtime.journal.keep(written.body)
                    claim = kept.digest
                    entry.claim(kept, now)
            key = idempotency_key(copy.document_id, name)
            entry.prepare(
                copy.document_id,
                name,
                copy.route,
                key,
                now,
                runtime.journal.process,
                claim=claim,
                content_type=content_type,
                facts=facts,
                expect_ack=expect_ack,
                address=address if isinstance(address, str) else None,
            )
            if name in numbered:
                entry.add(NUMBERS, await self._number(copy, name, numbered[name], entry, now))
        committed = await runtime.journal.commit(entry)
        states, numbers = committed.of(STATES), committed.of(NUMBERS)
        return {name: states[copy.document_id, name] for name in copy.open}, {
            name: number for (_, name), number in numbers.items()
        }

    async def _number(self, copy: RouteCopy, destination: str, sequence: str, entry: Entry, now: float) -> NumberWanted:
        """Asks for a control number; the copy is kept with it, so that a hold can be made when the partner rejects."""
        return NumberWanted(
            partner=sequence,
            document_id=copy.document_id,
            destination=destination,
            route=copy.route,
            headers=pack(copy.message),
            body=copy.claim or copy.canonical or await kept_body(self._runtime, copy, entry, now),
            at=now,
            process=self._runtime.journal.process,
        )

    async def _send(self, attempt: Attempt, destination: OpenDestination | None, state: EffectState) -> Outcome:
        copy, name = attempt.copy, state.destination
        early, said = attempt.early.get(name), attempt.said.get(name, ())
        if state.finished:
            return Outcome(name, state, skipped=f"{state.status} already")
        if not state.mine:
            return Outcome(name, state, skipped="another process is sending it", busy=True)
        if isinstance(early, Stale):
            return Outcome(name, state, skipped=f"{state.status} already, after attempt {state.attempts}")
        if name in attempt.elsewhere:
            return Outcome(name, state, elsewhere=True)
        if early is not None or destination is None:
            return Outcome(name, state, error=early or MappingError(f"nothing to send to {name}"), said=said)
        if name in attempt.filtered:
            return Outcome(name, state, filtered=attempt.filtered[name], said=said)
        if name in attempt.together and state.needs_bytes:
            return Outcome(name, state, waits=True)
        if state.reply is not None and destination.replies_to is not None:
            return await self._answered(state)
        unaddressed = attempt.addresses.get(name)
        if state.claim is None and isinstance(unaddressed, BaseException):
            return Outcome(name, state, error=unaddressed, said=said)
        body = await outcome_of(lambda: self._stored(attempt, state))
        if isinstance(body, Exception):
            return Outcome(name, state, error=body, said=said)
        outgoing = outgoing_of(copy, state.key, body, state.content_type or JSON, state.facts)
        address: str | Exception = state.address or ""
        if state.address is None:  # a release that stored none has begun it
            address = result_of(lambda: fixed_address_of(destination, outgoing, earlier=True))
        if isinstance(address, Exception):
            return Outcome(name, state, error=address, said=said)
        note = partial(self._marks.put, copy.document_id, name)
        outgoing = replace(outgoing, fixed_address=address, mark=state.mark or "", note=note)
        started = self._runtime.clock()
        result = await outcome_of(lambda: send_within_limit(destination, outgoing))
        took = self._runtime.clock() - started
        if isinstance(result, Exception):
            return Outcome(name, state, error=result, took=took, said=said)
        return Outcome(name, state, receipt=result, took=took, said=said)

    async def _answered(self, state: EffectState) -> Outcome:
        """The far end has answered an earlier attempt, which ended before its outcome was recorded: that answer counts."""
        reply = await outcome_of(lambda: self._runtime.journal.claim_body(state.reply or ""))
        if isinstance(reply, Exception):
            return Outcome(state.destination, state, error=reply)
        body = b"".join(reply.chunks())
        receipt = Receipt(state.text or EffectStatus.DELIVERED, reply=body, content_type=state.reply_type)
        return Outcome(state.destination, state, receipt=receipt)

    async def _stored(self, attempt: Attempt, state: EffectState) -> bytes:
        """The bytes that the journal names: those of the first attempt, whatever a template would make today. The body in hand is used
        where it is these bytes. Raises ClaimMissing and JournalUnavailable."""
        assert state.claim is not None  # noqa: S101  (prepared above, or `early` is set)
        if state.claim == attempt.copy.canonical:
            return attempt.body
        written = attempt.rendered.get(state.destination)
        if written is not None and await _digest(written.body) == state.claim:
            return written.body
        stored = await self._runtime.journal.claim_body(state.claim)
        return b"".join(stored.chunks())


async def _digest(body: bytes) -> str:
    return digest(body) if len(body) <= LARGEST_BODY else await asyncio.to_thread(digest, body)


async def kept_body(runtime: Runtime, copy: RouteCopy, entry: Entry, now: float) -> str:
    """The claim of the copy's canonical form, kept with the entry."""
    if copy.claim is not None:
        return copy.claim
    kept = await runtime.journal.keep(copy.message.body)
    entry.claim(kept, now)
    return kept.digest
