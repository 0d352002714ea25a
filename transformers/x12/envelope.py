"""The envelopes of a body as a stream of events: ISA, GS, a transaction, GE, IEA, and what is none of these.

Memory is bounded by the largest transaction. Nothing is judged here but what the bytes are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from hub.core.errors import DecodeError
from hub.core.ports import Body
from transformers.x12.delimiters import LONGEST, WIDTHS, Delimiters, InterchangeHeader, read_header
from transformers.x12.event import Event, unwrapped_to_body

MAX_TRANSACTION = 64 << 20
"""Bytes of one transaction; a longer one is refused, and the reader goes on behind it."""

ISA_SIZE = 106
"""Bytes of an ISA with its terminator, when its elements have their widths."""

MAX_CONTROL = 1 << 16
"""Bytes in which a segment outside of a transaction must end."""

MOST_JUNK = 1000
"""Things in a row that look like an ISA and are none, after which the rest of the body is taken for junk too."""

_SPACE = re.compile(rb"[\s\x00\x1a]*")
_BLANK = re.compile(rb"\s*")
_LINE_END = re.compile(rb"\r?\n")
_BOM = b"\xef\xbb\xbf"
_ISA = re.compile(rb"ISA[^0-9A-Za-z\s]")
_HEADER = re.compile(rb"ISA")
_NEXT = re.compile(rb"[\r\n]ISA[^0-9A-Za-z\s]")
"""A header on a line of its own: whatever stood there before it has broken off."""


def events(body: Body) -> Iterator[Event]:
    """The envelopes of a body, in their order. The last event is `end`. Never raises for what the bytes are."""
    return _Scanner(body).run()


@dataclass(frozen=True, slots=True)
class _Patterns:
    """`control`: a control segment; `close`: what ends a transaction; `binary`: the beginning of a binary segment; `odd`: what a
    tidy transaction doesn't have; `blank`: what may stand between segments."""

    control: re.Pattern[bytes]
    close: re.Pattern[bytes]
    binary: re.Pattern[bytes]
    odd: re.Pattern[bytes]
    blank: re.Pattern[bytes]


@lru_cache(maxsize=64)
def _patterns(delimiters: Delimiters) -> _Patterns:
    separator, terminator = re.escape(delimiters.element), re.escape(delimiters.terminator)
    return _Patterns(
        re.compile(rb"(?:ISA|TA1|GS|ST|SE|GE|IEA)" + separator),
        re.compile(terminator + rb"\s*(?:S[ET]|G[ES]|I(?:EA|SA))" + separator + rb"|[\r\n]ISA[^0-9A-Za-z\s]"),
        re.compile(terminator + rb"\s*(BIN|BDS)" + separator),
        re.compile(terminator + rb"\s*(?:S[ET]|G[ES]|I(?:EA|SA)|BIN|BDS)" + separator),
        re.compile(rb"[\s\x00\x1a" + terminator + rb"]*"),
    )


def wrapped(head: bytes) -> tuple[int, int] | None:
    """The length of the lines that a body is broken into, and of its line ends, when its ISA is."""
    head = head.removeprefix(_BOM)
    found = _LINE_END.search(head)
    if not head.startswith(b"ISA") or found is None or not 20 <= found.start() < ISA_SIZE:
        return None
    width, size = found.start(), found.end() - found.start()
    joined = head.replace(b"\r", b"").replace(b"\n", b"")
    if head[:width].count(head[3:4]) >= len(WIDTHS) or joined[:ISA_SIZE].count(head[3:4]) != len(WIDTHS):
        return None
    return width, size


