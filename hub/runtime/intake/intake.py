"""The intake: from an arrival to one confirmed copy per matched route. The source is acknowledged after that."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from typing import Any

from hub.core.broker import Broker
from hub.core.clock import Clock
from hub.core.errors import DecodeError, HubError, TransientError
from hub.core.identity import digest, message_id
from hub.core.message import JSON, Header, Message
from hub.core.ports import Arrival, BytesBody, Reading, Taken
from hub.core.routing.facts import ENVELOPE, OUTBOUND
from hub.core.routing.recorded_facts import record_facts
from hub.core.routing.route_table import Match
from hub.core.stage import Stage
from hub.journal.commit.bulk import EVENT
from hub.journal.commit.claims import StoredClaim
from hub.journal.copies.open_copies import COPY
from hub.journal.deliveries.decided import FACTS
from hub.runtime.boundary import Boundary
from hub.runtime.contained.reading import suspect_name
from hub.runtime.copy import LARGEST_BODY, number, unpack_facts
from hub.runtime.delivery.hand_over import LARGEST, HandOver
from hub.runtime.intake.acknowledgments import Acknowledgments
from hub.runtime.intake.arrival_reader import WINDOW, ArrivalReader, Visit
from hub.runtime.intake.arrival_terms import kept_terms, with_terms
from hub.runtime.intake.changed_verdicts import ChangedVerdicts
from hub.runtime.intake.dead_ends import DeadEnds
from hub.runtime.intake.document_found import DocumentFound
from hub.runtime.intake.remainder import MOST_LETTERS, REST
from hub.runtime.intake.source_steps import UNFORESEEN, SteppedReading
from hub.runtime.placing import Placing, as_taken, carry_out, forget, is_passing, settle
from hub.runtime.runtime import Runtime, Snapshot
from hub.runtime.steps.recorded_notes import record_note
from hub.runtime.steps.walk import joined, wanted

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
        self._dead_ends = DeadEnds(runtime)
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
            one for one in passed if any(wanted(place, joined(one.reading.position), part=False) for place in places)
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
        self._match(snapshot, visit, found, Reading((), envelope=envelope), "", placing)
        self._acknowledgments.count(await carry_out(placing, runtime.journal, runtime.broker))

    def _route_safely(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> None:
        """Begins to place one reading; `settle` waits for it."""
        placed = asyncio.ensure_future(self._place(visit, passed, self._routed(snapshot, visit, passed)))
        placed.add_done_callback(forget)
        visit.waiting.append(placed)

    def _routed(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> Placing:
        """What nobody foresaw about one document ends that document, with its cause, and not the arrival."""
        with Boundary() as boundary:
            return self._route(snapshot, visit, passed)
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
        return self._route(self._runtime.snapshot, visit, SteppedReading(Reading(passed.reading.position, error=cause)))

    def _say_unforeseen(self, visit: Visit, error: Exception) -> None:
        self._runtime.log.error("unforeseen", source=visit.arrival.source, name=visit.arrival.name, exc_info=error)

    def _route(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> Placing:
        """The rows and the copies of one reading."""
        reading = passed.reading
        position = joined(reading.position)
        if passed.found is None and position and visit.letters >= MOST_LETTERS and not position.startswith(REST):
            visit.remainder.add(reading)
            visit.refused += 1
            return Placing()
        id = message_id(visit.claim.digest, reading.position, visit.arrival.identity)
        if passed.found is not None and passed.found.outbound:
            id = passed.found.id
        found, placing = passed.found, Placing(story=f"{id} {snapshot.version}")
        entry = placing.entry
        for note in map(record_note, passed.said):
            if note.body is not None:
                placing.large.append(note.body)
            entry.event(id, self._runtime.clock(), Stage.STEP, text=note.text, detail=note.detail)
        if found is None:
            visit.told = visit.told or ("" if passed.said else str(reading.error))
            self._dead_ends.refuse(visit, reading, id, position, placing)
        elif passed.filtered:
            self._end(visit, found, position, placing)
        else:
            self._match(snapshot, visit, found, reading, position, placing)
        if not visit.claimed:
            visit.claimed = True
            entry.claim(visit.claim, visit.at)
        for kind, value in (*reading.keys, *visit.arrival.keys):
            entry.key(value, kind, id)
        return placing

    def _end(self, visit: Visit, found: DocumentFound, position: str, placing: Placing) -> None:
        """A document that a step of its source has filtered out: it is kept, and goes nowhere."""
        self._keep(visit, found, position, placing)
        detail = {"table": self._runtime.snapshot.version, FACTS: record_facts(found.facts)}
        placing.entry.event(found.id, self._runtime.clock(), Stage.FILTERED, detail=detail)
        visit.documents += 1

    def _match(
        self,
        snapshot: Snapshot,
        visit: Visit,
        found: DocumentFound,
        reading: Reading,
        position: str,
        placing: Placing,
    ) -> None:
        entry, read_at = placing.entry, self._runtime.clock()
        self._keep(visit, found, position, placing)
        matches = list(snapshot.table.match(found.facts))
        taken = [match for match in matches if not match.unmatched]
        for match in taken:
            self._copy(snapshot, visit, found, match, placing)
        answer = visit.answer
        if answer is not None and answer.number is not None:
            self._acknowledgments.record(snapshot, answer, found.document(), found.facts, found.id, entry)
        elif len(taken) < len(matches) or not taken:
            cause = (
                answer.cause
                if answer is not None and len(taken) == len(matches)
                else snapshot.table.nearest(found.facts)
            )
            self._dead_ends.unmatched(snapshot, visit, found, cause, placing)
        if taken:
            detail = {"read": read_at, **matched(snapshot, visit, reading, taken, found)}
            entry.event(found.id, self._runtime.clock(), Stage.MATCHED, detail=detail)
        if found.outbound:
            visit.answers += 1
        else:
            visit.documents += 1
            placing.offer = offer(visit, found)

    def _keep(self, visit: Visit, found: DocumentFound, position: str, placing: Placing) -> None:
        """The rows by which the document is found again."""
        arrival, entry = visit.arrival, placing.entry
        if len(found.body) > LARGEST_BODY:
            placing.large.append(found.body)
        elif found.canonical != visit.claim.digest:
            entry.claim(StoredClaim(found.canonical, len(found.body), found.body), visit.at)
        for kind, value in found.keys:
            entry.key(value, kind, found.id)
        entry.message(
            found.id,
            arrival.source,
            arrival.name,
            visit.claim.digest,
            position,
            visit.at,
            document=found.name,
            canonical=found.canonical,
            partner=found.facts.get("partner"),
            number=found.number,
            direction=OUTBOUND if found.outbound else None,
            terms=kept_terms(visit.terms_known, entry, visit.at),
        )
        self._runtime.metrics.read.labels(arrival.source, found.kind).inc()

    def _copy(self, snapshot: Snapshot, visit: Visit, found: DocumentFound, match: Match, placing: Placing) -> None:
        """The copy for one route that matched; what its guards can't decide is dead at once."""
        route = match.route.id
        copy = found.copy(snapshot, visit, route, match.destinations or match.route.destinations)
        if visit.parent:
            copy = copy.with_headers(hub_parent=visit.parent)
        if match.error is not None:
            self._dead_ends.bury(route, copy, match.error, placing)
        elif match.destinations:
            placing.copy(match.route, copy)
            self._runtime.metrics.matched.labels(route).inc()


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


def offer(visit: Visit, found: DocumentFound) -> tuple[str, Message]:
    """The document for whoever subscribes to the feed of documents: its key and the message."""
    message = Message(found.id, found.body, JSON, {Header.HOPS: visit.hops}, visit.correlation_id, None, found.name)
    return f"{found.kind}.received.{found.facts.get('partner') or '-'}", message


def matched(
    snapshot: Snapshot, visit: Visit, reading: Reading, matches: list[Match], found: DocumentFound
) -> dict[str, Any]:
    """What the journal keeps of a decision: the site's version, the facts, the routes and their destinations, and what
    a copy is made of again beside these. A correlation id that is the document's own is left out."""
    correlation = {} if visit.correlation_id == found.id else {"correlation_id": visit.correlation_id}
    return {
        "table": snapshot.version,
        **({"name": visit.arrival.name} if visit.arrival.name else {}),
        FACTS: record_facts(found.facts),
        "routes": {match.route.id: list(match.destinations) for match in matches},
        **({"warnings": list(reading.warnings[:20])} if reading.warnings else {}),
        **({"parent": visit.parent} if visit.parent else {}),
        COPY: {"hops": visit.hops, **correlation},
    }
