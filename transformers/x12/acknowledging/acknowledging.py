"""What we say of what a partner sent: the 997 or 999 of a group, the TA1 of an interchange, as canonical documents.

Codes: element 715 (AK901), 716 (AK905), 717 (AK501), 718 (AK502), 720 (AK304), 723 (AK403), and for the 999 618
(IK502), 620 (IK304), 621 (IK403); I17 and I18 for the TA1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from hub.core.agreement import Agreement, InterchangeAckPolicy
from hub.core.errors import DecodeError
from hub.documents.acknowledgments.functional_acknowledgment import (
    AcknowledgedTransaction,
    ElementError,
    ErrorContext,
    FunctionalAcknowledgment,
    SegmentError,
)
from hub.documents.acknowledgments.interchange_acknowledgment import InterchangeAcknowledgment
from transformers.x12.envelope.verdict import is_number
from transformers.x12.finding import SegmentFinding
from transformers.x12.reading.transaction import Transaction

MOST_LISTED = 1000
"""Transactions of a group that are all named; of a larger one only those that weren't simply accepted."""

MOST_FINDINGS = 5000
"""Findings of a group that are all said; of a transaction behind them only the first one."""

MOST_REFUSED = 5000
"""Transactions that are named at all."""

NOT_ACKNOWLEDGED = frozenset({"FA"})
"""Groups that nobody acknowledges: acknowledgments."""


@dataclass(slots=True)
class GroupOutcome:
    """What became of a group, while it is read. `elements` are those of its GS."""

    elements: tuple[str, ...]
    received: int = 0
    accepted: int = 0
    noted: int = 0
    findings: int = 0
    listed: list[AcknowledgedTransaction] = field(default_factory=list)

    @property
    def code(self) -> str:
        return _at(self.elements, 1)

    @property
    def version(self) -> str:
        return _at(self.elements, 8)

    def add(self, read: Transaction, agreement: Agreement) -> None:
        """Counts a transaction in. `read.error` None with findings: accepted with errors."""
        self.received += 1
        taken = read.error is None
        self.accepted += taken
        self.noted += taken and bool(read.findings)
        plain = taken and not read.findings
        if len(self.listed) >= MOST_REFUSED or (plain and self.received > MOST_LISTED):
            return
        self.findings += len(read.findings)
        if self.findings > MOST_FINDINGS:
            read = read._replace(findings=read.findings[:1])
        self.listed.append(_transaction(read, agreement))

    def acknowledgment(
        self, refused: DecodeError | None, included: str, partner: str | None
    ) -> FunctionalAcknowledgment:
        """The 997 or 999. `refused`: why the whole group is; `included`: what GE01 says."""
        accepted = 0 if refused is not None else self.accepted
        if refused is not None or (self.received and not accepted):
            status = "R"
        elif accepted < self.received:
            status = "P"
        else:
            status = "E" if self.noted else "A"
        listed = self.listed
        if self.received > MOST_LISTED:
            listed = [t for t in listed if t.status != "A"]
        return FunctionalAcknowledgment(
            number=_number(_at(self.elements, 6)),
            partner=partner,
            group_code=self.code if len(self.code) == 2 and _CODE.issuperset(self.code) else "ZZ",
            group_version=self.version if _is_version(self.version) else None,
            status=status,
            included=int(included) if included.isdecimal() and len(included) <= 6 else self.received,
            received=self.received,
            accepted=accepted,
            codes=(refused.x12_code,) if refused is not None and refused.x12_code in _GROUP_CODES else (),
            transactions=tuple(listed) if refused is None else (),
        )


_CODE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_GROUP_CODES = frozenset({"1", "2", "3", "4", "5", "6", "19"})
_SET_CODES = frozenset({"1", "2", "3", "4", "5", "6", "7", "18", "23"})


def interchange_acknowledgment(
    isa: Sequence[str], status: str, note: str, partner: str | None
) -> InterchangeAcknowledgment:
    """The TA1 for an ISA (`isa[0]` is `ISA`)."""
    return InterchangeAcknowledgment(
        number=_number(isa[13]).zfill(min(len(isa[13]), 9)),
        partner=partner,
        date=_date(isa[9]),
        time=isa[10] if _is_time(isa[10]) else None,
        status=status,
        note=note,
    )


def wants_ta1(policy: InterchangeAckPolicy, isa: Sequence[str], *, refused: bool) -> bool:
    """Whether a TA1 is due."""
    return policy == "always" or (policy == "asked" and (refused or isa[14] == "1"))


def envelope_note(isa: Sequence[str]) -> tuple[str, str] | None:
    """The first thing that is wrong with the ISA but lets the interchange be read: TA105 and a sentence."""
    if _date(isa[9]) is None:
        return "014", f"ISA09 is {isa[9]!r}, expected a date YYMMDD"
    if not _is_time(isa[10]):
        return "015", f"ISA10 is {isa[10]!r}, expected a time HHMM"
    if not is_number(isa[13]):
        return "018", f"ISA13 is {isa[13]!r}, expected a control number of nine digits"
    if isa[14] not in ("0", "1"):
        return "019", f"ISA14 is {isa[14]!r}, expected 0 or 1"
    if isa[15] not in ("P", "T", "I"):
        return "020", f"ISA15 is {isa[15]!r}, expected P, T or I"
    return None


