"""What we would answer to an X12 file: acknowledgments as documents, and as the interchanges that carry them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from hub.core.agreement import Acknowledge, AcknowledgmentSet, Agreement, InterchangeId, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body
from hub.documents import Document
from hub.documents.interchange_acknowledgment import InterchangeAcknowledgment
from transformers.x12.delimiters import InterchangeHeader
from transformers.x12.envelope import events
from transformers.x12.interchange import Envelope, bare_interchange_text, segment_text
from transformers.x12.progress import agreement_for
from transformers.x12.reader import X12Reader
from transformers.x12.rendering import Rendered
from transformers.x12.writer import VERSION, write_interchange


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgment, and by whose terms it goes out."""

    document: Document
    agreement: Agreement
    test: bool

    def x12(self, control_number: int, at: datetime) -> bytes:
        """The interchange that carries it. Raises MappingError."""
        if isinstance(self.document, InterchangeAcknowledgment):
            return _bare(self.document, self.agreement, control_number, at, self.test)
        return write_interchange([self.document], self.agreement, control_number, at, test=self.test).body


def answers(
    body: Body, partners: PartnerDirectory, given: Agreement | None = None, with_set: AcknowledgmentSet | None = None
) -> Iterator[Answer]:
    """One for each group that isn't itself an acknowledgment, and a TA1 for an interchange where one is due. Terms are those of
    `given`, else of the sender's agreement, else what the file says of itself."""
    terms = list(_terms(body, partners, given, with_set))
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
        agreement = replace(agreement, version=version if version[:6].isdecimal() else VERSION)
        document = reading.document.model_copy(update={"partner": agreement.partner or None})
        yield Answer(document, agreement, isa[15] == "T")


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


def _separators(header: InterchangeHeader, agreed: Agreement) -> Separators:
    """Those of the file, but for those that the agreement says."""
    own, marks = agreed.separators, header.delimiters
    if "delimiters" in agreed.stated:
        return own
    element, component, terminator = (b.decode("latin-1") for b in (marks.element, marks.component, marks.terminator))
    free = (c for c in (marks.repetition.decode("latin-1"), own.repetition, "!") if c and c not in (element, component))
    return Separators(element, component, next(free), terminator)


def _bare(
    document: InterchangeAcknowledgment, agreement: Agreement, control_number: int, at: datetime, test: bool
) -> bytes:
    """A TA1 in an interchange without groups."""
    envelope = Envelope(agreement, "", agreement.version or VERSION, control_number, at, test)
    day = f"{document.date:%y%m%d}" if document.date else ""
    segment = Rendered(["TA1", document.number, day, document.time or "", document.status, document.note])
    text = bare_interchange_text([segment_text(segment, agreement.separators)], envelope)
    return text.encode("latin-1", "replace")
