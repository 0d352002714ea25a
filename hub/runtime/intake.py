"""The intake: from an arrival to one confirmed copy per matched route. The source is acknowledged after that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from hub.core import topology
from hub.core.errors import DecodeError, EndpointError, HubError, JournalUnavailable, TransientError
from hub.core.facts import ENVELOPE
from hub.core.identity import digest, message_id
from hub.core.message import JSON, Header, Message
from hub.core.ports import Arrival, BytesBody, Reading, Taken
from hub.core.route_table import Match
from hub.documents import from_json
from hub.journal.claims import StoredClaim
from hub.journal.entry import Entry
from hub.runtime.acknowledgments import KINDS, OUTBOUND, Acknowledgments, Answer
from hub.runtime.arrival_reader import WINDOW, ArrivalReader, Visit
from hub.runtime.arrival_terms import TERMS, belied, known, with_terms
from hub.runtime.copy import CANONICAL, LARGEST_BODY, number, unpack_facts
from hub.runtime.document_found import DocumentFound, document_found
from hub.runtime.guard import result_of
from hub.runtime.live import Live, Snapshot
from hub.runtime.passing import Passed, passed
from hub.runtime.resting import Resting
from hub.runtime.steps import joined, wanted


class Intake:
    """Takes arrivals. Safe to call from many tasks; taking the same bytes again gives the same messages."""

    def __init__(self, live: Live, acknowledgments: Acknowledgments) -> None:
        self._live = live
        self._acknowledgments = acknowledgments
        self._reader = ArrivalReader(live)
        self._resting = Resting(live)

    async def take(self, arrival: Arrival, *, only: str | None = None, parent: str | None = None) -> Taken:
        """Claims, reads, matches, publishes, records; returns when all copies are confirmed and all rows committed.

        `only` restricts it to one position (a replayed part), `parent` is the dead letter it came from. Raises
        TransientError or JournalUnavailable when that was not possible: nothing may be acknowledged then. HubError where there is
        nothing at the position `only` any more.
        """
        live, snapshot = self._live, self._live.snapshot
        started = live.clock()
        with live.metrics.in_flight.labels("intake").track_inprogress():
            visit = await self._reader.claim(arrival, started)
            visit.only, visit.parent = only, parent
            async for reading in self._reader.readings(snapshot, visit):
                if wanted(only, joined(reading.position), part=True):
                    visit.answer = await self._answer(snapshot, visit, reading)
                    for passed in await self._passed(snapshot, visit, reading):
                        self._route_safely(snapshot, visit, passed)
                    if len(visit.waiting) >= 3 * WINDOW:
                        await settle(visit.waiting)
            if not visit.documents and not visit.refused and not visit.answers:
                if only is not None:
                    await settle(visit.waiting)
                    raise HubError(visit.cause or f"there is nothing at {only} any more")
                nothing = Reading((), error=DecodeError("there is no document in it"))
                self._route(snapshot, visit, Passed(nothing))
            await settle(visit.waiting)
        live.metrics.received.labels(arrival.source).inc()
        live.metrics.stage.labels("intake").observe(live.clock() - started)
        return Taken(visit.documents, visit.refused, visit.cause, visit.told)

    async def again(self, message: Message, parent: str) -> None:
        """Matches an unmatched document again, against the table in force now."""
        live, snapshot, headers = self._live, self._live.snapshot, message.headers
        document = from_json(message.body)
        told = unpack_facts(headers)
        envelope = {
            name: told[name]
            for name in (*ENVELOPE, "partner", "test", "direction", "part")
            if told.get(name) is not None
        }
        claim = StoredClaim(str(headers.get(CANONICAL) or digest(message.body)), len(message.body), message.body)
        visit = Visit(
            with_terms(Arrival(str(headers.get(Header.SOURCE, "")), BytesBody(message.body)), headers.get(TERMS)),
            *(
                claim,
                message.correlation_id or message.id,
                number(headers.get(Header.HOPS), 1),
                live.clock(),
                message.body,
            ),
            parent=parent,
        )
        reading, entry = Reading((), document, envelope=envelope), Entry()
        visit.answer = await self._answer(snapshot, visit, reading)
        self._match(snapshot, visit, reading, message.id, "", entry)
        self._commit(visit, entry)
        await settle(visit.waiting)

    async def _answer(self, snapshot: Snapshot, visit: Visit, reading: Reading) -> Answer | None:
        """What an acknowledgment answers. Raises TransientError and JournalUnavailable, after everything before it has been waited
        for."""
        document = reading.document
        if document is None or document.kind not in KINDS:
            return None
        facts = snapshot.facts.of(document, known(visit.arrival, reading), visit.arrival.source)
        try:
            return await self._acknowledgments.find(document, facts)
        except (TransientError, JournalUnavailable):
            await settle(visit.waiting)
            raise

    async def _passed(self, snapshot: Snapshot, visit: Visit, reading: Reading) -> list[Passed]:
        """What the steps of the source make of a reading. Raises as `_answer` does."""
        lie = belied(visit.arrival, reading)
        if lie is not None:
            return [Passed(replace(reading, document=None, error=lie))]
        steps, document = snapshot.steps.get(visit.arrival.source), reading.document
        if not steps or document is None or document.kind in KINDS or reading.envelope.get("direction") == OUTBOUND:
            return [Passed(reading)]
        try:
            found = await passed(steps, snapshot, visit, reading)
        except (TransientError, JournalUnavailable):
            await settle(visit.waiting)
            raise
        if visit.only in (None, joined(reading.position)):
            return found
        there = [one for one in found if joined(one.reading.position) == visit.only]
        if not there:
            visit.cause = next((str(one.reading.error) for one in found if one.reading.error is not None), "")
        return there

    def _commit(self, visit: Visit, entry: Entry) -> None:
        committed = self._live.journal.commit(entry)
        if entry.acknowledgments:
            committed.add_done_callback(lambda _: self._acknowledgments.count(entry))
        visit.waiting.append(committed)

    def _route_safely(self, snapshot: Snapshot, visit: Visit, passed: Passed) -> None:
        """What nobody foresaw about one document ends that document, with its cause, and not the arrival."""
        error = result_of(lambda: self._route(snapshot, visit, passed))
        if error is not None:
            self._live.log.error("unforeseen", source=visit.arrival.source, name=visit.arrival.name, exc_info=error)
            cause = DecodeError("it could not be taken: the hub failed on it, and has said how in its log")
            self._route(snapshot, visit, Passed(Reading(passed.reading.position, error=cause)))

    def _route(self, snapshot: Snapshot, visit: Visit, passed: Passed) -> None:
        """Publishes the copies of one reading and writes its rows; both are waited for later, by `settle`."""
        reading = passed.reading
        position = joined(reading.position)
        id = message_id(visit.claim.digest, reading.position, visit.arrival.identity)
        entry = Entry()
        if not visit.documents and not visit.refused:
            entry.claim(visit.claim.digest, visit.claim.size, visit.claim.row, visit.at)
        for kind, value in (*reading.keys, *visit.arrival.keys):
            entry.key(value, kind, id)
        for step, outcome in passed.said:
            entry.event(id, self._live.clock(), "step", text=f"{step}: {outcome}", detail={"step": step})
        if reading.document is None:
            visit.told = visit.told or ("" if passed.said else str(reading.error))
            self._resting.refuse(visit, reading, id, position, entry)
        elif passed.filtered:
            self._end(snapshot, visit, reading, id, position, entry)
        else:
            self._match(snapshot, visit, reading, id, position, entry)
        self._commit(visit, entry)

    def _end(self, snapshot: Snapshot, visit: Visit, reading: Reading, id: str, position: str, entry: Entry) -> None:
        """A document that a step of its source has filtered out: it is kept, and goes nowhere."""
        found = document_found(snapshot, visit, reading, id)
        visit.documents += 1
        self._keep(visit, found, position, entry)
        entry.event(id, self._live.clock(), "filtered")

    def _match(self, snapshot: Snapshot, visit: Visit, reading: Reading, id: str, position: str, entry: Entry) -> None:
        found = document_found(snapshot, visit, reading, id)
        visit.answers += found.outbound
        visit.documents += not found.outbound
        read_at = self._live.clock()
        self._keep(visit, found, position, entry)
        matches = list(snapshot.table.match(found.facts))
        taken = [match for match in matches if not match.unmatched]
        for match in taken:
            self._publish(snapshot, visit, found, match)
        answer = visit.answer
        if answer is not None and answer.number is not None:
            self._acknowledgments.record(snapshot, answer, found.document, found.facts, id, entry)
        elif len(taken) < len(matches) or not taken:
            cause = (
                answer.cause
                if answer is not None and len(taken) == len(matches)
                else snapshot.table.nearest(found.facts)
            )
            self._resting.unmatched(snapshot, visit, found, cause, entry)
        if taken:
            detail = {"read": read_at, **matched(snapshot, visit, reading, taken)}
            entry.event(id, self._live.clock(), "matched", detail=detail)
        if not found.outbound:
            self._offer(visit, found)

    def _keep(self, visit: Visit, found: DocumentFound, position: str, entry: Entry) -> None:
        """The rows by which the document is found again."""
        document, arrival = found.document, visit.arrival
        if len(found.body) > LARGEST_BODY:
            kept = self._live.journal.claims.keep(found.body)
            entry.claim(kept.digest, kept.size, kept.row, visit.at)
        elif found.canonical != visit.claim.digest:
            entry.claim(found.canonical, len(found.body), found.body, visit.at)
        for kind, value in document.keys:
            entry.key(value, kind, found.id)
        entry.key(found.id, "message", found.id)
        if arrival.name:
            entry.key(arrival.name, "name", found.id)
        entry.message(
            *(found.id, arrival.source, arrival.name, visit.claim.digest, position, visit.at),
            document=found.name,
            canonical=found.canonical,
            partner=found.facts.get("partner"),
            number=document.number,
            direction=OUTBOUND if found.outbound else None,
        )
        self._live.metrics.read.labels(arrival.source, document.kind).inc()

    def _publish(self, snapshot: Snapshot, visit: Visit, found: DocumentFound, match: Match) -> None:
        """The copy for one route that matched; what its guards can't decide is dead at once."""
        route = match.route.id
        copy = found.copy(snapshot, visit, route, match.destinations or match.route.destinations)
        if visit.parent:
            copy = copy.with_headers(hub_parent=visit.parent)
        if match.error is not None:
            visit.waiting.append(self._resting.bury(route, copy, match.error))
        elif match.destinations:
            visit.waiting.append(self._live.broker.publish("", topology.route_queue(route), copy))
            self._live.metrics.matched.labels(route).inc()

    def _offer(self, visit: Visit, found: DocumentFound) -> None:
        """Offers the document to whoever subscribes. Nobody waits for it, and its failure holds nobody up."""
        message = Message(found.id, found.body, JSON, {Header.HOPS: visit.hops}, visit.correlation_id, None, found.name)
        key = f"{found.document.kind}.received.{found.facts.get('partner') or '-'}"
        offered = asyncio.ensure_future(self._live.broker.publish(topology.DOCUMENTS, key, message, mandatory=False))
        offered.add_done_callback(forget)


def matched(snapshot: Snapshot, visit: Visit, reading: Reading, matches: list[Match]) -> dict[str, Any]:
    """What the journal keeps of a decision: the table's version, the routes and their destinations."""
    return {
        "table": snapshot.table.version,
        "source": visit.arrival.source,
        "name": visit.arrival.name,
        "routes": {match.route.id: list(match.destinations) for match in matches},
        **({"warnings": list(reading.warnings[:20])} if reading.warnings else {}),
        **({"parent": visit.parent} if visit.parent else {}),
    }


async def settle(waiting: list[Awaitable[None]]) -> None:
    """Waits for all of them, and raises the first error only then: nothing goes on behind the caller's back."""
    first: HubError | None = None
    for awaitable in waiting:
        try:
            await awaitable
        except EndpointError as error:
            first = first or error
    waiting.clear()
    if first is not None:
        raise first


def forget(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
