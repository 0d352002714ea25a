"""One document to one destination: what is sent is stored before the first attempt, and sent at most once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from hub.core.effect import EffectStatus
from hub.core.errors import ClaimMissing, EndpointError
from hub.core.identity import digest
from hub.core.message import JSON
from hub.core.ports import Outgoing, Receipt
from hub.journal.commit.entry import Committed, Entry
from hub.journal.deliveries.effects import EffectKey, EffectState
from hub.journal.deliveries.marks import Marks
from hub.journal.deliveries.new_copies import NEW_COPIES, NewCopy
from hub.journal.interchanges.control_numbers import NUMBERS
from hub.runtime.boundary import Boundary
from hub.runtime.copy import LARGEST_BODY, RouteCopy
from hub.runtime.delivery.attempt import Attempt
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.outcome import Delivered, Failed, Outcome
from hub.runtime.delivery.outgoing import fixed_address_of, outgoing_of, send_within_limit
from hub.runtime.delivery.preparation import Preparation
from hub.runtime.delivery.settling import Settling
from hub.runtime.runtime import Runtime


class Sender:
    """Prepares and delivers. Whoever calls commits the entry between the two: `prepare` adds to it, `deliver` goes on
    with what it answered. Knows which sends of this process are under way, so that two copies of one document never
    send to one destination at the same time."""

    def __init__(self, runtime: Runtime, settling: Settling) -> None:
        self._runtime = runtime
        self._settling = settling
        self._preparation = Preparation(runtime)
        self._marks = Marks(runtime.journal)
        self._under_way: dict[EffectKey, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def exclusive(self, copy: RouteCopy) -> AsyncIterator[None]:
        """Holds all open destinations of the copy until what was sent is committed."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        taken: list[EffectKey] = []
        try:
            for key in places(copy):
                while (other := self._under_way.get(key)) is not None:
                    await asyncio.shield(other)
                self._under_way[key] = mine
                taken.append(key)
            yield
        finally:
            self._let_go(taken, mine)

    def exclusive_now(self, copy: RouteCopy) -> Callable[[], None] | None:
        """The same for who doesn't wait: what lets go of the destinations, or None while one is held."""
        keys = places(copy)
        if not self._under_way.keys().isdisjoint(keys):
            return None
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way.update(dict.fromkeys(keys, mine))
        return partial(self._let_go, keys, mine)

    def _let_go(self, keys: Sequence[EffectKey], mine: asyncio.Future[None]) -> None:
        for key in keys:
            del self._under_way[key]
        mine.set_result(None)

    async def prepare(self, attempt: Attempt, entry: Entry) -> list[Delivery]:
        """One delivery for each open destination. Adds their effects to the entry, with the bytes that could be made at
        once; with `only_new` those of a copy that begins in this commit or not at all. Raises JournalUnavailable."""
        destinations = attempt.snapshot.destinations
        deliveries = [Delivery(attempt, name, destinations.get(name)) for name in attempt.copy.open]
        missing: Failed | None = None
        try:
            attempt.body = await self._canonical(attempt.copy)
        except ClaimMissing as error:
            missing = Failed(error)
        for delivery in deliveries:
            if missing is not None:
                delivery.verdict = missing
            else:
                await self._preparation.plan(delivery)
        effects = [await self._preparation.effect(delivery, entry) for delivery in deliveries]
        if attempt.only_new:
            attempt.new = NewCopy(tuple(effects), attempt.once)
            entry.add(NEW_COPIES, attempt.new)
            return deliveries
        for delivery, effect in zip(deliveries, effects, strict=True):
            entry.prepare(effect)
            if delivery.verdict is None and not delivery.takes_steps:
                await self._preparation.add_number(delivery, entry)
        return deliveries

    async def deliver(self, deliveries: Sequence[Delivery], committed: Committed) -> list[Outcome]:
        """Sends to all destinations at once, and commits each outcome as soon as it is known: a fast destination never
        waits for a slow one. Raises the first error that kept an outcome from being committed, when all have ended, and
        nothing that belongs to a destination."""
        numbers = committed.of(NUMBERS)
        for delivery in deliveries:
            delivery.accept(delivery.attempt.states(committed), numbers)
        if len(deliveries) == 1:
            return [await self._deliver(deliveries[0])]
        outcomes: list[Outcome] = []
        for ended in await asyncio.gather(*map(self._deliver, deliveries), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
            outcomes.append(ended)
        return outcomes

    async def give_back(self, deliveries: Sequence[Delivery], committed: Committed) -> None:
        """Nothing of them is sent: what the commit claimed for this process is free again."""
        for delivery in deliveries:
            delivery.accept(delivery.attempt.states(committed), {})
            await self._settling.give_back(delivery)

    async def _deliver(self, delivery: Delivery) -> Outcome:
        try:
            outcome = delivery.known_outcome()
            if outcome is None and delivery.state.claim is None:
                await self._preparation.finish(delivery)
                outcome = delivery.known_outcome()
            if outcome is None:
                outcome = await self._send(delivery)
            await self._settling.settle(delivery, outcome)
        except (asyncio.CancelledError, EndpointError):
            await self._settling.give_back(delivery)
            raise
        return outcome

    async def _send(self, delivery: Delivery) -> Outcome:
        with Boundary() as boundary:
            if delivery.state.reply is not None and delivery.opened.replies_to is not None:
                return Delivered(await self._earlier_answer(delivery.state))
            outgoing = await self._outgoing(delivery)
            started = self._runtime.clock()
            receipt = await send_within_limit(delivery.opened, outgoing, taken=delivery.use_turn())
            return Delivered(receipt, self._runtime.clock() - started)
        return Failed(boundary.caught)

    async def _outgoing(self, delivery: Delivery) -> Outgoing:
        """What the journal says is sent. Raises ClaimMissing, JournalUnavailable, and RejectedError for what has no
        address."""
        copy, state = delivery.copy, delivery.state
        outgoing = outgoing_of(
            copy,
            state.key,
            await self._stored(delivery),
            state.content_type or JSON,
            state.facts,
            fixed_address=state.address or "",
            mark=state.mark or "",
            note=partial(self._marks.put, copy.document_id, delivery.name),
        )
        if state.address is None:  # a release that stored none began it
            return replace(outgoing, fixed_address=fixed_address_of(delivery.opened, outgoing, earlier=True))
        return outgoing

    async def _earlier_answer(self, state: EffectState) -> Receipt:
        """The far end answered an earlier attempt, which ended before its outcome was recorded: that answer counts."""
        body = await self._body(state.reply or "")
        return Receipt(state.text or EffectStatus.DELIVERED, reply=body, content_type=state.reply_type)

    async def _stored(self, delivery: Delivery) -> bytes:
        """The bytes that the journal names: those of the first attempt, whatever a template would make today. The body
        in hand is used where it is these bytes."""
        claim, written = delivery.state.claim, delivery.written
        assert claim is not None  # noqa: S101  (prepared, or the delivery has an outcome)
        if claim == delivery.copy.canonical:
            return delivery.attempt.body
        if written is not None and await _digest(written.body) == claim:
            return written.body
        return await self._body(claim)

    async def _canonical(self, copy: RouteCopy) -> bytes:
        return copy.message.body if copy.claim is None else await self._body(copy.claim)

    async def _body(self, claim: str) -> bytes:
        return b"".join((await self._runtime.journal.claim_body(claim)).chunks())


def places(copy: RouteCopy) -> list[EffectKey]:
    """The open destinations, each with the document."""
    return [(copy.document_id, destination) for destination in sorted(copy.open)]


async def _digest(body: bytes) -> str:
    return digest(body) if len(body) <= LARGEST_BODY else await asyncio.to_thread(digest, body)