def _number(text: str) -> str:
    """A control number that an acknowledgment can carry."""
    return text if is_number(text) else "0"


def _date(text: str) -> date | None:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:])) if len(text) == 6 else None
    except ValueError:
        return None


def _is_version(text: str) -> bool:
    """Whether AK103 can carry it: it is there from 005010 on."""
    return text >= "005010" and len(text) <= 12 and text.isascii() and text.isalnum() and text == text.upper()


def _is_time(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isdecimal() and text < "2400" and text[2:] < "60"


def _transaction(read: Transaction, agreement: Agreement) -> AcknowledgedTransaction:
    taken = read.error is None
    codes: tuple[str, ...] = ()
    if read.findings:
        codes = ("I5",) if _is_999(agreement) and all(f.implementation for f in read.findings) else ("5",)
    elif read.error is not None:
        codes = (read.error.x12_code if read.error.x12_code in _SET_CODES else "5",)
    return AcknowledgedTransaction(
        set=read.set if len(read.set) == 3 and _carried(read.set, agreement) == read.set else "000",
        control_number=(_carried(read.control_number, agreement) or "0").rjust(4, "0")[:9],
        convention=(_carried(read.convention, agreement) or "")[:35] or None,
        status=("E" if read.findings else "A") if taken else "R",
        codes=codes,
        segments=tuple(_segments(read.findings, agreement)),
    )


def _segments(findings: Sequence[SegmentFinding], agreement: Agreement) -> Iterator[SegmentError]:
    """One entry for each thing that is wrong with a segment as such, and one for all of its elements; in the order of
    the segments."""
    yield from sorted(_segments_of(findings, agreement), key=lambda error: error.position)


def _segments_of(findings: Sequence[SegmentFinding], agreement: Agreement) -> Iterator[SegmentError]:
    elements: dict[tuple[str, int, str | None], list[ElementError]] = {}
    for finding in findings:
        place = (_name(finding.segment), min(finding.position, 999_999), finding.loop)
        if finding.element is None:
            code = _code(finding, agreement)
            yield SegmentError(segment=place[0], position=place[1], loop=place[2], code=code)
        else:
            elements.setdefault(place, []).append(_element(finding, agreement))
    for (segment, position, loop), errors in elements.items():
        yield SegmentError(segment=segment, position=position, loop=loop, code="8", elements=tuple(errors[:99]))


def _element(finding: SegmentFinding, agreement: Agreement) -> ElementError:
    contexts: tuple[ErrorContext, ...] = ()
    if _is_999(agreement) and finding.trigger is not None:
        contexts = (
            ErrorContext(
                name="SITUATIONAL TRIGGER",
                segment=_name(finding.segment),
                position=finding.position,
                loop=finding.loop,
                element=finding.trigger,
            ),
        )
    reference = finding.reference
    return ElementError(
        position=min(finding.element or 1, 99),
        component=finding.component,
        repetition=finding.repetition,
        reference=reference if reference and reference.isdecimal() else None,
        code=_code(finding, agreement),
        value=_carried(finding.value, agreement),
        contexts=contexts,
    )


def _is_999(agreement: Agreement) -> bool:
    return agreement.acknowledge is not None and agreement.acknowledge.with_set == "999"


def _code(finding: SegmentFinding, agreement: Agreement) -> str:
    """The 999 tells what the partner's own rules forbid from what the standard does; the 997 can't."""
    return (finding.implementation if _is_999(agreement) else None) or finding.code


def _name(segment: str) -> str:
    """A segment id that an acknowledgment can carry: two or three letters and digits."""
    kept = "".join(c for c in segment[:3].upper() if c.isascii() and c.isalnum())
    return kept if len(kept) > 1 else kept.ljust(2, "X")


def _carried(text: str | None, agreement: Agreement) -> str | None:
    """A copy of a value that an acknowledgment to the partner can carry: no control characters, nothing that separates,
    only the character set that they take."""
    if text is None:
        return None
    marks = agreement.separators
    apart = {marks.element, marks.component, marks.repetition, marks.terminator}
    if agreement.charset == "basic":
        text, taken = text.upper(), _PUNCTUATION_BASIC
    else:
        taken = _PUNCTUATION
    kept = "".join(c if c.isascii() and (c.isalnum() or c in taken) and c not in apart else " " for c in text)[:99]
    return " ".join(kept.split()) or None


_PUNCTUATION = frozenset(" .,-/#&()+:;=_@%")
_PUNCTUATION_BASIC = frozenset(" .,-/&()+:;=")


def _at(elements: Sequence[str], index: int) -> str:
    return elements[index] if index < len(elements) else ""
