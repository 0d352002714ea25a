"""One transaction: its bytes to a document, or to the error that says what is wrong with it.

Character set: UTF-8; where the bytes are not UTF-8, or a delimiter is not ASCII, ISO 8859-1. Decided for each transaction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from hub.core.errors import DecodeError
from hub.documents import Document
from transformers.x12.catalogue import known_sets, release_of
from transformers.x12.compiled import CompiledSet, compiled_set
from transformers.x12.delimiters import Delimiters
from transformers.x12.diagnose import diagnose
from transformers.x12.event import Event
from transformers.x12.values import Refused
from transformers.x12.verdict import same_number


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a transaction is: its set and control number, and a document or an error."""

    set: str
    control_number: str
    document: Document | None = None
    error: DecodeError | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Marks:
    """The delimiters as text, and what is made of them once."""

    element: str
    component: str
    terminator: str
    ascii: bool
    control: re.Pattern[str]
    padding: tuple[str, str]


@lru_cache(maxsize=64)
def _marks(delimiters: Delimiters) -> _Marks:
    element, component, terminator = (
        b.decode("latin-1") for b in (delimiters.element, delimiters.component, delimiters.terminator)
    )
    allowed = re.escape("".join({element, component, terminator}))
    return _Marks(
        element,
        component,
        terminator,
        (element + component + terminator).isascii(),
        re.compile(f"(?![{allowed}])[\\x00-\\x1f\\x7f]"),
        (" " + element, " " + terminator),
    )


def read_transaction(event: Event, delimiters: Delimiters, version: str, partner: str | None) -> Transaction:
    """Reads what stands between ST and SE. `version` is GS08."""
    marks = _marks(delimiters)
    text, warnings = _decode(event.data, marks)
    segments, clean = _split(text, marks)
    header = [part.strip() for part in segments[0].split(marks.element)] if segments else []
    name = header[1] if len(header) > 1 else ""
    number = header[2] if len(header) > 2 else ""

    def refused(error: DecodeError) -> Transaction:
        return Transaction(name, number, error=error, warnings=warnings)

    if event.error is not None:
        return refused(event.error)
    if error := _trailer_error(event, segments, marks, number):
        return refused(error)
    if name not in _sets():
        text = f"no declaration for transaction set {name[:20]}" if name else "ST01 is missing: which transaction set?"
        return refused(DecodeError(text, segment="ST", element="ST01", offset=event.offset, code="1"))
    release, exact = release_of(version)
    if not exact:
        warnings += (f"version {version[:20]!r} isn't one that we know; read as {release}",)
    compiled = compiled_set(name, release)
    body = segments[1:]
    try:
        if not clean:
            raise Refused
        document, noted = compiled.read(body, marks.element, marks.component, partner)
    except Refused:
        return refused(_explain(compiled, event, segments, marks))
    return Transaction(name, number, document, warnings=warnings + noted)


@lru_cache(maxsize=1)
def _sets() -> frozenset[str]:
    return frozenset(known_sets())


def _decode(data: bytes, marks: _Marks) -> tuple[str, tuple[str, ...]]:
    if marks.ascii:
        try:
            return data.decode("utf-8"), ()
        except UnicodeDecodeError:
            pass
    return data.decode("latin-1"), ("the bytes aren't UTF-8; read as ISO 8859-1",)


def _split(text: str, marks: _Marks) -> tuple[list[str], bool]:
    """The segments: without line ends between them, without blank ones, without padding behind values. And whether no
    control character is in them."""
    terminator = marks.terminator
    if "\n" in text or "\r" in text:
        text = text.replace("\r\n", "\n")
        between = terminator + "\n"
        for _ in range(4 if terminator != "\n" else 0):  # more blank lines than that are stripped one by one
            text = text.replace(between, terminator)
    segments = text.split(terminator)
    clean = text.replace(terminator, "").isprintable()
    if not clean or terminator + " " in text:
        segments = [part.strip("\r\n \t") for part in segments]
        clean = not any(marks.control.search(part) for part in segments)
    if marks.padding[0] in text or marks.padding[1] in text or text.endswith(" "):
        segments = [_unpadded(part, marks.element) for part in segments]
    return ([part for part in segments if part] if "" in segments else segments), clean


def _unpadded(segment: str, separator: str) -> str:
    if " " + separator not in segment and not segment.endswith(" "):
        return segment
    return separator.join(value.rstrip(" ") for value in segment.split(separator))


def _trailer_error(event: Event, segments: list[str], marks: _Marks, number: str) -> DecodeError | None:
    """Whether SE says what is so. Codes are those of AK502."""
    trailer = segments[-1].split(marks.element) if segments else []
    position = event.offset + event.data.rfind(b"SE")
    counted = trailer[1].strip() if len(trailer) > 1 else ""
    control = trailer[2].strip() if len(trailer) > 2 else ""
    if not same_number(counted, str(len(segments))):
        text = f"SE01 is {counted[:20]!r}, and the transaction has {len(segments)} segments"
        return DecodeError(text, segment="SE", element="SE01", offset=position, code="4")
    if control != number:
        text = f"SE02 is {control[:20]!r}, expected {number[:20]!r} as in ST02"
        return DecodeError(text, segment="SE", element="SE02", offset=position, code="3")
    return None


def _explain(compiled: CompiledSet, event: Event, segments: list[str], marks: _Marks) -> DecodeError:
    findings = diagnose(compiled, segments[1:], marks.element, marks.component)
    if not findings:
        return DecodeError("the transaction breaks its declaration", segment="ST", offset=event.offset, code="5")
    first = findings[0]
    more = f"; {len(findings) - 1} more" if len(findings) > 1 else ""
    element = f"{first.segment}{first.element:02}" if first.element else None
    offset = event.offset + _offset(event.data, marks.terminator.encode("latin-1"), first.position)
    return DecodeError(
        first.text + more, segment=f"{first.segment}[{first.position}]", element=element, offset=offset, code=first.code
    )


def _offset(data: bytes, terminator: bytes, position: int) -> int:
    """Where the segment with a position (from 1) begins."""
    at = 0
    for part in data.split(terminator):
        if part.strip():
            position -= 1
            if position == 0:
                return at + len(part) - len(part.lstrip())
        at += len(part) + 1
    return 0
