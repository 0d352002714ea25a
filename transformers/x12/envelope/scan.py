"""The envelopes of a body as a stream of events: ISA, GS, a transaction, GE, IEA, and what is none of these.

Memory is bounded by the largest transaction. Nothing is judged here but what the bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hub.core.errors import DecodeError
from hub.core.ports import Body
from transformers.x12.envelope.binary_ranges import MAX_CONTROL, MAX_TRANSACTION, binary_ranges, broken_off, resume
from transformers.x12.envelope.boundaries import ISA, NEXT, SPACE, SegmentStart, boundaries
from transformers.x12.envelope.characters import wide_text
from transformers.x12.envelope.delimiters import (
    LONGEST,
    Delimiters,
    InterchangeHeader,
    blanks,
    header_elements,
    read_header,
)
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.window import ByteWindow

MOST_JUNK = 1000
"""Things in a row that look like an ISA and are none, after which the rest of the body is taken for junk too."""

LONGEST_NUMBER = 9
"""Bytes of SE02."""


def events(body: Body) -> Iterator[Event]:
    """The envelopes of a body, in their order. The last event is `end`. Never raises for what the bytes are."""
    return _Scanner(body).run()


class _Scanner:
    def __init__(self, body: Body) -> None:
        self._window = ByteWindow(body)

    def run(self) -> Iterator[Event]:
        window, junk = self._window, 0
        while window.skip(SPACE, and_bom=True):
            window.ahead(LONGEST)
            window.unwrap()
            header = self._header()
            if isinstance(header, Event):
                if not junk or header.elements:
                    yield header
                junk += 1
                if junk > MOST_JUNK:
                    while window.more():
                        window.at = len(window.data)
                    break
                continue
            junk = 0
            window.at += header.size
            yield Event("ISA", header.offset, header.elements, header=header)
            yield from self._interchange(header.delimiters)
        yield Event("end", window.offset)

    def _header(self) -> InterchangeHeader | Event:
        """The ISA that begins here; or why there is none, with the elements of one that can't be used, and then it goes
        to where the next one may be."""
        window = self._window
        offset = window.offset
        if window.starts(b"ISA"):
            data = bytes(window.data[window.at : window.at + LONGEST])
            try:
                return read_header(data, offset)
            except DecodeError as error:
                window.at += 3
                self._find_header()
                return Event("junk", offset, header_elements(data), error=error.with_traceback(None), lone=True)
        start = bytes(window.data[window.at : window.at + 24])
        self._find_header()
        size = window.offset - offset
        if wide := wide_text(start):
            text = f"the file is {wide}: X12 has one byte for a character of its delimiters; ask for ASCII or UTF-8"
            return Event("junk", offset, error=DecodeError(text, offset=offset, code="024"), lone=True)
        text = f"found {size} bytes beginning with {start!r}, expected an interchange (ISA)"
        return Event("junk", offset, error=DecodeError(text, offset=offset, code="024"), lone=True)

    def _find_header(self) -> None:
        """Goes to the next thing that looks like an ISA, or to the end."""
        window = self._window
        while True:
            found = ISA.search(window.data, window.at)
            if found is not None:
                window.at = found.start()
                return
            window.at = max(window.at, len(window.data) - 3)
            if not window.more():
                window.at = len(window.data)
                return

    def _interchange(self, delimiters: Delimiters) -> Iterator[Event]:
        """Events up to the IEA, or up to where the interchange breaks off."""
        window, patterns = self._window, boundaries(delimiters)
        control = patterns.control
        while window.skip(patterns.blank):
            window.ahead(4)
            if window.starts(b"ISA"):
                window.ahead(LONGEST)
            if not control.match(window.data, window.at):
                yield self._stray(delimiters)
                continue
            name = bytes(window.data[window.at : window.at + 2])
            if name == b"ST":
                yield self._transaction(delimiters)
                continue
            if name == b"IS":
                return
            yield (event := self._segment(delimiters))
            if event.kind == "IEA":
                return

    def _segment(self, delimiters: Delimiters) -> Event:
        """A control segment, or (SE, too long) junk."""
        offset = self._window.offset
        data = self._until(delimiters.terminator)
        if data is None:
            error = DecodeError(f"no segment terminator within {MAX_CONTROL} bytes", offset=offset, code="024")
            return Event("junk", offset, error=error)
        data = data.rstrip(blanks(delimiters) + b"\0\x1a")
        elements = tuple(part.strip() for part in data.decode("latin-1").split(delimiters.element.decode("latin-1")))
        match elements[0]:
            case "TA1" | "GS" | "GE" | "IEA" as kind:
                return Event(kind, offset, elements)
            case other:
                error = DecodeError("found SE without a transaction", segment=other, offset=offset, code="022")
                return Event("junk", offset, elements, error=error)

    def _stray(self, delimiters: Delimiters) -> Event:
        """All up to the next control segment."""
        window = self._window
        window.ahead(24)
        offset = window.offset
        start = bytes(window.data[window.at : window.at + 24]).partition(delimiters.terminator)[0]
        close = boundaries(delimiters).close
        while (found := close.search(window.data, window.at)) is None:
            window.at = max(window.at, resume(window))
            if not window.more():
                break
        window.at = _behind(window, found) if found else len(window.data)
        error = DecodeError(f"found {start!r} outside of a transaction", offset=offset, code="024")
        return Event("junk", offset, error=error)

    def _until(self, terminator: bytes) -> bytes | None:
        """The bytes before the next terminator, or before the end; behind which it goes. None when it is too far."""
        window = self._window
        while (end := window.data.find(terminator, window.at)) < 0 and window.left < MAX_CONTROL:
            if not window.more():
                end = len(window.data)
                break
        if end < 0 or end - window.at > MAX_CONTROL:
            window.at = min(len(window.data), window.at + MAX_CONTROL)
            return None
        size = broken_off(window, 0, end - window.at)
        end = window.at + size
        data = bytes(window.data[window.at : end])
        window.at = _over(window, end)
        return data

    def _transaction(self, delimiters: Delimiters) -> Event:
        """From ST to SE; or, without SE, to what stands in its place."""
        window, plain = self._window, self._window.plain
        event = self._tidy_transaction(delimiters) or self._any_transaction(delimiters)
        return event if window.wrap is None else replace(event, wrap=window.wrap, start=plain)

    def _any_transaction(self, delimiters: Delimiters) -> Event:
        window, close = self._window, boundaries(delimiters).close
        offset = window.offset
        binary = binary_ranges(window, delimiters)
        start = binary[-1][1] if binary else 0
        too_long = False
        while (found := close.search(window.data, window.at + start)) is None:
            if window.left > MAX_TRANSACTION:
                too_long = True
                window.at = len(window.data) - 16
            start = max(0, resume(window) - window.at)
            if not window.more():
                break
        if found is None:
            data = bytes(window.data[window.at :])
            window.at = len(window.data)
            return self._opened(offset, data, too_long)
        end = found.end
        if window.data[end - 3 : end - 1] != b"SE":
            data = bytes(window.data[window.at : found.start])
            window.at = _behind(window, found)
            return self._opened(offset, data, too_long)
        end -= window.at
        while (last := window.data.find(delimiters.terminator, window.at + end)) < 0:
            if window.left - end > MAX_CONTROL or not window.more():
                last = len(window.data)
                break
        size = broken_off(window, end, last - window.at)
        last = window.at + size
        data = bytes(window.data[window.at : last])
        window.at = _over(window, last)
        return self._opened(offset, data, too_long) if too_long else Event("ST", offset, data=data, binary=binary)

    def _tidy_transaction(self, delimiters: Delimiters) -> Event | None:
        """The fast way for a transaction that is in memory whole, and whose SE01 is the number of terminators up to
        there: then nothing else can end it before."""
        window = self._window
        buffer, start, terminator = window.data, window.at, delimiters.terminator
        first = buffer.find(terminator, start)
        if first < 0:
            return None
        odd = boundaries(delimiters).odd.search(buffer, first)
        trailer = odd.start if odd is not None else -1
        end = buffer.find(terminator, trailer + 1) if trailer >= 0 else -1
        if end < 0:
            return None
        counted = bytes(buffer[trailer + 1 : end]).split(delimiters.element, 2)
        if len(counted) < 3 or counted[0].lstrip() != b"SE" or not counted[1].isdigit() or len(counted[1]) > 10:
            return None
        if len(counted[2].strip()) > LONGEST_NUMBER or int(counted[1]) != buffer.count(terminator, start, end) + 1:
            return None
        data = bytes(memoryview(buffer)[start:end])
        if data.find(b"ISA", 0, trailer - start) >= 0 and NEXT.search(data, 0, trailer - start):
            return None
        offset, window.at = window.offset, end + 1
        return Event("ST", offset, data=data)

    def _opened(self, offset: int, data: bytes, too_long: bool) -> Event:
        """A transaction that can't be read as a whole."""
        if too_long:
            text, code = f"a transaction of more than {MAX_TRANSACTION} bytes", "5"
            data = b""
        else:
            text, code = "the transaction has no SE", "2"
        return Event(
            "ST", offset, data=data, closed=False, error=DecodeError(text, segment="ST", offset=offset, code=code)
        )


def _behind(window: ByteWindow, close: SegmentStart) -> int:
    """Where the segment begins that ends what stands before it: behind one byte, unless it is a header that has broken
    in."""
    return close.start + (not window.data.startswith(b"ISA", close.start))


def _over(window: ByteWindow, end: int) -> int:
    """Where what follows a segment begins: behind its terminator, or at the header that has broken in."""
    return end if window.data.startswith(b"ISA", end) else min(end + 1, len(window.data))
