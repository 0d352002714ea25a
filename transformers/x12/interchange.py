"""The envelope of what we send: ISA, GS, ST and their trailers around transactions that are rendered already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.agreement import Agreement, InterchangeId, Separators
from hub.core.errors import MappingError
from transformers.x12.catalogue import release_of
from transformers.x12.rendered import Rendered

LAST = 999_999_999
"""The greatest control number: ISA13 has nine digits."""


@dataclass(frozen=True, slots=True)
class Envelope:
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
        return self.agreement.separators


def transaction_text(segments: Sequence[Rendered], name: str, number: str, envelope: Envelope) -> str:
    """ST to SE, with the count. Raises MappingError for a value that a separator is part of."""
    marks = envelope.separators
    header = [name, number] + ([envelope.convention] if envelope.convention else [])
    lines = [marks.element.join(["ST", *header])]
    lines += [segment_text(segment, marks) for segment in segments]
    lines.append(marks.element.join(["SE", str(len(segments) + 2), number]))
    return _end(lines, marks)


def interchange_text(transactions: Sequence[str], envelope: Envelope) -> str:
    """ISA to IEA around transactions (each ST to SE)."""
    number = envelope.control_number
    they, we = _parties(envelope)
    agreement, at, marks = envelope.agreement, envelope.at, envelope.separators
    old = envelope.version < "004010"
    group = [
        *("GS", envelope.group_code, agreement.group_we or we.id, agreement.group_they or they.id),
        *(at.strftime("%y%m%d" if old else "%Y%m%d"), at.strftime("%H%M"), str(number), "X", envelope.version),
    ]
    head = _end([isa_text(envelope), marks.element.join(group)], marks)
    tail = _end([marks.element.join(["GE", str(len(transactions)), str(number)]), _iea(1, number, marks)], marks)
    return head + "".join(transactions) + tail


def bare_interchange_text(segments: Sequence[str], envelope: Envelope) -> str:
    """ISA to IEA around segments that belong to no group (TA1)."""
    marks = envelope.separators
    return _end([isa_text(envelope), *segments, _iea(0, envelope.control_number, marks)], marks)


def isa_text(envelope: Envelope) -> str:
    """The ISA, 105 characters without its terminator."""
    if not 0 < envelope.control_number <= LAST:
        raise MappingError(f"the control number {envelope.control_number} isn't between 1 and {LAST}")
    they, we = _parties(envelope)
    marks, at = envelope.separators, envelope.at
    edition = release_of(envelope.version)[0][:5]
    repetition = marks.repetition if edition >= "00402" else "U"
    return marks.element.join(
        [
            *("ISA", "00", " " * 10, "00", " " * 10, we.qualifier, f"{we.id:<15}", they.qualifier, f"{they.id:<15}"),
            *(at.strftime("%y%m%d"), at.strftime("%H%M"), repetition, edition, f"{envelope.control_number:09}"),
            *("1" if envelope.asks_ta1 else "0", "T" if envelope.test else "P", marks.component),
        ]
    )


def segment_text(segment: Rendered, marks: Separators) -> str:
    """One segment, without empty elements at its end. Raises MappingError, which names the field, for a value that holds a
    separator."""
    texts = [segment.id]
    special = {marks.element, marks.component, marks.repetition, marks.terminator, *marks.newline}
    for position, text in enumerate(segment.elements[1:], 1):
        parts = text if isinstance(text, list) else [text]
        for part in parts:
            if found := next((c for c in part if c in special), None):
                field = segment.field(position)
                raise MappingError(
                    f"{field}: {part[:60]!r} holds {found!r}, which separates in what we send ({segment.id}{position:02}); "
                    f"agree on other separators"
                )
        texts.append(marks.component.join(_trimmed(parts)))
    return marks.element.join(_trimmed(texts))


def _trimmed(texts: Sequence[str]) -> list[str]:
    last = len(texts)
    while last > 1 and not texts[last - 1]:
        last -= 1
    return list(texts[:last])


def _end(lines: Sequence[str], marks: Separators) -> str:
    end = marks.terminator + marks.newline
    return end.join(lines) + end


def _iea(groups: int, number: int, marks: Separators) -> str:
    return marks.element.join(["IEA", str(groups), f"{number:09}"])


def _parties(envelope: Envelope) -> tuple[InterchangeId, InterchangeId]:
    """They and we."""
    agreement = envelope.agreement
    they, we = agreement.id_for(envelope.test), agreement.we
    if they is None:
        kind = "test" if envelope.test else "production"
        raise MappingError(f"the agreement with {agreement.partner} has no interchange id of theirs for {kind}")
    if we is None:
        raise MappingError(f"the agreement with {agreement.partner} doesn't say who we are (`we`)")
    return they, we
