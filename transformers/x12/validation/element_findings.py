"""What is wrong with the elements of one segment. Codes are those of AK403 (997), which IK403 (999) shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from transformers.x12.declarations.declaration import DATE, FULL_DATE, Element, ElementUse, Rule, Segment
from transformers.x12.declarations.element_value import WrongElement, checked
from transformers.x12.envelope.binary import LENGTH_AT, length_error
from transformers.x12.envelope.delimiters import TextDelimiters
from transformers.x12.finding import SegmentFinding, quoted

MOST_VALUE = 99
"""Characters of a wrong value that are kept (AK404)."""


def segment_findings(
    segment: Segment, elements: list[str], position: int, marks: TextDelimiters
) -> list[SegmentFinding]:
    """What is wrong with the elements of one segment."""
    found = []
    if wrong := length_error(elements):
        number = LENGTH_AT[segment.id] + 1
        found.append(SegmentFinding(wrong[0], segment.id, position, wrong[1], number, reference="785"))
    if segment.open:
        return found
    declared = len(segment.elements)
    for number in range(declared + 1, len(elements)):
        if elements[number]:
            text = (
                f"found {len(elements) - 1} elements, expected at most {declared}: {quoted(elements[number])} is one"
                " too many"
            )
            found.append(SegmentFinding("3", segment.id, position, text, number, value=elements[number][:MOST_VALUE]))
            break
    for number, use in enumerate(segment.elements, 1):
        text = element_at(elements, number)
        if (text and not _plainly_right(use, text)) or (use.mandatory and not text):
            blank = SegmentFinding("", segment.id, position, "", number, reference=use.element.number)
            found += list(_use_findings(use, text, blank, marks))
    for each in segment.centuries:
        century, text = element_at(elements, each.century), element_at(elements, each.date)
        if century and text and not any(finding.element in (each.century, each.date) for finding in found):
            found += _date_findings(
                century, text, SegmentFinding("", segment.id, position, "", each.date, reference=DATE)
            )
    for rule in segment.rules:
        if min(rule.positions) >= len(elements) and rule.letter != "R":
            continue
        if rule.broken(lambda p: element_at(elements, p)):
            found.append(_rule_finding(rule, segment, elements, position))
    return found


def _plainly_right(use: ElementUse, text: str) -> bool:
    """The short way for what most elements are; False says nothing yet."""
    if use.forbidden or use.repeat > 1 or use.element.type == "C":
        return False
    try:
        checked(use.element, text)
    except WrongElement:
        return False
    return True


def _rule_finding(rule: Rule, segment: Segment, elements: Sequence[str], position: int) -> SegmentFinding:
    at = _missing(rule, elements)
    names = ", ".join(f"{segment.id}{p:02}" for p in rule.positions)
    code = "10" if rule.letter == "E" else "2"
    reference = segment.elements[at - 1].element.number
    trigger = next((p for p in rule.positions if p != at and element_at(elements, p)), None)
    text = f"{_RULES[rule.letter]} {names} (rule {rule})"
    return SegmentFinding(code, segment.id, position, text, at, reference=reference, trigger=trigger)


def _use_findings(use: ElementUse, text: str, blank: SegmentFinding, marks: TextDelimiters) -> Iterator[SegmentFinding]:
    """What is wrong with one element; `blank` says where it is."""
    if not text:
        if use.mandatory:
            yield replace(blank, code="1", text=f"the mandatory element {use.element.name} is missing")
        return
    if use.forbidden:
        yield replace(
            blank,
            code="10",
            text=f"{use.element.name} isn't used between us: found {quoted(text)}",
            value=text[:MOST_VALUE],
        )
        return
    if use.repeat == 1 or not marks.repetition or marks.repetition not in text:
        yield from _element_findings(use.element, text, blank, marks)
        return
    parts = text.split(marks.repetition)
    if len(parts) > use.repeat:
        yield replace(
            blank,
            code="12",
            text=f"found {len(parts)} repetitions, expected at most {use.repeat}: {quoted(text)}",
            value=text[:MOST_VALUE],
        )
    for number, part in enumerate(parts, 1):
        if part:
            yield from _element_findings(use.element, part, replace(blank, repetition=number), marks)


def _element_findings(
    element: Element, text: str, blank: SegmentFinding, marks: TextDelimiters
) -> Iterator[SegmentFinding]:
    if element.type != "C":
        yield from _value_findings(element, text, blank)
        return
    parts = text.split(marks.component) if marks.component else [text]
    if any(parts[len(element.components) :]):
        expected = f"expected at most {len(element.components)}: {quoted(text)}"
        yield replace(blank, code="13", text=f"found {len(parts)} components, {expected}", value=text[:MOST_VALUE])
    for number, use in enumerate(element.components, 1):
        part = parts[number - 1] if number <= len(parts) else ""
        place = replace(blank, component=number, reference=use.element.number)
        if part:
            yield from _value_findings(use.element, part, place)
        elif use.mandatory:
            yield replace(place, code="1", text=f"the mandatory component {use.element.name} is missing")
    if element.dated and len(parts) > 1 and parts[0] and parts[1]:
        wrong = [
            f
            for use, part in zip(element.components, parts, strict=False)
            for f in _value_findings(use.element, part, blank)
        ]
        yield from [] if wrong else _date_findings(parts[1], parts[0], replace(blank, component=1, reference=DATE))


def _date_findings(century: str, text: str, blank: SegmentFinding) -> list[SegmentFinding]:
    """What is wrong with a date of six digits and its century, each of which is right for itself."""
    return [replace(finding, value=text[:MOST_VALUE]) for finding in _value_findings(FULL_DATE, century + text, blank)]


def _value_findings(element: Element, text: str, blank: SegmentFinding) -> Iterator[SegmentFinding]:
    try:
        checked(element, text)
    except WrongElement as error:
        yield replace(blank, code=error.code, text=f"{element.name}: {error}", value=text[:MOST_VALUE])


def _missing(rule: Rule, elements: Sequence[str]) -> int:
    """The element that a broken rule is about: the first one that is missing, or that is one too many."""
    have = [p for p in rule.positions if element_at(elements, p)]
    if rule.letter == "E":
        return have[1]
    wanted = [p for p in rule.positions[rule.letter in "CL" :] if p not in have]
    return next((p for p in wanted if p != rule.tolerated), wanted[0])


_RULES = {
    "P": "all or none must be there of",
    "R": "at least one must be there of",
    "E": "at most one may be there of",
    "C": "with the first, all must be there of",
    "L": "with the first, one more must be there of",
}


def element_at(elements: Sequence[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""
