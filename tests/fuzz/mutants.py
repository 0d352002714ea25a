"""Sound interchanges of every set, and what accidents make of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hypothesis import strategies as st

from hub.core.ports import BytesBody
from tests.golden.x12_files import FIXTURES, read
from transformers.x12.envelope.scan import events

PIECES = [
    b"*",
    b"~",
    b"\n",
    b">",
    b"^",
    b" ",
    b"ISA*",
    b"\nISA*00*",
    b"~ST*850*1",
    b"~SE*3*0002",
    b"~GE*1*1",
    b"~BIN*9*",
    b"ISA|00|          |00|          |01|043645501      |01|068717859      |260302|0815|U|00401|000000099|0|P|>'GS|PO|",
    b"HL*1**S",
]
"""What is put in the place of a byte, when it isn't any byte."""

CLOSERS = (b"ST", b"SE", b"GS", b"GE", b"ISA", b"IEA")


@dataclass(frozen=True)
class Interchange:
    """Two groups around the same transactions. `start` and `end` are those of the second transaction of the first
    group, the one to which something happens; `separator` ends a segment."""

    name: str
    data: bytes
    start: int
    end: int
    separator: bytes

    @property
    def touched(self) -> bytes:
        return self.data[self.start : self.end]

    def with_touched(self, piece: bytes) -> bytes:
        return self.data[: self.start] + piece + self.data[self.end :]


@lru_cache(maxsize=1)
def interchanges() -> list[Interchange]:
    """One for each fixture that is read without a flaw."""
    found = []
    for path in sorted(FIXTURES.glob("*.edi")):
        data = path.read_bytes()
        if all(reading.document and not reading.warnings for reading in read(data)):
            found.append(_interchange(path.stem, data))
    return found


def _interchange(name: str, data: bytes) -> Interchange:
    stream = list(events(BytesBody(data)))
    header = next(event.header for event in stream if event.header)
    group = next(event.elements for event in stream if event.kind == "GS")
    marks = header.delimiters
    end = marks.terminator + (b"\n" if marks.terminator != b"\n" else b"")
    one = next(event.data for event in stream if event.kind == "ST")
    transactions = [_numbered(one, marks.element, marks.terminator, number) + end for number in (1, 2, 3)]
    before = data[: data.index(header.elements[13].encode())]
    isa = before + header.elements[13].encode() + marks.element + b"0" + marks.element + b"P" + marks.element
    isa += marks.component + end
    text, control, at = isa, header.elements[13].encode(), 0
    for number, inside in enumerate(([0, 1, 2], [0]), 1):
        opening = [*(element.encode() for element in group[:6]), b"%d" % number, *(e.encode() for e in group[7:])]
        text += marks.element.join(opening) + end
        at = at or len(text) + len(transactions[0])
        text += b"".join(transactions[i] for i in inside)
        text += marks.element.join([b"GE", b"%d" % len(inside), b"%d" % number]) + end
    text += marks.element.join([b"IEA", b"2", control]) + end
    return Interchange(name, text, at, at + len(transactions[1]), marks.terminator)


def _numbered(transaction: bytes, element: bytes, terminator: bytes, number: int) -> bytes:
    """The transaction with another control number."""
    first, rest = transaction.split(terminator, 1)
    body, last = rest.rsplit(terminator, 1)
    header, trailer = first.split(element), last.split(element)
    header[2] = trailer[2] = b"%04d" % number
    return terminator.join([element.join(header), body, element.join(trailer)])


@st.composite
def broken_segments(draw: st.DrawFn, text: bytes, terminator: bytes) -> bytes:
    """Segments dropped, repeated, exchanged, or with an element changed."""
    segments = text.split(terminator)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(segments) - 1))
        other = draw(st.integers(0, len(segments) - 1))
        match draw(st.sampled_from(["drop", "repeat", "swap", "element", "more"])):
            case "drop" if len(segments) > 1:
                del segments[at]
            case "repeat":
                segments.insert(other, segments[at])
            case "swap":
                segments[at], segments[other] = segments[other], segments[at]
            case "element":
                elements = segments[at].split(b"*")
                elements[draw(st.integers(0, len(elements) - 1))] = draw(st.sampled_from(_VALUES))
                segments[at] = b"*".join(elements)
            case _:
                segments[at] += b"*" + draw(st.sampled_from(_VALUES))
    return terminator.join(segments)


_VALUES = [
    b"",
    b"1",
    b"A",
    b"ZZ",
    b"20260302",
    b"20260299",
    b"12.5",
    b"-3",
    b"1,5",
    b"X" * 90,
    b"A>B",
    b"A^B",
    b"\xc3\xa9",
    b"\xff",
    b" A ",
]


@st.composite
def broken_bytes(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes dropped, repeated, exchanged, flipped, replaced, or all behind one cut off."""
    data = bytearray(text)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at, size = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 30))
        match draw(st.sampled_from(["drop", "repeat", "flip", "replace", "cut", "swap"])):
            case "drop":
                del data[at : at + size]
            case "repeat":
                data[at:at] = data[at : at + size]
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "replace":
                data[at : at + 1] = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)))
            case "cut":
                del data[at:]
            case _:
                data[at : at + size] = bytes(reversed(data[at : at + size]))
    return bytes(data)


@st.composite
def mutants(draw: st.DrawFn) -> tuple[Interchange, bytes]:
    """An interchange, and its bytes with an accident to the second transaction of its first group."""
    one = draw(st.sampled_from(interchanges()))
    how = draw(st.sampled_from([broken_segments(one.touched, one.separator), broken_bytes(one.touched)]))
    return one, one.with_touched(draw(how))


@st.composite
def wrecks(draw: st.DrawFn) -> bytes:
    """An interchange with accidents anywhere in it, its envelopes included."""
    one = draw(st.sampled_from(interchanges()))
    return draw(st.one_of(broken_bytes(one.data), broken_segments(one.data, one.separator)))
