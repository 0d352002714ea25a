"""Where in a transaction, while it is scanned, its BIN and BDS segments hold data, in which nothing separates."""

from __future__ import annotations

from transformers.x12.envelope.binary import LENGTH_AT
from transformers.x12.envelope.boundaries import NEXT, SegmentStart, boundaries
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.envelope.window import ByteWindow

MAX_TRANSACTION = 64 << 20
"""Bytes of one transaction; a longer one is refused, and the reader goes on behind it."""

MAX_CONTROL = 1 << 16
"""Bytes in which a segment outside of a transaction must end."""

MOST_LENGTH = 40
"""Bytes in which the length of the data stands."""

_MARK = 16
"""Bytes before a segment id that belong to the mark of its beginning: the terminator and blanks."""

_HEADER = 200
"""Bytes that half a header and what must follow it have at most."""


def binary_ranges(window: ByteWindow, delimiters: Delimiters) -> tuple[tuple[int, int], ...]:
    """The ranges, from where the transaction begins."""
    marks = boundaries(delimiters)
    found: list[tuple[int, int]] = []
    start = scanned = 0
    close = -1  # where the transaction ends, as far as is known: behind `start`, or unknown
    while True:
        while close < start:
            match = marks.close.search(window.data, window.at + max(scanned, start))
            if match is not None:
                close = match.start - window.at
                break
            scanned = max(scanned, start, resume(window) - window.at)
            if not _more(window):
                close = window.left
                break
        until = min(window.at + close + 8, len(window.data))
        mark = marks.binary.search(window.data, window.at + start, until)
        if mark is None or mark.start - window.at > close:
            return tuple(found)
        data = _data(mark, window, delimiters)
        start = data[1] if data else mark.end - window.at
        if data:
            found.append(data)


def resume(window: ByteWindow) -> int:
    """From where to search again when more bytes have come: before what may be half a segment id, the blanks before it,
    and the terminator before those; and before what may be half a header."""
    tail = bytes(window.data[-MAX_CONTROL:])
    start = len(window.data) - len(tail)
    header = tail.find(b"ISA", max(0, len(tail) - _HEADER))
    return start + min(len(tail[:-4].rstrip()), header if header >= 0 else len(tail)) - _MARK


def broken_off(window: ByteWindow, start: int, end: int) -> int:
    """The end of a segment, or where the next interchange begins before it. All from where the window stands, which may
    read on."""
    if window.data.find(b"ISA", window.at + start, window.at + end + 4) < 0:
        return end
    window.ahead(end + _HEADER)
    found = NEXT.search(window.data, window.at + start, window.at + end + _HEADER)
    return min(end, found.start() - window.at) if found else end


def _data(mark: SegmentStart, window: ByteWindow, delimiters: Delimiters) -> tuple[int, int] | None:
    """The range of the data of one binary segment, whose length is BIN01, or BDS02. Where no terminator stands behind
    it the length isn't true, and the next terminator ends it. None where there is no length."""
    lead = LENGTH_AT[mark.name.decode()]
    begin = mark.end - window.at
    while window.left - begin < MOST_LENGTH and _more(window):
        pass
    head = bytes(window.data[window.at + begin : window.at + begin + MOST_LENGTH]).split(delimiters.element, lead)
    if len(head) <= lead or not head[lead - 1].isdigit():
        return None
    first = begin + sum(len(part) + 1 for part in head[:lead])
    end = first + int(head[lead - 1])
    while end - begin <= MAX_TRANSACTION and window.left < end + 2 and _more(window):
        pass
    behind = window.data[window.at + end : window.at + end + 2]
    if behind.startswith(delimiters.terminator) or (delimiters.terminator == b"\n" and behind == b"\r\n"):
        return first, end
    last = window.data.find(delimiters.terminator, window.at + first)
    return (first, broken_off(window, first, last - window.at)) if last >= 0 else None


def _more(window: ByteWindow) -> bool:
    return window.left <= MAX_TRANSACTION and window.more()
