"""Findings that only a partner's rules make: the 999 has codes of its own for them, the 997 hasn't.

Codes are those of IK304 and IK403 (elements 620 and 621): I4 a segment that isn't used, I7 and I8 a loop or a segment
that stands less often than it has to; I6 a code that isn't used, I9 an element that has to be there, I10 one that isn't
used, I12 one that isn't of the form agreed on (its length). A segment or a loop that stands too often has no code of
that kind: 5 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from transformers.x12.compiled.compiled import CompiledSet
from transformers.x12.envelope.delimiters import TextDelimiters
from transformers.x12.finding import SegmentFinding
from transformers.x12.validation.diagnose import MOST, diagnose

_SEGMENT = {"2": "I4", "3": "I8"}
_ELEMENT = {"1": "I9", "4": "I12", "5": "I12", "7": "I6", "10": "I10"}


def marked(
    findings: Sequence[SegmentFinding], standard: CompiledSet, segments: Sequence[str], marks: TextDelimiters
) -> Iterator[SegmentFinding]:
    """The findings, by a set with a partner's rules; each of which the set as the standard has it says nothing has its
    `implementation` code."""
    plain = diagnose(standard, segments, marks)
    known = {_place(finding) for finding in plain}
    last = plain[-1].position if len(plain) >= MOST else None
    for finding in findings:
        own = _place(finding) not in known and (last is None or finding.position < last)
        yield replace(finding, implementation=_code(finding)) if own else finding


def _place(finding: SegmentFinding) -> tuple[object, ...]:
    return (
        *(finding.code, finding.segment, finding.position, finding.element),
        *(finding.component, finding.repetition),
    )


def _code(finding: SegmentFinding) -> str | None:
    if finding.element is not None:
        return _ELEMENT.get(finding.code)
    return "I7" if finding.code == "3" and finding.opens else _SEGMENT.get(finding.code)
