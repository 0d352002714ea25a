"""What the envelopes of a body are worth, known before anything of it is handed on.

A group whose trailer is missing or wrong is refused with all of its transactions; an interchange whose trailer is missing or
wrong is refused whole: it is the sign of a truncated upload, which comes again. One that holds no group at all is refused too:
there is nothing that a 997 could answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.core.errors import DecodeError
from transformers.x12.event import Event


@dataclass(slots=True)
class Verdict:
    """Interchanges (by ordinal) and groups (by interchange's and own ordinal) that are refused, with the reason.
    `repeated`: interchanges whose control number stands in the body before. `notes`: the first thing in an interchange that no
    997 can tell, by its code (TA105): what stands in no group, or where it must not."""

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
    verdict = Verdict()
    interchange = group = transactions = 0
    header: Event | None = None
    open_group: Event | None = None
    wrong, holds = 0, False
    seen: set[tuple[str, ...]] = set()

    def refuse_group(error: DecodeError) -> None:
        nonlocal wrong
        wrong += 1
        if wrong <= MOST_WRONG:
            verdict.groups[interchange, group] = error
        elif wrong == MOST_WRONG + 1:
            text = f"more than {MOST_WRONG} of its groups are wrong"
            verdict.interchanges[interchange] = DecodeError(text, segment="ISA", offset=error.offset, code="022")

    def close_group() -> None:
        nonlocal open_group
        if open_group is not None:
            refuse_group(_unclosed(open_group))
            open_group = None

    for event in stream:
        if (note := _note(event, open_group)) is not None:
            verdict.notes.setdefault(interchange, note)
        match event.kind:
            case "ISA" | "end":
                if header is not None:
                    close_group()
                    verdict.interchanges[interchange] = DecodeError(
                        "the interchange has no IEA: it breaks off", segment="ISA", offset=event.offset, code="023"
                    )
                header = event if event.kind == "ISA" else None
                interchange, group, wrong, holds = interchange + 1, 0, 0, False
                if event.header is not None and len(seen) < MOST_SEEN:
                    key = interchange_key(event.header.elements)
                    if key in seen:
                        verdict.repeated.add(interchange)
                    seen.add(key)
            case "GS":
                close_group()
                open_group, group, transactions, holds = event, group + 1, 0, True
            case "ST":
                if open_group is None:
                    open_group, group, transactions = event, group + 1, 0
                transactions += 1
            case "GE":
                if open_group is not None and (error := _group_error(open_group, event, transactions)):
                    refuse_group(error)
                open_group = None
            case "TA1":
                holds = True
            case "IEA":
                close_group()
                if header is not None:
                    error = _interchange_error(header, event, group) or _content_error(event, group, holds)
                    if error is not None:
                        verdict.interchanges[interchange] = error
                header = None
            case _:
                pass
    return verdict


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
