"""What the envelopes of a body are worth, known before anything of it is handed on.

A group whose trailer is missing or wrong is refused with all of its transactions; an interchange whose trailer is
missing or wrong is refused whole: it is the sign of a truncated upload, which comes again. One that holds no group at
all is refused too: there is nothing that a 997 could answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.core.errors import DecodeError
from transformers.x12.envelope.delimiters import NO_COMPONENT_SEPARATOR, Delimiters
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.segment_bytes import segment_bytes


@dataclass(slots=True)
class Verdict:
    """Interchanges (by ordinal) and groups (by interchange's and own ordinal) that are refused, with the reason.
    `repeated`: interchanges whose control number stands in the body before. `notes`: the first thing in an interchange
    that no 997 can tell, by its code (TA105): what stands in no group, or where it must not."""

    interchanges: dict[int, DecodeError] = field(default_factory=dict)
    groups: dict[tuple[int, int], DecodeError] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    notes: dict[int, str] = field(default_factory=dict)


STRUCTURE, CONTENT = "022", "024"
"""Note codes (TA105): a control segment that stands where it must not, and anything else that belongs to nothing."""

MOST_SEEN = 100_000
"""Interchanges of a body whose control numbers are compared."""

MOST_WRONG = 1000
"""Groups of one interchange that may be wrong before it is refused whole: what can't be told apart is no order."""


def judge(stream: Iterable[Event]) -> Verdict:
    """One pass over the events; memory grows with what is wrong only. Codes are those of TA105 and AK905."""
    judging = _Judging()
    for event in stream:
        judging.see(event)
    return judging.verdict


class _Judging:
    """Where the pass stands: ordinals of interchange and group, what is open, and how much has been wrong."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self._interchange = self._group = self._transactions = self._wrong = 0
        self._header: Event | None = None
        self._open: Event | None = None
        self._holds = False
        self._seen: set[tuple[str, ...]] = set()
        self._ends = _EndsAlike(None)
        self._steps = {
            "ISA": self._isa,
            "end": self._isa,
            "GS": self._gs,
            "ST": self._st,
            "GE": self._ge,
            "TA1": self._ta1,
            "IEA": self._iea,
        }

    def see(self, event: Event) -> None:
        if (note := _note(event, self._open)) is not None:
            self.verdict.notes.setdefault(self._interchange, note)
        self._ends.see(event)
        step = self._steps.get(event.kind)
        if step is not None:
            step(event)

    def _isa(self, event: Event) -> None:
        """Another interchange begins, or the body ends: the one before should have ended."""
        if self._header is not None:
            self._close_group()
            text = "the interchange has no IEA: it breaks off"
            self.verdict.interchanges[self._interchange] = DecodeError(
                text, segment="ISA", offset=event.offset, code="023"
            )
            if (error := self._ends.error(self._header)) is not None:
                self.verdict.interchanges[self._interchange] = error
        self._header = event if event.kind == "ISA" else None
        self._ends = _EndsAlike(event.header.delimiters if event.header is not None else None)
        self._interchange, self._group, self._wrong, self._holds = self._interchange + 1, 0, 0, False
        if event.header is not None and len(self._seen) < MOST_SEEN:
            key = interchange_key(event.header.elements)
            if key in self._seen:
                self.verdict.repeated.add(self._interchange)
            self._seen.add(key)

    def _gs(self, event: Event) -> None:
        self._close_group()
        self._open, self._group, self._transactions, self._holds = event, self._group + 1, 0, True

    def _st(self, event: Event) -> None:
        if self._open is None:
            self._open, self._group, self._transactions = event, self._group + 1, 0
        self._transactions += 1

    def _ge(self, event: Event) -> None:
        if self._open is not None and (error := _group_error(self._open, event, self._transactions)):
            self._refuse_group(error)
        self._open = None

    def _ta1(self, event: Event) -> None:
        self._holds = True

    def _iea(self, event: Event) -> None:
        self._close_group()
        if self._header is not None:
            error = (
                self._ends.error(self._header)
                or _interchange_error(self._header, event, self._group)
                or _content_error(event, self._group, self._holds)
            )
            if error is not None:
                self.verdict.interchanges[self._interchange] = error
        self._header = None

    def _close_group(self) -> None:
        if self._open is not None:
            self._refuse_group(_unclosed(self._open))
            self._open = None

    def _refuse_group(self, error: DecodeError) -> None:
        self._wrong += 1
        if self._wrong <= MOST_WRONG:
            self.verdict.groups[self._interchange, self._group] = error
        elif self._wrong == MOST_WRONG + 1:
            text = f"more than {MOST_WRONG} of its groups are wrong"
            self.verdict.interchanges[self._interchange] = DecodeError(
                text, segment="ISA", offset=error.offset, code="022"
            )


class _EndsAlike:
    """Whether every segment of an interchange ends with the byte that stands in ISA16's place: then ISA16 is missing,
    and the byte is the segment terminator."""

    def __init__(self, delimiters: Delimiters | None) -> None:
        self._delimiters = delimiters
        self._so_far = delimiters is not None
        self._group = False

    def see(self, event: Event) -> None:
        """An event of the interchange. Costs nothing from the first segment on that ends otherwise."""
        if self._delimiters is None or not self._so_far or event.kind in ("ISA", "end"):
            return
        mark = self._delimiters.component
        self._group |= event.kind == "GS"
        if event.kind == "ST":
            self._so_far = all(piece.data.endswith(mark) for piece in segment_bytes(event, self._delimiters))
        else:
            self._so_far = bool(event.elements) and event.elements[-1].endswith(mark.decode("latin-1"))

    def error(self, header: Event) -> DecodeError | None:
        """What is wrong with the ISA, once all of its interchange has been seen."""
        if self._delimiters is None or not (self._so_far and self._group):
            return None
        text = (
            f"ISA16 is missing: {self._delimiters.component!r} stands in the place of the component separator, "
            "and every segment ends with it"
        )
        return DecodeError(text, segment="ISA", element="ISA16", offset=header.offset, code=NO_COMPONENT_SEPARATOR)


def interchange_key(isa: tuple[str, ...]) -> tuple[str, ...]:
    """What an interchange control number belongs to: the sender's id, test or production, and the number itself."""
    return (isa[5], isa[6], isa[15], isa[13].lstrip("0"))


def same_number(one: str, other: str) -> bool:
    """Whether two control numbers are the same; leading zeros don't count."""
    return one == other or (one.isdecimal() and other.isdecimal() and one.lstrip("0") == other.lstrip("0"))


def is_number(text: str) -> bool:
    """Whether it is a control number as ISA13 and GS06 carry it."""
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _note(event: Event, opened: Event | None) -> str | None:
    match event.kind:
        case "GE" if opened is None:
            return STRUCTURE
        case "TA1" if opened is not None:
            return STRUCTURE
        case "ST" if opened is None:
            return CONTENT
        case "junk" if event.error is not None and not event.lone:
            return event.error.x12_code or CONTENT
        case _:
            return None


def _unclosed(opened: Event) -> DecodeError:
    if opened.kind != "GS":
        return DecodeError("transactions without a GS", segment="ST", offset=opened.offset, code="024")
    return DecodeError("the group has no GE", segment="GS", offset=opened.offset, code="3")


def _group_error(opened: Event, trailer: Event, transactions: int) -> DecodeError | None:
    if opened.kind != "GS":
        return _unclosed(opened)
    control, count, number = _at(opened, 6), _at(trailer, 1), _at(trailer, 2)
    if not is_number(control):
        text = f"GS06 is {control[:20]!r}, expected a control number of up to nine digits"
        return DecodeError(text, segment="GS", element="GS06", offset=opened.offset, code="6")
    if not same_number(control, number):
        text = f"GE02 is {number!r}, expected {control!r} as in GS06"
        return DecodeError(text, segment="GE", element="GE02", offset=trailer.offset, code="4")
    if not same_number(count, str(transactions)):
        text = f"GE01 is {count!r}, and the group has {transactions} transactions"
        return DecodeError(text, segment="GE", element="GE01", offset=trailer.offset, code="5")
    return None


def _interchange_error(header: Event, trailer: Event, groups: int) -> DecodeError | None:
    control, count, number = _at(header, 13), _at(trailer, 1), _at(trailer, 2)
    if not same_number(control, number):
        text = f"IEA02 is {number!r}, expected {control!r} as in ISA13"
        return DecodeError(text, segment="IEA", element="IEA02", offset=trailer.offset, code="001")
    if not same_number(count, str(groups)):
        text = f"IEA01 is {count!r}, and the interchange has {groups} groups"
        return DecodeError(text, segment="IEA", element="IEA01", offset=trailer.offset, code="021")
    return None


def _content_error(trailer: Event, groups: int, holds: bool) -> DecodeError | None:
    """`holds`: there is a GS, or a TA1."""
    if holds:
        return None
    text = "the interchange holds transactions without a group" if groups else "the interchange holds no groups"
    return DecodeError(text, segment="IEA", offset=trailer.offset, code="024")


def _at(event: Event, index: int) -> str:
    return event.elements[index] if index < len(event.elements) else ""
