"""A document that was read from an arrival, with all that its copies carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.core.errors import DecodeError
from hub.core.identity import digest
from hub.core.message import Message
from hub.core.ports import Arrival, Reading
from hub.core.record import record
from hub.core.routing.facts import LONGEST_FACT, OUTBOUND, FactSet, check_lengths
from hub.documents import ACKNOWLEDGMENTS, Document, document_name, from_json, to_json
from hub.runtime.copy import make_copy, pack_facts
from hub.runtime.intake.arrival_terms import known_facts, pack_terms

if TYPE_CHECKING:
    from hub.runtime.intake.arrival_reader import Visit
    from hub.runtime.runtime import Snapshot

MOST_FACTS = 1 << 16
"""Bytes that the facts of a document may have when packed. All headers of a copy together must fit one AMQP frame of
128 KB."""


@record
class DocumentFound:
    """`name` is order@1, `body` the canonical form and `canonical` its digest, `packed` the facts as copies carry them.
    `number`, `partner` and `keys` are the document's own. `outbound`: it answers what came in, and goes out. `read`:
    the document, where this process has read it."""

    id: str
    name: str
    number: str
    partner: str | None
    keys: tuple[tuple[str, str], ...]
    facts: Mapping[str, Any]
    body: bytes
    canonical: str
    packed: str
    outbound: bool
    read: Document | None = None

    @property
    def kind(self) -> str:
        return self.name.partition("@")[0]

    @property
    def acknowledges(self) -> bool:
        """Whether it acknowledges what was sent."""
        return self.kind in ACKNOWLEDGMENTS

    def document(self) -> Document:
        return self.read if self.read is not None else from_json(self.body)

    def copy(self, snapshot: Snapshot, visit: Visit, route: str, send: Sequence[str]) -> Message:
        """Its copy for a route; with neither route nor destinations it is the one that rests as unmatched."""
        return make_copy(
            document=self.name,
            document_id=self.id,
            body=self.body,
            canonical=self.canonical,
            route=route,
            send=send,
            facts=self.packed,
            table=snapshot.version,
            source=visit.arrival.source,
            correlation_id=visit.correlation_id,
            hops=visit.hops,
            again=visit.arrival.offered_again,
        )


def document_found(facts_of: FactSet, arrival: Arrival, reading: Reading, id: str) -> DocumentFound:
    """Of a reading that has a document. Raises DecodeError when a fact or a key of it is too long to travel in headers,
    or says nothing of its type."""
    document = reading.document
    assert document is not None  # noqa: S101  (the caller looked)
    facts, body = facts_of.of(document, known_facts(arrival, reading), arrival.source), to_json(document)
    packed = pack_facts(facts)
    if len(packed) > LONGEST_FACT:  # else none of them is longer
        check_lengths(facts.items())
    check_lengths((*document.keys, *reading.keys, *arrival.keys, *arrival.facts.items()))
    for what, text in (("the facts of the document", packed), ("what its source knows of it", pack_terms(arrival))):
        if len(text) > MOST_FACTS // 4 and (size := len(text.encode())) > MOST_FACTS:
            raise DecodeError(f"{what} take {size} bytes, at most {MOST_FACTS} fit the headers of a message")
    return DocumentFound(
        id=id,
        name=document_name(document),
        number=document.number,
        partner=document.partner,
        keys=document.keys,
        facts=facts,
        body=body,
        canonical=digest(body),
        packed=packed,
        outbound=reading.envelope.get("direction") == OUTBOUND,
        read=document,
    )
