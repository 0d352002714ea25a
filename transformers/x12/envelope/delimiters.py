"""The delimiters of an interchange, read from its ISA segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from hub.core.errors import DecodeError

WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Of ISA01 to ISA16."""

NO_COMPONENT_SEPARATOR = "027"
"""The note code (TA105) of an ISA without ISA16."""

WHITE = b" \t\n\r\x0b\x0c"

LONGEST = 512
"""Bytes in which the ISA must end, whatever its widths."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """One byte each. `repetition` is empty before 00402."""

    element: bytes
    component: bytes
    repetition: bytes
    terminator: bytes


@dataclass(frozen=True, slots=True)
class TextDelimiters:
    """The delimiters as text, and what follows from them: `blanks` may stand around segments; `forbidden` finds what no
    value may hold, `padded` a value with blanks behind it, `indented` a segment with blanks before it."""

    element: str
    component: str
    repetition: str
    terminator: str
    basic: bool
    blanks: str
    forbidden: re.Pattern[str]
    padded: re.Pattern[str]
    indented: re.Pattern[str]


@lru_cache(maxsize=64)
def as_text(delimiters: Delimiters, basic: bool = False) -> TextDelimiters:
    """`basic`: only the basic character set of X12 may stand in values."""
    element, component, repetition, terminator = (
        b.decode("latin-1")
        for b in (delimiters.element, delimiters.component, delimiters.repetition, delimiters.terminator)
    )
    own = re.escape("".join({element, component, repetition, terminator}))
    wrong = f"[^{_BASIC}]" if basic else r"[\x00-\x1f\x7f-\x9f]"
    return TextDelimiters(
        element,
        component,
        repetition,
        terminator,
        basic,
        blanks(delimiters).decode("latin-1"),
        re.compile(f"(?![{own}]){wrong}"),
        re.compile(" [" + re.escape(element + terminator) + "]"),
        re.compile(re.escape(terminator) + "\n? "),
    )


@lru_cache(maxsize=64)
def blanks(delimiters: Delimiters) -> bytes:
    """The bytes that may stand around segments without being a part of them: white space, but for what separates."""
    return bytes(
        byte for byte in WHITE if byte not in delimiters.element + delimiters.component + delimiters.repetition
    )


_BASIC = re.escape("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()*+,-./:;?=")
"""The basic character set (ASC X12.6, 3.3.1)."""


@dataclass(frozen=True, slots=True)
class InterchangeHeader:
    """An ISA: its elements without padding (`[0]` is `ISA`), where it begins and how long it is."""

    elements: tuple[str, ...]
    delimiters: Delimiters
    offset: int
    size: int
    warnings: tuple[str, ...] = ()


def read_header(data: bytes, offset: int) -> InterchangeHeader:
    """The ISA at the beginning of `data` (all of the body that is left, or at least LONGEST bytes), which stands at
    `offset` of the body. The widths of the elements may be wrong: what separates them is what counts.

    Raises DecodeError for half an ISA (024), and for delimiters that can't be (004, 026, 027).
    """
    separator = data[3:4]
    end = 3
    for _ in range(len(WIDTHS) - 1):
        end = data.find(separator, end + 1, LONGEST) if separator else -1
        if end < 0:
            break
    if end < 0 or len(data) < end + 2:
        text = "half an ISA segment: the interchange header breaks off"
        raise DecodeError(text, segment="ISA", offset=offset, code="024")
    _complete(data[:end].split(separator), separator, offset)
    component = data[end + 1 : end + 2]
    if (
        component in (b"\r", b"\n")
        or component == separator
        or _terminates(component, data[end + 2 : LONGEST], separator)
    ):
        raise DecodeError(
            "ISA16 is missing: no component separator",
            segment="ISA",
            element="ISA16",
            offset=offset + end,
            code=NO_COMPONENT_SEPARATOR,
        )
    terminator, size = _terminator(data[:LONGEST], end + 2, separator + component)
    elements = tuple(part.decode("latin-1") for part in (*data[:end].split(separator), component))
    repetition = elements[11].encode("latin-1") if elements[12] >= "00402" and elements[11] != "U" else b""
    delimiters = Delimiters(separator, component, repetition if len(repetition) == 1 else b"", terminator or b"~")
    _check(delimiters, offset)
    return InterchangeHeader(tuple(e.strip() for e in elements), delimiters, offset, size, _widths(elements))


def _complete(elements: list[bytes], separator: bytes, offset: int) -> None:
    """Raises DecodeError for an ISA that ends before its last element, so that the segment behind it begins in one of
    these."""
    for number, element in enumerate(elements[13:], 13):
        before = element.removesuffix(b"GS").removesuffix(b"TA1").removesuffix(b"IEA")
        if before == element or not before or before[-1:].isalnum():
            continue
        if number == 15 and before[:1] in (b"P", b"T", b"I"):
            text = "ISA16 is missing: the ISA ends behind ISA15, without a component separator"
            raise DecodeError(text, segment="ISA", element="ISA16", offset=offset, code=NO_COMPONENT_SEPARATOR)
        text = f"the ISA has {number} elements, expected {len(WIDTHS)}"
        raise DecodeError(text, segment="ISA", offset=offset, code="022")


def header_elements(data: bytes) -> tuple[str, ...]:
    """The elements of an ISA, whatever its delimiters are worth: up to ISA16, which may be empty. Nothing for half a
    one."""
    separator = data[3:4]
    parts = data[:LONGEST].split(separator, len(WIDTHS)) if separator else []
    if len(parts) <= len(WIDTHS) or parts[0] != b"ISA":
        return ()
    return (*(part.decode("latin-1").strip() for part in parts[:-1]), parts[-1][:1].decode("latin-1"))


def _terminates(mark: bytes, behind: bytes, separator: bytes) -> bool:
    """Whether the byte in ISA16's place ends the segments, of which the first one stands `behind` it."""
    first, _, second = behind.partition(mark)
    return _begins(first, separator) and _begins(second, separator)


