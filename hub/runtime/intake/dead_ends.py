"""Where things rest that go nowhere: what can't be read, what no route takes, what a guard can't decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from hub.core.errors import ConditionError, DecodeError
from hub.core.identity import digest
from hub.core.message import Header, Message
from hub.core.ports import Arrival, Reading
from hub.core.routing.facts import LONGEST_FACT
from hub.core.routing.recorded_facts import record_facts
from hub.core.stage import Stage
from hub.journal.commit.bulk import DEAD
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.decided import FACTS
from hub.runtime.copy import pack_facts
from hub.runtime.intake.arrival_reader import Visit
from hub.runtime.intake.arrival_terms import LONGEST_TERMS, kept_terms, pack_terms, text_claim
from hub.runtime.intake.document_found import DocumentFound
from hub.runtime.intake.remainder import REST
from hub.runtime.intake.unreadable_place import place_of
from hub.runtime.placing import Placing
from hub.runtime.recovery.dead_letter import UNMATCHED, DeadLetter, Grave
from hub.runtime.runtime import Runtime, Snapshot


class DeadEnds:
    """Makes the rows and the messages; the intake commits and publishes them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def refuse(self, visit: Visit, reading: Reading, id: str, position: str, placing: Placing) -> None:
        """The source's dead letters: a part of an arrival that is no document, or none that may go on."""
        runtime, arrival = self._runtime, visit.arrival
        error = reading.error or DecodeError("the reader gave neither a document nor an error")
        visit.refused += not position.startswith(REST)
        visit.letters += 1
        visit.cause = visit.cause or str(error)
        envelope = {name: _short(value) for name, value in reading.envelope.items() if value is not None}
        _record(visit, envelope, error, id, position, runtime.clock(), placing.entry)
        message = _letter(visit, envelope, error, id, position, runtime.clock(), placing)
        self._rest(Grave.of_source(arrival.source), message, visit.claim.digest, placing)
        runtime.metrics.unreadable.labels(arrival.source).inc()
        runtime.log.warning(
            "unreadable",
            message_id=id,
            correlation_id=visit.correlation_id,
            source=arrival.source,
            name=arrival.name,
            error=str(error),
        )

    def bury(self, route: str, copy: Message, error: ConditionError, placing: Placing) -> None:
        """The route's dead letters: a copy whose guard failed."""
        message = copy.with_headers(
            hub_error=type(error).__name__, hub_error_text=str(error)[:4000], hub_dead_at=self._runtime.clock()
        )
        self._rest(Grave.of_route(route), message, str(message.headers[Header.CANONICAL]), placing)

    def unmatched(self, snapshot: Snapshot, visit: Visit, found: DocumentFound, cause: str, placing: Placing) -> None:
        runtime, source = self._runtime, visit.arrival.source
        copy = found.copy(snapshot, visit, "", ()).with_headers(
            hub_error="Unmatched", hub_error_text=cause[:4000], hub_parent=visit.parent, hub_dead_at=runtime.clock()
        )
        copy = copy.with_headers(hub_terms=pack_terms(visit.arrival) or None)
        self._rest(UNMATCHED, copy, found.canonical, placing)
        detail = {"table": snapshot.version, FACTS: record_facts(found.facts)}
        placing.entry.event(found.id, runtime.clock(), Stage.UNMATCHED, text=cause, detail=detail)
        runtime.metrics.unmatched.labels(source).inc()
        runtime.log.warning("unmatched", message_id=found.id, correlation_id=visit.correlation_id, cause=cause)

    def _rest(self, grave: Grave, message: Message, body: str, placing: Placing) -> None:
        """Its row is committed with what was decided, so that it is found also where the queue is lost before the
        keeper has looked.
        `body`: the claim that its entry, or an earlier one of the arrival, keeps."""
        runtime = self._runtime
        placing.place(grave.queue, message)
        placing.entry.add(DEAD, DeadLetter.of(message, grave, body, runtime.snapshot, runtime.clock()).row())


def _record(
    visit: Visit, envelope: Mapping[str, Any], error: DecodeError, id: str, position: str, now: float, entry: Entry
) -> None:
    """The rows by which people find a part that is no document."""
    arrival = visit.arrival
    partner = arrival.partner or str(envelope.get("partner") or arrival.facts.get("partner") or "")
    entry.message(
        id,
        arrival.source,
        arrival.name,
        visit.claim.digest,
        position,
        visit.at,
        partner=partner or None,
        number=str(envelope.get("number") or "") or None,
        terms=kept_terms(visit.terms_known, entry, visit.at),
    )
    for kind, value in keys_of(visit, envelope):
        entry.key(value, kind, id)
    detail = {"source": arrival.source, "name": arrival.name, **envelope, "place": place_of(error)}
    entry.event(id, now, Stage.UNREADABLE, text=str(error), detail=detail)


def _letter(
    visit: Visit, envelope: Mapping[str, Any], error: DecodeError, id: str, position: str, now: float, placing: Placing
) -> Message:
    """Its dead letter, with all that reading it again needs."""
    arrival = visit.arrival
    covers = visit.remainder.covers if position.startswith(REST) else b""
    if covers:
        placing.large.append(covers)
    headers = {
        Header.SOURCE: arrival.source,
        Header.RAW: visit.claim.digest,
        Header.POSITION: position,
        Header.ERROR: type(error).__name__,
        Header.ERROR_TEXT: str(error)[:4000],
        Header.FACTS: pack_facts(envelope),
        Header.DEAD_AT: now,
        Header.NAME: arrival.name,
        Header.PLACE: orjson.dumps(place_of(error)).decode(),
        **({Header.COVERS: digest(covers)} if covers else {}),
        **({Header.PARENT: visit.parent} if visit.parent else {}),
        **_terms(arrival, placing.entry, visit.at),
    }
    body = visit.raw if visit.raw is not None and not position else b""
    return Message(id, body, content_type(arrival), headers, visit.correlation_id)


def keys_of(visit: Visit, envelope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By what people look for a part that is no document: its number, that of the document which it answers, its
    correlation."""
    headers = visit.arrival.headers
    for kind, value in (("number", envelope.get("number")), ("in_reply_to", headers.get(Header.ANSWERS))):
        if value:
            yield kind, str(value)
    if headers.get("correlation_id"):
        yield "correlation", visit.correlation_id


def content_type(arrival: Arrival) -> str:
    found = arrival.headers.get("content_type")
    return found[:200] if isinstance(found, str) and found else "application/octet-stream"


def _short(value: Any) -> Any:
    """A fact of what could not be read, so long as headers carry it."""
    return value[:LONGEST_FACT] if isinstance(value, str) else value


def _terms(arrival: Arrival, entry: Entry, at: float) -> dict[str, str]:
    """The header that keeps what the source knows beside the bytes. What is too long for a header is kept as a
    claim."""
    terms = pack_terms(arrival)
    if len(terms) <= LONGEST_TERMS:
        return {Header.TERMS: terms} if terms else {}
    claim = text_claim(terms)
    entry.claim(claim, at)
    return {Header.TERMS_CLAIM: claim.digest}
