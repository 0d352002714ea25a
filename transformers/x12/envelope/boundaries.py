"""The patterns by which a scan knows where a segment, a transaction or an interchange begins or has broken off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from transformers.x12.envelope.delimiters import WIDTHS, Delimiters, blanks

BOM = b"\xef\xbb\xbf"

ISA_SIZE = 106
"""Bytes of an ISA with its terminator, when its elements have their widths."""

SPACE = re.compile(rb"[\s\x00\x1a]*")
ISA = re.compile(rb"ISA[^0-9A-Za-z\s]")

_HEADER = (
    rb"ISA(?P<s>[^0-9A-Za-z\s])(?:(?:(?!(?P=s))[^\r\n]){0,20}(?P=s)){11}"
    rb"\d{5}(?P=s)\d{1,9} *+(?P=s)[01](?P=s)[A-Z](?P=s)[^0-9A-Za-z\s]"
)
"""An ISA that says what one says, whatever separates: sixteen elements, the last five of their kind."""

_FOLLOWED = rb"[^0-9A-Za-z \t]\s*+(?:GS|TA1|IEA)(?P=s)"

_BROKEN_OFF = rb"[\r\n]ISA[^0-9A-Za-z\s]|" + _HEADER + _FOLLOWED

NEXT = re.compile(_BROKEN_OFF)
"""The header of another interchange, before which this one has broken off: on a line of its own; or anywhere, with what
follows a header behind it."""

_LINE_END = re.compile(rb"\r?\n")


class SegmentStart(NamedTuple):
    """Where a segment begins: `start` is the terminator before it, or the header that has broken in; `end` is behind
    its first separator."""

    start: int
    end: int
    name: bytes


class SegmentStarts:
    """Finds a terminator, blanks, and one of these names. In time that grows with the length alone, whatever the
    terminator is.

    A terminator that is white space itself stands within a run of blanks, and every other blank of the run may be one
    too. So the run is looked at once, from its beginning: a search that began again at each of its bytes would take
    their square.
    """

    def __init__(self, delimiters: Delimiters, names: bytes, broken_off: bytes = b"") -> None:
        terminator, white = delimiters.terminator, blanks(delimiters)
        blank = _any_of(white)
        tail = rb"(?P<end>" + re.escape(terminator) + rb")" + blank + rb"(?P<name>" + names + rb")"
        tail += re.escape(delimiters.element)
        other = rb"|" + broken_off if broken_off else b""
        self._within: re.Pattern[bytes] | None = None
        if terminator in white:
            before = _any_of(white.replace(terminator, b""))
            self._within = re.compile(before + tail)
            tail = rb"(?<![" + re.escape(white) + rb"])" + before + tail
        self._anywhere = re.compile(tail + other)

    def search(self, data: bytearray, start: int, end: int | None = None) -> SegmentStart | None:
        """The first that begins at `start` or behind it, and ends before `end`."""
        end = len(data) if end is None else end
        found = self._within.match(data, start, end) if self._within is not None else None
        found = found or self._anywhere.search(data, start, end)
        if found is None:
            return None
        begin = found.start("end")
        return SegmentStart(
            begin if begin >= 0 else found.start(), found.end(), found["name"] or found[0].lstrip(b"\r\n")[:3]
        )


def _any_of(characters: bytes) -> bytes:
    return rb"[" + re.escape(characters) + rb"]*+"


@dataclass(frozen=True, slots=True)
class Boundaries:
    """`control`: a control segment; `close`: what ends a transaction (it begins with one byte before a segment, or with
    the ISA itself); `binary`: the beginning of a binary segment; `odd`: what a tidy transaction doesn't have; `blank`:
    what may stand between segments."""

    control: re.Pattern[bytes]
    close: SegmentStarts
    binary: SegmentStarts
    odd: SegmentStarts
    blank: re.Pattern[bytes]


@lru_cache(maxsize=64)
def boundaries(delimiters: Delimiters) -> Boundaries:
    """Those of an interchange."""
    separator = re.escape(delimiters.element)
    return Boundaries(
        re.compile(rb"(?:ISA|TA1|GS|ST|SE|GE|IEA)" + separator + rb"|" + _HEADER),
        SegmentStarts(delimiters, rb"S[ET]|G[ES]|I(?:EA|SA)", _BROKEN_OFF),
        SegmentStarts(delimiters, rb"BIN|BDS"),
        SegmentStarts(delimiters, rb"S[ET]|G[ES]|I(?:EA|SA)|BIN|BDS"),
        re.compile(_any_of(blanks(delimiters) + b"\0\x1a" + delimiters.terminator)),
    )


def wrapped(head: bytes) -> tuple[int, int] | None:
    """The length of the lines that a body is broken into, and of its line ends, when its ISA is."""
    head = head.removeprefix(BOM)
    found = _LINE_END.search(head)
    if not head.startswith(b"ISA") or found is None or not 20 <= found.start() < ISA_SIZE:
        return None
    if head.startswith(tuple(name + head[3:4] for name in (b"GS", b"TA1", b"IEA")), found.end()):
        return None  # the ISA ends there
    width, size = found.start(), found.end() - found.start()
    joined = head.replace(b"\r", b"").replace(b"\n", b"")
    if head[:width].count(head[3:4]) >= len(WIDTHS) or joined[:ISA_SIZE].count(head[3:4]) != len(WIDTHS):
        return None
    return width, size
