"""What becomes of a reading: its rows, a copy for each route that takes it, or the end that it comes to."""

from __future__ import annotations

from typing import Any

from hub.core.identity import message_id
from hub.core.message import JSON, Header, Message
from hub.core.ports import Reading
from hub.core.routing.facts import OUTBOUND
from hub.core.routing.recorded_facts import record_facts
from hub.core.routing.route_table import Match
from hub.core.stage import Stage
from hub.journal.commit.claims import StoredClaim
from hub.journal.copies.open_copies import COPY
from hub.journal.deliveries.decided import FACTS
from hub.runtime.copy import LARGEST_BODY
from hub.runtime.intake.acknowledgments import Acknowledgments
from hub.runtime.intake.arrival_reader import Visit
from hub.runtime.intake.arrival_terms import kept_terms
from hub.runtime.intake.dead_ends import DeadEnds
from hub.runtime.intake.document_found import DocumentFound
from hub.runtime.intake.remainder import MOST_LETTERS, REST
from hub.runtime.intake.source_steps import SteppedReading
from hub.runtime.placing import Placing
from hub.runtime.position import position_text
from hub.runtime.runtime import Runtime, Snapshot
from hub.runtime.steps.recorded_notes import record_note


class Router:
    """Asks the route table, and decides what is placed. It writes and publishes nothing."""

    def __init__(self, runtime: Runtime, acknowledgments: Acknowledgments) -> None:
        self._runtime = runtime
        self._acknowledgments = acknowledgments
        self._dead_ends = DeadEnds(runtime)

    def route(self, snapshot: Snapshot, visit: Visit, passed: SteppedReading) -> Placing:
        """Of one reading, also of one that is refused."""
        reading = passed.reading
        position = position_text(reading.position)
        if passed.found is None and position and visit.letters >= MOST_LETTERS and not position.startswith(REST):
            visit.remainder.add(reading)
            visit.refused += 1
            return Placing()
        found = passed.found
        id = message_id(visit.claim.digest, reading.position, visit.arrival.identity) if found is None else found.id
        placing = Placing(story=f"{id} {snapshot.version}")
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
            self.match(snapshot, visit, found, reading, position, placing)
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

    def match(
        self,
        snapshot: Snapshot,
        visit: Visit,
        found: DocumentFound,
        reading: Reading,
        position: str,
        placing: Placing,
    ) -> None:
        """Adds the rows of a document, and its copy for each route that takes it; what no route takes rests as
        unmatched."""
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
