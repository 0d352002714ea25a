"""The interchange of what we send: ISA, GS, ST and their trailers around transactions that are rendered already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from hub.core.agreement import Agreement, InterchangeId, Separators
from hub.core.errors import MappingError
from transformers.x12.declarations.catalogue import release_of
from transformers.x12.envelope.binary import LENGTH_AT, data_of, length_error
from transformers.x12.writing.written_segment import Text, WrittenSegment

LAST = 999_999_999
"""The greatest control number: ISA13 has nine digits."""


@dataclass(frozen=True, slots=True)
class OutgoingInterchange:
    """What stands in the headers of one interchange with one group."""

    agreement: Agreement
    group_code: str
    version: str
    control_number: int
    at: datetime
    test: bool = False
    convention: str = ""
    asks_ta1: bool = False

    @property
    def separators(self) -> Separators:
        """Those agreed; nothing separates repetitions before 00402."""
        agreed = self.agreement.separators
        return agreed if release_of(self.version)[0] >= "004020" else replace(agreed, repetition="")


def transaction_lines(
    segments: Sequence[WrittenSegment], name: str, number: str, interchange: OutgoingInterchange
) -> list[str]:
    """ST to SE, with the count, without terminators. Raises MappingError for a value that a separator would break."""
    marks = interchange.separators
    header = [name, number] + ([interchange.convention] if interchange.convention else [])
    lines = [marks.element.join(["ST", *header])]
    lines += [segment_text(segment, marks) for segment in segments]
    return [*lines, marks.element.join(["SE", str(len(segments) + 2), number])]


def interchange_text(transactions: int, interchange: OutgoingInterchange) -> tuple[str, str]:
    """ISA and GS, and GE and IEA: what stands around so many transactions (each ST to SE)."""
    number = interchange.control_number
    they, we = _parties(interchange)
    agreement, at, marks = interchange.agreement, interchange.at, interchange.separators
    old = interchange.version < "004010"
    group = [
        *("GS", interchange.group_code, agreement.group_we or we.id, agreement.group_they or they.id),
        *(at.strftime("%y%m%d" if old else "%Y%m%d"), at.strftime("%H%M"), str(number), "X", interchange.version),
    ]
    head = ended([isa_text(interchange), marks.element.join(group)], marks)
    tail = ended([marks.element.join(["GE", str(transactions), str(number)]), _iea(1, number, marks)], marks)
    return head, tail


def bare_interchange_text(segments: Sequence[str], interchange: OutgoingInterchange) -> str:
    """ISA to IEA around segments that belong to no group (TA1)."""
    marks = interchange.separators
    return ended([isa_text(interchange), *segments, _iea(0, interchange.control_number, marks)], marks)


def isa_text(interchange: OutgoingInterchange) -> str:
    """The ISA, 105 characters without its terminator."""
    if not 0 < interchange.control_number <= LAST:
        raise MappingError(f"the control number {interchange.control_number} isn't between 1 and {LAST}")
    they, we = _parties(interchange)
    marks, at = interchange.separators, interchange.at
    return marks.element.join(
        [
            *("ISA", "00", " " * 10, "00", " " * 10, we.qualifier, f"{we.id:<15}", they.qualifier, f"{they.id:<15}"),
            *(
                at.strftime("%y%m%d"),
                at.strftime("%H%M"),
                marks.repetition or "U",
                release_of(interchange.version)[0][:5],
            ),
            *(
                f"{interchange.control_number:09}",
                "1" if interchange.asks_ta1 else "0",
                "T" if interchange.test else "P",
            ),
            marks.component,
        ]
    )


def segment_text(segment: WrittenSegment, marks: Separators) -> str:
    """One segment, without empty elements at its end and blanks at the end of values. Raises MappingError, which names
    the field, for a value that holds a separator, and for repetitions where nothing separates them."""
    data = _data_of(segment)
    if data is None and (plain := _plain(segment.elements, marks)) is not None:
        return plain
    texts = [segment.id]
    special = _special(marks)
    for position, text in enumerate(segment.elements[1:], 1):
        if position == data:
            texts.append(str(text))  # its length says where it ends, not its bytes
            continue
        repetitions = [[part.rstrip(" ") for part in one] for one in (text if isinstance(text, list) else [[text]])]
        if len(repetitions) > 1 and not marks.repetition:
            raise MappingError(
                f"{segment.field(position)}: {len(repetitions)} repetitions, and nothing separates them before 004020 "
                f"({segment.id}{position:02})"
            )
        for part in (part for components in repetitions for part in components):
            if found := next((c for c in part if c in special), None):
                raise MappingError(
                    f"{segment.field(position)}: {part[:60]!r} holds {found!r}, which separates in what we send "
                    f"({segment.id}{position:02}); agree on other separators"
                )
        texts.append(marks.repetition.join(marks.component.join(_trimmed(components)) for components in repetitions))
    return marks.element.join(_trimmed(texts))


def _plain(elements: Sequence[Text], marks: Separators) -> str | None:
    """The short way for a segment whose elements are texts without separators in them and without blanks at their
    ends."""
    separator = marks.element
    try:
        text = separator.join(elements)  # type: ignore[arg-type]
    except TypeError:
        return None  # a composite, or repetitions
    if text.count(separator) >= len(elements) or not _others(marks).isdisjoint(text):
        return None
    if " " in text and (f" {separator}" in text or text.endswith(" ")):
        return None
    return text.rstrip(separator)


@lru_cache(maxsize=64)
def _others(marks: Separators) -> frozenset[str]:
    return _special(marks) - {marks.element}


def _data_of(segment: WrittenSegment) -> int | None:
    """Which element is binary data. Raises MappingError where its length isn't as said."""
    if segment.id not in LENGTH_AT or not all(isinstance(text, str) for text in segment.elements):
        return None
    texts = [str(text) for text in segment.elements]
    at = data_of(texts)
    if at is not None and (wrong := length_error(texts)):
        raise MappingError(f"{segment.field(at)}: {wrong[1]} ({segment.id}{at:02})")
    return at


@lru_cache(maxsize=64)
def _special(marks: Separators) -> frozenset[str]:
    """What no value may hold."""
    return frozenset((marks.element, marks.component, marks.repetition, marks.terminator, *marks.newline))


def _trimmed(texts: Sequence[str]) -> list[str]:
    last = len(texts)
    while last > 1 and not texts[last - 1]:
        last -= 1
    return list(texts[:last])


def ended(lines: Sequence[str], marks: Separators) -> str:
    """The lines with their terminators."""
    end = marks.terminator + marks.newline
    return end.join(lines) + end


def _iea(groups: int, number: int, marks: Separators) -> str:
    return marks.element.join(["IEA", str(groups), f"{number:09}"])


def _parties(interchange: OutgoingInterchange) -> tuple[InterchangeId, InterchangeId]:
    """They and we."""
    agreement = interchange.agreement
    they, we = agreement.id_for(interchange.test), agreement.we
    if they is None:
        kind = "test" if interchange.test else "production"
        raise MappingError(f"the agreement with {agreement.partner} has no interchange id of theirs for {kind}")
    if we is None:
        raise MappingError(f"the agreement with {agreement.partner} doesn't say who we are (`we`)")
    return they, we
