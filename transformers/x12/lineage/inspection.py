"""What is in a body, for people: interchanges, groups and transactions in their order, each with its verdict and with
all that is wrong with it. The reader yields documents; this yields what stands around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hub.core.agreement import Agreement
from hub.core.errors import DecodeError
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body
from transformers.x12.acknowledging.acknowledging import envelope_note
from transformers.x12.envelope.delimiters import NO_COMPONENT_SEPARATOR, Delimiters, InterchangeHeader
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.numbers import SeenNumbers
from transformers.x12.envelope.scan import events
from transformers.x12.envelope.verdict import judge
from transformers.x12.finding import SegmentFinding
from transformers.x12.reading.membership import as_member, repeated_group
from transformers.x12.reading.progress import agreement_for, misaddressed
from transformers.x12.reading.transaction import NOBODY, Transaction, read_transaction

Status = Literal["accepted", "accepted_with_errors", "rejected"]


@dataclass(frozen=True, slots=True)
class InterchangeSeen:
    """The ISA (`elements[0]` is `ISA`). `refusal`: why all of the interchange is refused."""

    number: int
    elements: tuple[str, ...]
    delimiters: Delimiters
    agreement: Agreement
    refusal: SegmentFinding | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """The GS; no elements where transactions stand without one. `refusal`: why all of the group is refused."""

    number: int
    elements: tuple[str, ...]
    refusal: SegmentFinding | None

    def element(self, position: int) -> str:
        return self.elements[position] if position < len(self.elements) else ""


@dataclass(frozen=True, slots=True)
class TransactionSeen:
    """A transaction. `number` counts those of the body, from 1; `findings` are its own: where its group or interchange
    is refused, it is rejected without any."""

    number: int
    event: Event
    delimiters: Delimiters
    version: str
    agreement: Agreement
    read: Transaction
    status: Status
    findings: tuple[SegmentFinding, ...]


@dataclass(frozen=True, slots=True)
class AcknowledgmentSeen:
    """A TA1 that stands in the interchange."""

    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stray:
    """What belongs to nothing, in a group, an interchange or the body."""

    level: Literal["group", "interchange", "body"]
    finding: SegmentFinding


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a group or an interchange."""

    level: Literal["group", "interchange"]


Seen = InterchangeSeen | GroupSeen | TransactionSeen | AcknowledgmentSeen | Stray | Closed


def inspect(body: Body, partners: PartnerDirectory, agreement: Agreement | None = None) -> Iterator[Seen]:
    """Two passes over the body; memory is bounded by its largest transaction. `agreement`: by whose terms everything is
    judged; without it by those of each sender. Every group and interchange that is seen is closed."""
    return _Inspection(body, partners, agreement).run()