class _Scanner:
    def __init__(self, body: Body) -> None:
        self._chunks = body.chunks()
        self._buffer = bytearray()
        self._at = 0
        self._dropped = 0
        self._over = False
        self._wrap: tuple[int, int] | None = None

    @property
    def _offset(self) -> int:
        """Where in the body it stands."""
        plain = self._dropped + self._at
        return plain if self._wrap is None else unwrapped_to_body(plain, self._wrap)

    def _unwrap(self) -> None:
        """A body whose ISA is broken into lines is wrapped, all of it: line ends are no part of it."""
        if self._wrap is None and self._dropped + self._at == 0 and (wrap := wrapped(bytes(self._buffer[:LONGEST]))):
            self._wrap = wrap
            self._buffer = self._buffer.replace(b"\r", b"").replace(b"\n", b"")

    def _more(self) -> bool:
        """Reads on; drops what is behind. False at the end."""
        if self._over:
            return False
        if self._at:
            del self._buffer[: self._at]
            self._dropped += self._at
            self._at = 0
        piece = next(self._chunks, b"")
        self._over = not piece
        if self._wrap is not None:
            piece = piece.replace(b"\r", b"").replace(b"\n", b"")
        self._buffer += piece
        return not self._over

    def _skip(self, blank: re.Pattern[bytes], and_bom: bool = False) -> bool:
        """False at the end of the body."""
        while True:
            found = blank.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at == len(self._buffer):
                if not self._more():
                    return False
                continue
            if and_bom and self._buffer[self._at] == 0xEF:
                while len(self._buffer) - self._at < 3 and self._more():
                    pass
                if self._buffer.startswith(_BOM, self._at):
                    self._at += 3
                    continue
            return True

    def run(self) -> Iterator[Event]:
        junk = 0
        while self._skip(_SPACE, and_bom=True):
            while len(self._buffer) - self._at < LONGEST and self._more():
                pass
            self._unwrap()
            offset = self._offset
            header = self._header()
            if isinstance(header, DecodeError):
                if not junk:
                    yield Event("junk", offset, error=header, lone=True)
                junk += 1
                if junk > MOST_JUNK:
                    while self._more():
                        self._at = len(self._buffer)
                    break
                continue
            junk = 0
            self._at += header.size
            yield Event("ISA", header.offset, header.elements, header=header)
            yield from self._interchange(header.delimiters)
        yield Event("end", self._offset)

    def _header(self) -> InterchangeHeader | DecodeError:
        """The ISA that begins here; or why there is none, and then it goes to where the next one may be."""
        if self._buffer.startswith(b"ISA", self._at):
            try:
                return read_header(bytes(self._buffer[self._at : self._at + LONGEST]), self._offset)
            except DecodeError as error:
                self._at += 3
                self._find_header()
                return error.with_traceback(None)
        offset = self._offset
        start = bytes(self._buffer[self._at : self._at + 24])
        self._find_header()
        size = self._offset - offset
        text = f"found {size} bytes beginning with {start!r}, expected an interchange (ISA)"
        return DecodeError(text, offset=offset, code="024")

    def _find_header(self) -> None:
        """Goes to the next thing that looks like an ISA, or to the end."""
        while True:
            found = _ISA.search(self._buffer, self._at)
            if found is not None:
                self._at = found.start()
                return
            self._at = max(self._at, len(self._buffer) - 3)
            if not self._more():
                self._at = len(self._buffer)
                return

    def _interchange(self, delimiters: Delimiters) -> Iterator[Event]:
        """Events up to the IEA, or up to where the interchange breaks off."""
        patterns = _patterns(delimiters)
        control = patterns.control
        while self._skip(patterns.blank):
            while len(self._buffer) - self._at < 4 and self._more():
                pass
            if not control.match(self._buffer, self._at):
                yield self._stray(delimiters)
                continue
            name = bytes(self._buffer[self._at : self._at + 2])
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
        offset = self._offset
        data = self._until(delimiters.terminator)
        if data is None:
            error = DecodeError(f"no segment terminator within {MAX_CONTROL} bytes", offset=offset, code="024")
            return Event("junk", offset, error=error)
        data = data.rstrip(b"\r\n\t \x00\x1a")
        elements = tuple(part.strip() for part in data.decode("latin-1").split(delimiters.element.decode("latin-1")))
        match elements[0]:
            case "TA1" | "GS" | "GE" | "IEA" as kind:
                return Event(kind, offset, elements)
            case other:
                error = DecodeError("found SE without a transaction", segment=other, offset=offset, code="024")
                return Event("junk", offset, elements, error=error)

    def _stray(self, delimiters: Delimiters) -> Event:
        """All up to the next control segment."""
        while len(self._buffer) - self._at < 24 and self._more():
            pass
        offset = self._offset
        start = bytes(self._buffer[self._at : self._at + 24]).partition(delimiters.terminator)[0]
        close = _patterns(delimiters).close
        while (found := close.search(self._buffer, self._at)) is None:
            self._at = max(self._at, self._resume())
            if not self._more():
                break
        self._at = found.start() + 1 if found else len(self._buffer)
        error = DecodeError(f"found {start!r} outside of a transaction", offset=offset, code="024")
        return Event("junk", offset, error=error)

    def _until(self, terminator: bytes) -> bytes | None:
        """The bytes before the next terminator, or before the end; behind which it goes. None when it is too far."""
        while (end := self._buffer.find(terminator, self._at)) < 0 and len(self._buffer) - self._at < MAX_CONTROL:
            if not self._more():
                end = len(self._buffer)
                break
        if end < 0 or end - self._at > MAX_CONTROL:
            self._at = min(len(self._buffer), self._at + MAX_CONTROL)
            return None
        end = self._broken_off(self._at, end)
        data = bytes(self._buffer[self._at : end])
        self._at = min(end + 1, len(self._buffer))
        return data

    def _resume(self) -> int:
        """From where to search again when more bytes have come: before what may be half a segment id, the blanks before it,
        and the terminator before those."""
        tail = bytes(self._buffer[-MAX_CONTROL:])
        return len(self._buffer) - len(tail) + len(tail[:-4].rstrip()) - 16

    def _broken_off(self, start: int, end: int) -> int:
        """The end of a segment, or where the next interchange begins before it."""
        found = _NEXT.search(self._buffer, start, end + 5)
        return min(end, found.start()) if found else end

    def _transaction(self, delimiters: Delimiters) -> Event:
        """From ST to SE; or, without SE, to what stands in its place."""
        plain = self._dropped + self._at
        event = self._tidy_transaction(delimiters) or self._any_transaction(delimiters)
        return event if self._wrap is None else replace(event, wrap=self._wrap, start=plain)

    def _any_transaction(self, delimiters: Delimiters) -> Event:
        close = _patterns(delimiters).close
        offset = self._offset
        binary = self._binary(delimiters)
        start = binary[-1][1] if binary else 0
        too_long = False
        while (found := close.search(self._buffer, self._at + start)) is None:
            if len(self._buffer) - self._at > MAX_TRANSACTION:
                too_long = True
                self._at = len(self._buffer) - 16
            start = max(0, self._resume() - self._at)
            if not self._more():
                break
        if found is None:
            data = bytes(self._buffer[self._at :])
            self._at = len(self._buffer)
            return self._opened(offset, data, too_long)
        end = found.end()
        if self._buffer[end - 3 : end - 1] != b"SE":
            data = bytes(self._buffer[self._at : found.start()])
            self._at = found.start() + 1
            return self._opened(offset, data, too_long)
        end -= self._at
        while (last := self._buffer.find(delimiters.terminator, self._at + end)) < 0:
            if len(self._buffer) - self._at - end > MAX_CONTROL or not self._more():
                last = len(self._buffer)
                break
        last = self._broken_off(self._at + end, last)
        data = bytes(self._buffer[self._at : last])
        self._at = min(last + 1, len(self._buffer))
        return self._opened(offset, data, too_long) if too_long else Event("ST", offset, data=data, binary=binary)

    def _binary(self, delimiters: Delimiters) -> tuple[tuple[int, int], ...]:
        """The ranges, from where the transaction begins, that its BIN and BDS segments say are binary."""
        patterns = _patterns(delimiters)
        found: list[tuple[int, int]] = []
        start = scanned = 0
        close = -1  # where the transaction ends, as far as is known: behind `start`, or unknown
        while True:
            while close < start:
                match = patterns.close.search(self._buffer, self._at + max(scanned, start))
                if match is not None:
                    close = match.start() - self._at
                    break
                scanned = max(scanned, start, self._resume() - self._at)
                if not self._more_of_it():
                    close = len(self._buffer) - self._at
                    break
            until = min(self._at + close + 8, len(self._buffer))
            mark = patterns.binary.search(self._buffer, self._at + start, until)
            if mark is None or mark.start() - self._at > close:
                return tuple(found)
            data = self._binary_data(mark, delimiters)
            start = data[1] if data else mark.end() - self._at
            if data:
                found.append(data)

    def _more_of_it(self) -> bool:
        return len(self._buffer) - self._at <= MAX_TRANSACTION and self._more()

    def _binary_data(self, mark: re.Match[bytes], delimiters: Delimiters) -> tuple[int, int] | None:
        """The range of the data of one binary segment: BIN01 is its length, or BDS02. Where no terminator stands behind it the
        length isn't true, and the next terminator ends it. None where there is no length."""
        lead = 1 if mark[1] == b"BIN" else 2
        begin = mark.end() - self._at
        while len(self._buffer) - self._at - begin < 40 and self._more_of_it():
            pass
        head = bytes(self._buffer[self._at + begin : self._at + begin + 40]).split(delimiters.element, lead)
        if len(head) <= lead or not head[lead - 1].isdigit():
            return None
        first = begin + sum(len(part) + 1 for part in head[:lead])
        end = first + int(head[lead - 1])
        while end - begin <= MAX_TRANSACTION and len(self._buffer) - self._at < end + 2 and self._more_of_it():
            pass
        behind = self._buffer[self._at + end : self._at + end + 2]
        if behind.startswith(delimiters.terminator) or (delimiters.terminator == b"\n" and behind == b"\r\n"):
            return first, end
        last = self._buffer.find(delimiters.terminator, self._at + first)
        return (first, self._broken_off(self._at + first, last) - self._at) if last >= 0 else None

    def _tidy_transaction(self, delimiters: Delimiters) -> Event | None:
        """The fast way for a transaction that is in memory whole, with the same between its SE and the segment before it as
        behind its ST, and whose SE01 is the number of terminators up to there: then nothing else can end it before."""
        buffer, start, terminator = self._buffer, self._at, delimiters.terminator
        first = buffer.find(terminator, start)
        blank = _BLANK.match(buffer, first + 1)
        if first < 0 or blank is None:
            return None
        odd = _patterns(delimiters).odd.search(buffer, first)
        trailer = odd.start() if odd is not None else -1
        end = buffer.find(terminator, trailer + 1) if trailer >= 0 else -1
        if end < 0:
            return None
        counted = bytes(buffer[trailer + 1 : end]).split(delimiters.element, 2)
        if len(counted) < 3 or counted[0].lstrip() != b"SE" or not counted[1].isdigit() or len(counted[1]) > 10:
            return None
        if len(counted[2].split()) > 1 or int(counted[1]) != buffer.count(terminator, start, end) + 1:
            return None
        data = bytes(memoryview(buffer)[start:trailer])
        if _HEADER.search(data) and _NEXT.search(data):
            return None
        data += buffer[trailer:end]
        offset, self._at = self._offset, end + 1
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
