"""The patterns by which a scan knows where a segment, a transaction or an interchange begins or has broken off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from transformers.x12.delimiters import WIDTHS, Delimiters

BOM = b"\xef\xbb\xbf"

ISA_SIZE = 106
"""Bytes of an ISA with its terminator, when its elements have their widths."""

SPACE = re.compile(rb"[\s\x00\x1a]*")
BLANK = re.compile(rb"\s*")
ISA = re.compile(rb"ISA[^0-9A-Za-z\s]")

_HEADER = (
    rb"ISA(?P<s>[^0-9A-Za-z\s])(?:(?:(?!(?P=s))[^\r\n]){0,20}(?P=s)){11}"
    rb"\d{5}(?P=s)\d{1,9} *(?P=s)[01](?P=s)[A-Z](?P=s)[^0-9A-Za-z\s]"
)
"""An ISA that says what one says, whatever separates: sixteen elements, the last five of their kind."""

_FOLLOWED = rb"[^0-9A-Za-z \t]\s*(?:GS|TA1|IEA)(?P=s)"

_BROKEN_OFF = rb"[\r\n]ISA[^0-9A-Za-z\s]|" + _HEADER + _FOLLOWED

NEXT = re.compile(_BROKEN_OFF)
"""The header of another interchange, before which this one has broken off: on a line of its own; or anywhere, with what
follows a header behind it."""

_LINE_END = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True)
class Boundaries:
    """`control`: a control segment; `close`: what ends a transaction (it begins with one byte before a segment, or with the
    ISA itself); `binary`: the beginning of a binary segment; `odd`: what a tidy transaction doesn't have; `blank`: what may
    stand between segments."""

    control: re.Pattern[bytes]
    close: re.Pattern[bytes]
    binary: re.Pattern[bytes]
    odd: re.Pattern[bytes]
    blank: re.Pattern[bytes]


@lru_cache(maxsize=64)
def boundaries(delimiters: Delimiters) -> Boundaries:
    """Those of an interchange."""
    separator, terminator = re.escape(delimiters.element), re.escape(delimiters.terminator)
    return Boundaries(
        re.compile(rb"(?:ISA|TA1|GS|ST|SE|GE|IEA)" + separator + rb"|" + _HEADER),
        re.compile(terminator + rb"\s*(?:S[ET]|G[ES]|I(?:EA|SA))" + separator + rb"|" + _BROKEN_OFF),
        re.compile(terminator + rb"\s*(BIN|BDS)" + separator),
        re.compile(terminator + rb"\s*(?:S[ET]|G[ES]|I(?:EA|SA)|BIN|BDS)" + separator),
        re.compile(rb"[\s\x00\x1a" + terminator + rb"]*"),
    )


def wrapped(head: bytes) -> tuple[int, int] | None:
    """The length of the lines that a body is broken into, and of its line ends, when its ISA is."""
    head = head.removeprefix(BOM)
    found = _LINE_END.search(head)
    if not head.startswith(b"ISA") or found is None or not 20 <= found.start() < ISA_SIZE:
        return None
    width, size = found.start(), found.end() - found.start()
    joined = head.replace(b"\r", b"").replace(b"\n", b"")
    if head[:width].count(head[3:4]) >= len(WIDTHS) or joined[:ISA_SIZE].count(head[3:4]) != len(WIDTHS):
        return None
    return width, size