class _Inspection:
    def __init__(self, body: Body, partners: PartnerDirectory, agreement: Agreement | None) -> None:
        self._body = body
        self._partners = partners
        self._given = agreement
        self._verdict = judge(events(body))
        self._header: InterchangeHeader | None = None
        self._agreement = NOBODY
        self._group: GroupSeen | None = None
        self._interchanges = self._groups = self._inside = self._transactions = self._in_group = self._junk = 0
        self._numbers = SeenNumbers()
        self._group_numbers = SeenNumbers()
        self._warnings: tuple[str, ...] = ()

    def run(self) -> Iterator[Seen]:
        for event in events(self._body):
            match event.kind:
                case "ISA":
                    yield from self._close()
                    yield self._open(event)
                case "GS":
                    yield from self._close_group()
                    yield self._open_group(event)
                case "ST":
                    yield from self._transaction(event)
                case "GE" if self._group is None:
                    text = "found GE without a group"
                    yield self._stray(
                        replace(event, error=DecodeError(text, segment="GE", offset=event.offset, code="022"))
                    )
                case "GE":
                    yield from self._close_group()
                case "TA1":
                    self._inside += 1
                    yield AcknowledgmentSeen(event.elements)
                case "junk" if event.error is not None:
                    yield self._stray(event)
                case "IEA":
                    yield from self._close()
                case _:
                    pass
        yield from self._close()
        if not self._interchanges and not self._junk:
            what = "blank" if self._body.size else "empty"
            yield Stray("body", SegmentFinding("024", "ISA", 0, f"found no interchange: the file is {what}", offset=0))

    def _open(self, event: Event) -> InterchangeSeen:
        assert event.header is not None  # noqa: S101 - an ISA has one
        self._interchanges += 1
        self._groups = self._inside = 0
        self._group_numbers = SeenNumbers()
        self._header = event.header
        isa = event.header.elements
        self._agreement = self._given or agreement_for(isa, self._partners) or NOBODY
        note = envelope_note(isa)
        warnings = (*event.header.warnings, *((note[1],) if note else ()), *_misaddressed(isa, self._agreement))
        refusal = self._verdict.interchanges.get(self._interchanges)
        found = finding_of(refusal) if refusal else None
        return InterchangeSeen(
            self._interchanges, isa, event.header.delimiters, self._agreement, found, tuple(warnings)
        )

    @property
    def _misread(self) -> bool:
        """Whether nothing that is found within the interchange is true, because its separators aren't."""
        refusal = self._verdict.interchanges.get(self._interchanges)
        return refusal is not None and refusal.x12_code == NO_COMPONENT_SEPARATOR

    def _open_group(self, event: Event) -> GroupSeen:
        self._groups += 1
        self._inside += 1
        self._in_group = 0
        self._numbers = SeenNumbers()
        self._warnings = ()
        refusal = None if self._misread else self._verdict.groups.get((self._interchanges, self._groups))
        if self._group_numbers.again((event.elements[6:7] or ("",))[0]):
            error = repeated_group(event.elements, event)
            if self._agreement.duplicate_days is None:
                self._warnings = (error.text,)
            else:
                refusal = refusal or error
        self._group = GroupSeen(self._groups, event.elements, finding_of(refusal) if refusal else None)
        return self._group

    def _transaction(self, event: Event) -> Iterator[Seen]:
        if self._group is None:
            yield self._open_group(replace(event, elements=()))
        assert self._group is not None and self._header is not None  # noqa: PT018, S101
        self._transactions += 1
        self._in_group += 1
        partner = self._agreement.partner or None
        version = self._group.element(8)
        read = read_transaction(event, self._header.delimiters, version, partner, self._agreement)
        again = self._numbers.again(read.control_number)
        read = as_member(read, self._group.elements, event, self._agreement, again=again)
        listed = {one.sentence for one in read.findings}
        warnings = (*self._warnings, *(text for text in read.warnings if text not in listed))
        read = read._replace(warnings=warnings)
        findings = read.findings or ((finding_of(read.error, read.segments),) if read.error else ())
        refused = self._group.refusal is not None or self._interchanges in self._verdict.interchanges
        if self._misread:
            findings, read = (), read._replace(warnings=())
        status: Status = "accepted_with_errors" if findings else "accepted"
        if read.error is not None or refused:
            status = "rejected"
        yield TransactionSeen(
            number=self._transactions,
            event=event,
            delimiters=self._header.delimiters,
            version=version,
            agreement=self._agreement,
            read=read,
            status=status,
            findings=findings,
        )

    def _stray(self, event: Event) -> Stray:
        assert event.error is not None  # noqa: S101
        self._inside += 1
        self._junk += 1
        level: Literal["group", "interchange", "body"] = "interchange"
        if self._group is not None:
            level = "group"
        elif event.lone or self._header is None:
            level = "body"
        return Stray(level, finding_of(event.error))

    def _close_group(self) -> Iterator[Seen]:
        if self._group is not None:
            if not self._in_group and self._group.refusal is None:
                yield Stray("group", SegmentFinding("024", "GE", 0, "the group holds no transactions"))
            self._group = None
            yield Closed("group")

    def _close(self) -> Iterator[Seen]:
        yield from self._close_group()
        if self._header is not None:
            self._header = None
            if not self._inside and self._interchanges not in self._verdict.interchanges:
                yield Stray("interchange", SegmentFinding("024", "IEA", 0, "the interchange holds no groups"))
            yield Closed("interchange")


def finding_of(error: DecodeError, segments: int = 0) -> SegmentFinding:
    """An error of the envelope in the form of all others. `segments`: how many the transaction has, which places its
    SE."""
    segment = (error.segment or "").partition("[")[0]
    position = {"ST": 1, "SE": segments}.get(segment, 0) if segments else 0
    number = (error.element or "")[len(segment) :]
    element = int(number) if number.isdecimal() else None
    return SegmentFinding(error.x12_code or "", segment, position, error.text, element, offset=error.offset)


def _misaddressed(isa: tuple[str, ...], agreement: Agreement) -> Iterator[str]:
    if not agreement.partner:
        return
    if agreement.ids and not any((i.qualifier, i.id) == (isa[5], isa[6]) for i in agreement.ids):
        known = " or ".join(f"{i.qualifier}/{i.id}" for i in agreement.ids)
        yield f"it is from {isa[5]}/{isa[6]}, and {agreement.partner} is {known}"
    yield from misaddressed(isa, agreement)
