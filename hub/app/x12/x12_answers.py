"""What we would answer to an X12 file: acknowledgments as documents, and as the interchanges that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hub.core.agreement import Acknowledge, AcknowledgmentSet, Agreement, InterchangeId, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body
from hub.documents import Document
from hub.documents.acknowledgments.interchange_acknowledgment import InterchangeAcknowledgment
from transformers.x12.envelope.delimiters import NO_COMPONENT_SEPARATOR, InterchangeHeader
from transformers.x12.envelope.scan import events
from transformers.x12.reading.progress import agreement_for
from transformers.x12.reading.reader import X12Reader
from transformers.x12.writing.writer import VERSION, write_interchange

_LINES = re.compile(rb"(\r?\n)(?:GS|TA1|IEA)[^0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class X12Answer:
    """An acknowledgment, and by whose terms it goes out."""

    document: Document
    agreement: Agreement
    version: str
    test: bool

    def x12(self, control_number: int, at: datetime) -> bytes:
        """The interchange that carries it. Raises MappingError."""
        written = write_interchange(
            [self.document], self.agreement, control_number, at, test=self.test, version=self.version
        )
        return written.body


def answers(
    body: Body, partners: PartnerDirectory, given: Agreement | None = None, with_set: AcknowledgmentSet | None = None
) -> Iterator[X12Answer]:
    """One for each group that isn't itself an acknowledgment, and a TA1 for an interchange where one is due. Terms are
    those of `given`, else of the sender's agreement, else what the file says of itself."""
    newline = _newline(body)
    terms = [(isa, _with_newline(a, newline)) for isa, a in _terms(body, partners, given, with_set)]
    senders = {(isa[5], isa[6], isa[15] == "T"): agreement for isa, agreement in terms}
    reader = X12Reader(
        PartnerDirectory(
            replace(agreement, partner=str(number), ids=(InterchangeId(*sender),))
            for number, (sender, agreement) in enumerate(senders.items())
        )
    )
    for reading in reader.read(body):
        if reading.document is None or reading.envelope.get("direction") != "outbound":
            continue
        isa, agreement = terms[int(reading.position[0]) - 1]
        version = str(reading.envelope["version"])
        document = reading.document.model_copy(update={"partner": agreement.partner or None})
        if isinstance(document, InterchangeAcknowledgment) and document.note == NO_COMPONENT_SEPARATOR:
            agreement = replace(agreement, separators=(given or Agreement("", ())).separators)
        yield X12Answer(document, agreement, version if version[:6].isdecimal() else VERSION, isa[15] == "T")


def _terms(
    body: Body, partners: PartnerDirectory, given: Agreement | None, with_set: AcknowledgmentSet | None
) -> Iterator[tuple[tuple[str, ...], Agreement]]:
    """The ISA of each interchange, and the terms by which it is answered."""
    header: InterchangeHeader | None = None
    group: tuple[str, ...] = ()
    for event in events(body):
        if event.kind in ("ISA", "end"):
            if header is not None:
                yield header.elements, _of(header, group, given or agreement_for(header.elements, partners), with_set)
            header, group = event.header, ()
        elif event.kind == "GS" and not group:
            group = event.elements


def _of(
    header: InterchangeHeader, group: tuple[str, ...], agreed: Agreement | None, with_set: AcknowledgmentSet | None
) -> Agreement:
    """The agreement, and what it doesn't say as the interchange says it."""
    isa = header.elements
    base = agreed or Agreement("", ())
    terms = base.acknowledge or Acknowledge()
    gs = [*group, "", "", "", ""]
    return replace(
        base,
        ids=base.ids or (InterchangeId(isa[5], isa[6]),),
        we=base.we or InterchangeId(isa[7], isa[8]),
        group_we=base.group_we or (None if base.we else gs[3]) or None,
        group_they=base.group_they or (None if base.ids else gs[2]) or None,
        separators=_separators(header, base),
        acknowledge=replace(terms, with_set=with_set or terms.with_set),
    )


def _newline(body: Body) -> Literal["", "\n", "\r\n"]:
    """What stands between the segments of the file beside their terminator."""
    found = _LINES.search(next(body.chunks(1024), b""))
    if found is None:
        return ""
    return "\r\n" if found[1] == b"\r\n" else "\n"


def _with_newline(agreement: Agreement, newline: Literal["", "\n", "\r\n"]) -> Agreement:
    own = agreement.separators
    if "delimiters" in agreement.stated or own.terminator in ("\r", "\n"):
        return agreement
    return replace(agreement, separators=replace(own, newline=newline))


def _separators(header: InterchangeHeader, agreed: Agreement) -> Separators:
    """Those of the file, but for those that the agreement says, and for bytes that are no character of ASCII: in UTF-8
    they would be two."""
    own, marks = agreed.separators, header.delimiters
    if "delimiters" in agreed.stated:
        return own
    chosen: list[str] = []
    for theirs, ours in (
        (marks.element, own.element),
        (marks.component, own.component),
        (marks.repetition, own.repetition),
        (marks.terminator, own.terminator),
    ):
        wanted = [theirs.decode("ascii")] if theirs.isascii() else []
        kept = {mark.decode("latin-1") for mark in (marks.element, marks.component, marks.repetition, marks.terminator)}
        free = [mark for mark in (ours, *"*>^~!|") if mark not in kept and mark not in chosen]
        chosen.append(next(mark for mark in (*wanted, *free) if mark and mark not in chosen))
    element, component, repetition, terminator = chosen
    return Separators(element, component, repetition, terminator)
