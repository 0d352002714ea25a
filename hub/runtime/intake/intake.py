"""The intake: from an arrival to one confirmed copy per matched route. The source is acknowledged after that."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing

from hub.core.broker import Broker
from hub.core.clock import Clock
from hub.core.errors import DecodeError, HubError, TransientError
from hub.core.identity import digest
from hub.core.message import Header, Message
from hub.core.ports import Arrival, BytesBody, Reading, Taken
from hub.core.routing.facts import ENVELOPE
from hub.journal.commit.bulk import EVENT
from hub.journal.commit.claims import StoredClaim
from hub.runtime.boundary import Boundary
from hub.runtime.contained.reading import suspect_name
from hub.runtime.copy import number, unpack_facts
from hub.runtime.delivery.hand_over import LARGEST, HandOver
from hub.runtime.intake.acknowledgments import Acknowledgments
from hub.runtime.intake.arrival_reader import WINDOW, ArrivalReader, Visit
from hub.runtime.intake.arrival_terms import with_terms
from hub.runtime.intake.changed_verdicts import ChangedVerdicts
from hub.runtime.intake.router import Router
from hub.runtime.intake.source_steps import UNFORESEEN, SteppedReading
from hub.runtime.placing import Placing, as_taken, carry_out, forget, is_passing, settle
from hub.runtime.position import position_text, wanted
from hub.runtime.runtime import Runtime, Snapshot

MOST_RECORDED = 10_000
"""Documents that are remembered as recorded but not published."""

RECONNECT_SECONDS = 1.0
"""Seconds in which a connection to the broker that was lost is there again, when only that was lost."""


class Intake:
    """Takes arrivals. Safe to call from many tasks; taking the same bytes again gives the same messages."""

    def __init__(self, runtime: Runtime, acknowledgments: Acknowledgments, hand_over: HandOver) -> None:
        self._runtime = runtime
        self._hand_over = hand_over
        self._acknowledgments = acknowledgments
        self._reader = ArrivalReader(runtime)
        self._router = Router(runtime, acknowledgments)
        self._verdicts = ChangedVerdicts(runtime)
        self._recorded: OrderedDict[str, None] = OrderedDict()

    async def take(
        self,
        arrival: Arrival,
        *,
        only: str | None = None,
        among: frozenset[str] = frozenset(),
        parent: str | None = None,
    ) -> Taken:
        """Claims, reads, matches, records, publishes; returns when all rows are committed and all copies are confirmed.

        `only` restricts it to one position (a replayed part), `among` to several; `parent` is the dead letter it came
        from. Raises TransientError or JournalUnavailable, and nothing else, when that was not possible: nothing may be
        acknowledged then. With `only` or `among` it raises HubError when there is nothing at that position any more.
        """
        runtime = self._runtime
        if not runtime.broker.connected:
            await broker_there(runtime.broker, runtime.clock)
        started = runtime.clock()
        with runtime.metrics.in_flight.labels("intake"):
            visit = await self._claimed(arrival, started)
            visit.only, visit.among, visit.parent = only, among, parent
            visit.whole = may_hand_over(visit)
            with Boundary() as boundary:
                await self._visit(visit)
            if boundary.error is not None:
                await self._end_badly(visit, boundary.error)
        runtime.metrics.received.labels(arrival.source).inc()
        runtime.metrics.stage.labels("intake").observe(runtime.clock() - started)
        return Taken(visit.documents, visit.refused, visit.cause, visit.told, self._verdicts.settled(visit))

    async def _end_badly(self, visit: Visit, error: Exception) -> None:
        """What nobody foresaw refuses the arrival as a whole. Raises what keeps it from being acknowledged."""
        with Boundary():
            await settle(visit.waiting)
        if isinstance(error, NothingThere):
            raise HubError(str(error))
        if is_passing(error):
            raise as_taken(error)
        with Boundary() as boundary:
            await self._refuse_whole(visit, error)
        if boundary.error is not None:
            raise as_taken(boundary.error)

    async def _claimed(self, arrival: Arrival, started: float) -> Visit:
        with Boundary() as boundary:
            return await self._reader.claim(arrival, started)
        error = boundary.caught
        if isinstance(error, OSError):
            raise TransientError(f"the bytes of {arrival.name or 'the arrival'} can't be read: {error}", "unreachable")
        raise as_taken(error)

    async def _visit(self, visit: Visit) -> None:
        """Takes everything that the reader finds. Raises NothingThere when a replayed part is gone."""
        snapshot = self._runtime.snapshot
        if visit.parent is not None:
            await self._runtime.suspects.clear(suspect_name(visit.arrival, visit.claim.digest))
        if visit.whole and (only := self._reader.at_once(snapshot, visit)) is not None:
            await self._take_one(snapshot, visit, only)
            return
        first: SteppedReading | None = None
        async with aclosing(self._reader.passed(snapshot, visit)) as readings:
            async for each in readings:
                for passed in self._wanted(visit, each):
                    if visit.whole and first is None:  # it is handed over when no other follows
                        first = passed
                        continue
                    if first is not None:
                        visit.whole, one, first = False, first, None
                        await self._take_one(snapshot, visit, one)
                    await self._take_one(snapshot, visit, passed)
                if len(visit.waiting) >= WINDOW:
                    await settle(visit.waiting)
        if first is not None:
            await self._take_one(snapshot, visit, first)
        if not visit.documents and not visit.refused and (visit.is_partial or not visit.answers):
            if visit.is_partial:
                raise NothingThere(visit.cause or f"there is nothing at {visit.only or 'its places'} any more")
            nothing = Reading((), error=DecodeError("there is no document in it"))
            self._route_safely(snapshot, visit, SteppedReading(nothing))
        await settle(visit.waiting)
        if visit.remainder.count:
            self._route_safely(snapshot, visit, SteppedReading(visit.remainder.letter()))
            await settle(visit.waiting)

    async def _take_one(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> None:
        """Raises TransientError and JournalUnavailable."""
        found = passed.found
        visit.answer = None
        if passed.unforeseen is not None:
            self._say_unforeseen(visit, passed.unforeseen)
        if found is not None and found.acknowledges and found.outbound:
            named = await self._verdicts.named(visit, passed)
            if named is None:
                return
            passed = named
        elif found is not None and found.acknowledges:
            visit.answer = await self._acknowledgments.find(found.document(), found.facts)
        if visit.whole:  # there is no other: nothing is begun beside it
            await self._place(visit, passed, self._routed(snapshot, visit, passed))
        else:
            self._route_safely(snapshot, visit, passed)

    @staticmethod
    def _wanted(visit: Visit, passed: list[SteppedReading]) -> list[SteppedReading]:
        """Those at the position that is asked for, where one is."""
        if visit.only is None and not visit.among:
            return passed
        places = visit.among or {visit.only or ""}
        there = [
            one
            for one in passed
            if any(wanted(place, position_text(one.reading.position), part=False) for place in places)
        ]
        if not there and not visit.cause:
            visit.cause = next((str(one.reading.error) for one in passed if one.reading.error is not None), "")
        return there

    async def _refuse_whole(self, visit: Visit, error: Exception) -> None:
        """What nobody foresaw about an arrival sends it, whole, to the dead letters of its source; it is not offered
        again and again."""
        self._say_unforeseen(visit, error)
        self._route_safely(self._runtime.snapshot, visit, SteppedReading(Reading((), error=unforeseen())))
        await settle(visit.waiting)

    async def again(self, message: Message, parent: str) -> None:
        """Matches an unmatched document again, against the table in force now."""
        runtime, snapshot, headers = self._runtime, self._runtime.snapshot, message.headers
        told = unpack_facts(headers)
        envelope = {
            name: told[name]
            for name in (*ENVELOPE, "partner", "test", "direction", "part")
            if told.get(name) is not None
        }
        claim = StoredClaim(str(headers.get(Header.CANONICAL) or digest(message.body)), len(message.body), message.body)
        visit = Visit(
            arrival=with_terms(
                Arrival(str(headers.get(Header.SOURCE, "")), BytesBody(message.body)), headers.get(Header.TERMS)
            ),
            claim=claim,
            correlation_id=message.correlation_id or message.id,
            hops=number(headers.get(Header.HOPS), 1),
            at=runtime.clock(),
            raw=message.body,
            parent=parent,
        )
        found = await self._reader.found_again(snapshot, visit.arrival, message, envelope)
        if found.acknowledges:
            visit.answer = await self._acknowledgments.find(found.document(), found.facts)
        placing = Placing()
        self._router.match(snapshot, visit, found, Reading((), envelope=envelope), "", placing)
        self._acknowledgments.count(await carry_out(placing, runtime.journal, runtime.broker))

    def _route_safely(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> None:
        """Begins to place one reading; `settle` waits for it."""
        placed = asyncio.ensure_future(self._place(visit, passed, self._routed(snapshot, visit, passed)))
        placed.add_done_callback(forget)
        visit.waiting.append(placed)

    def _routed(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> Placing:
        """What nobody foresaw about one document ends that document, with its cause, and not the arrival."""
        with Boundary() as boundary:
            return self._router.route(snapshot, visit, passed)
        return self._refused_instead(visit, passed, boundary.caught)

    async def _place(self, visit: Visit, passed: SteppedReading, placing: Placing) -> None:
        """Commits and publishes. A document that can't be recorded or carried, now or later, becomes a dead letter of
        its source."""
        runtime, found = self._runtime, passed.found
        if placing.story in self._recorded:  # offered again: its story has been told
            placing.entry.leave_out(EVENT)
        with Boundary() as boundary:
            if visit.whole and found is not None and not found.acknowledges and not found.outbound:
                await self._hand_copies_over(placing)
            await carry_out(placing, runtime.journal, runtime.broker)
        error = boundary.error
        if placing.committed is not None:
            self._note(placing.story, placed=error is None)
        if error is not None and not is_passing(error):
            if found is not None and found.outbound:
                visit.answers -= 1
            elif found is not None:
                visit.documents -= 1
            placing = self._refused_instead(visit, passed, error)
            await carry_out(placing, runtime.journal, runtime.broker)
        elif error is not None:
            raise error
        if placing.committed is not None:
            self._acknowledgments.count(placing.committed)

    async def _hand_copies_over(self, placing: Placing) -> None:
        """Adds to the commit the copies that can be delivered at once; the others go to their queues."""
        try:
            for route, placed in placing.copies:
                handed = await self._hand_over.begin(self._runtime.snapshot, route, placed.message, placing.entry)
                if handed is not None:
                    placing.hand_over(placed, handed)
        except BaseException:
            placing.drop()
            raise

    def _note(self, story: str, *, placed: bool) -> None:
        """Remembers what is recorded and could not be published: when it is offered again, nothing is recorded
        twice."""
        if placed:
            self._recorded.pop(story, None)
            return
        self._recorded[story] = None
        while len(self._recorded) > MOST_RECORDED:
            self._recorded.popitem(last=False)

    def _refused_instead(self, visit: Visit, passed: SteppedReading, error: Exception) -> Placing:
        """The rows and the dead letter of a reading that could not be taken. They hold nothing that came from the
        document."""
        cause = error if isinstance(error, DecodeError) else unforeseen(error)
        if not isinstance(error, HubError):
            self._say_unforeseen(visit, error)
        visit.claimed = False  # the entry that had the claim's row may be the one that failed
        refused = SteppedReading(Reading(passed.reading.position, error=cause))
        return self._router.route(self._runtime.snapshot, visit, refused)

    def _say_unforeseen(self, visit: Visit, error: Exception) -> None:
        self._runtime.log.error("unforeseen", source=visit.arrival.source, name=visit.arrival.name, exc_info=error)


async def broker_there(broker: Broker, clock: Clock) -> None:
    """Returns while the broker takes messages. One that only reconnects is given a moment; else nothing is begun that
    would only wait. Raises TransientError."""
    for _ in range(round(RECONNECT_SECONDS / 0.05)):
        if broker.connected:
            return
        await clock.sleep(0.05)
    raise TransientError("the broker takes no messages now", "unreachable")


def may_hand_over(visit: Visit) -> bool:
    """Whether the copies of the arrival may be handed over, should it be one document."""
    arrival = visit.arrival
    return (
        arrival.kept
        and not arrival.offered_again
        and arrival.body.size <= LARGEST
        and visit.parent is None
        and not visit.is_partial
    )


class NothingThere(HubError):
    """A part that is to be read again is not in the arrival any more."""


def unforeseen(error: Exception | None = None) -> DecodeError:
    """The cause of a dead letter that the hub itself failed on. What `error` says of names and lengths is told; a
    traceback is not."""
    if isinstance(error, HubError):
        return DecodeError(f"it could not be taken: {error}")
    return DecodeError(UNFORESEEN)