def _terminator(data: bytes, at: int, own: bytes) -> tuple[bytes, int]:
    """What ends the ISA, whose last element ends at `at`; and where what follows it begins. Nothing at the end of the
    body.

    White space may stand around it. Where it is white space itself, it is what all gaps between the next segments have
    in common; the line feed, where that is both characters of a line end.
    """
    white = bytes(byte for byte in WHITE if byte not in own)
    behind = data[at:].lstrip(white)
    run = data[at : len(data) - len(behind)]
    if not run or (not _begins(behind, own[:1]) and _begins(behind[1:].lstrip(white), own[:1])):
        end = at + len(run)
        return data[end : end + 1], min(end + 1, len(data))
    possible = set(run) - {0x20} or {run[0]}
    for gap in _gaps(behind.split(own[:1])[1:-1], white):
        possible = possible & set(gap) or possible
    found = 0x0A if possible == {0x0D, 0x0A} else next(byte for byte in run if byte in possible)
    return bytes((found,)), at + run.index(found) + 1


def _begins(data: bytes, separator: bytes) -> bool:
    return data.startswith(tuple(name + separator for name in (b"GS", b"TA1", b"IEA", b"ST")))


def _gaps(pieces: Iterable[bytes], white: bytes) -> Iterator[bytes]:
    """The white space before the ids of segments; `pieces`: what stands between the separators."""
    for piece in pieces:
        before = piece.rstrip(_LETTERS)
        gap = before[len(before.rstrip(white)) :]
        if len(before) < len(piece) and gap.strip(b" "):
            yield gap


_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _check(delimiters: Delimiters, offset: int) -> None:
    named = (("element separator", delimiters.element, "026"), ("segment terminator", delimiters.terminator, "004"))
    for name, byte, code in named:
        if byte.isalnum() or byte in (b" ", b".", b"-", b"\0"):
            raise DecodeError(f"{byte!r} can't be the {name}", segment="ISA", offset=offset, code=code)
    if delimiters.terminator in (delimiters.element, delimiters.component):
        raise DecodeError(
            f"{delimiters.terminator!r} can't be the segment terminator: it separates elements or components already",
            segment="ISA",
            offset=offset,
            code="004",
        )


def _widths(elements: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"ISA{n:02} has {len(text)} characters, expected {width}"
        for n, (text, width) in enumerate(zip(elements[1:], WIDTHS, strict=True), 1)
        if len(text) != width
    )
