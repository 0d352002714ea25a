"""A partner's departures from a set, laid over its declaration: the same kind of declaration, ready to be compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hub.core.agreement import OverlayRule
from transformers.x12.declarations.declaration import (
    MANY,
    Element,
    ElementUse,
    Loop,
    Segment,
    SegmentUse,
    SetDeclaration,
    optional,
)
from transformers.x12.declarations.fields import numeric

Entry = SegmentUse | Loop

UNBOUNDED = 9999
"""Length of a text, and repetitions, in a relaxed declaration."""

LONGEST_NUMBER = 24
"""Digits of a number in a relaxed declaration: what a canonical document holds."""


ENVELOPE = frozenset({"ISA", "GS", "ST", "SE", "GE", "IEA", "TA1"})
"""Segments that no transaction holds."""


class WrongRule(ValueError):
    """A rule of an overlay that doesn't fit the set. `rule` is its ordinal, from 0."""

    def __init__(self, rule: int, text: str) -> None:
        self.rule = rule
        super().__init__(text)


def overlaid(declaration: SetDeclaration, rules: Sequence[OverlayRule]) -> SetDeclaration:
    """The declaration with the rules applied in their order. Raises WrongRule, which says what the set has instead."""
    for number, rule in enumerate(rules):
        try:
            declaration = replace(declaration, structure=_apply(declaration.structure, _RulePlace.of(rule), rule))
        except ValueError as error:
            raise WrongRule(number, f"{rule.at}: {error}") from None
    places = (_RulePlace.of(rule) for rule in rules if rule.use == "X")
    return replace(declaration, forbidden=frozenset(place.path for place in places if place.element is None))


def elements_at(declaration: SetDeclaration, rule: OverlayRule) -> Iterator[Element]:
    """The element that a rule is about, in each place of that name: the one it names, or the first one of its
    segment."""
    place = _RulePlace.of(rule)
    for use in _uses_at(declaration.structure, place.path):
        position = place.element or 1
        if position <= len(use.segment.elements):
            yield use.segment.elements[position - 1].element


def _uses_at(structure: Sequence[Entry], path: Sequence[str]) -> Iterator[SegmentUse]:
    name, *rest = path
    for entry in structure:
        if _id(entry) != name:
            continue
        if isinstance(entry, SegmentUse):
            yield from () if rest else (entry,)
        elif rest:
            yield from _uses_at(entry.structure, rest)
        else:
            yield entry.trigger


def relaxed(declaration: SetDeclaration) -> SetDeclaration:
    """The same set, where what can be understood all the same is taken: any length, any code, any number of
    repetitions, no relations between elements, nothing mandatory but what the document can't be without. Order, loops
    that stand once, and the types of numbers, dates and times stay."""
    return replace(declaration, structure=optional(tuple(_relaxed(entry) for entry in declaration.structure)))


def _relaxed(entry: Entry) -> Entry:
    if isinstance(entry, Loop):
        return replace(
            entry, max=entry.max if entry.max == 1 else MANY, structure=tuple(map(_relaxed, entry.structure))
        )
    segment = entry.segment
    uses = tuple(
        replace(
            use,
            element=_loose(use.element),
            forbidden=False,
            lenient=True,
            repeat=use.repeat if use.repeat == 1 else UNBOUNDED,
        )
        for use in segment.elements
    )
    return replace(entry, max=entry.max if entry.max == 1 else MANY, segment=replace(segment, elements=uses, rules=()))


def _loose(element: Element) -> Element:
    components = tuple(replace(use, element=_loose(use.element), mandatory=False) for use in element.components)
    element = replace(element, verified=False, components=components)
    if numeric(element.type):
        return replace(element, min=1, max=LONGEST_NUMBER)
    return replace(element, min=1, max=UNBOUNDED) if element.type in ("AN", "ID") else element


@dataclass(frozen=True, slots=True)
class _RulePlace:
    """`N1/N4/N402` taken apart: loops or segments from the outside in, and the element (from 1)."""

    path: tuple[str, ...]
    element: int | None = None

    @classmethod
    def of(cls, rule: OverlayRule) -> _RulePlace:
        *path, last = rule.at.split("/")
        if len(last) >= 4 and last[-2:].isdigit():
            segment, element = last[:-2], int(last[-2:])
            if not path or path[-1] != segment:
                path.append(segment)
            return cls(tuple(path), element)
        return cls((*path, last))


def _apply(structure: tuple[Entry, ...], place: _RulePlace, rule: OverlayRule) -> tuple[Entry, ...]:
    """The structure with the rule applied at the place."""
    name, *rest = place.path
    found = [n for n, entry in enumerate(structure) if _id(entry) == name]
    if not found:
        names = ", ".join(dict.fromkeys(_id(entry) for entry in structure))
        raise ValueError(f"there is no {name} here; there are {names}")
    change = _descend(rest, place, rule) if rest else _change(place, rule)
    out: list[Entry] = []
    for n, entry in enumerate(structure):
        if n not in found:
            out.append(entry)
            continue
        if (changed := change(entry)) is not None:
            out.append(changed)
        if rule.segment is not None and not rest and n == found[-1]:
            out.append(_inserted(rule))
    return tuple(out)


def _id(entry: Entry) -> str:
    return entry.id if isinstance(entry, Loop) else entry.segment.id


def _descend(rest: list[str], place: _RulePlace, rule: OverlayRule) -> Callable[[Entry], Entry | None]:
    def change(entry: Entry) -> Entry | None:
        if not isinstance(entry, Loop):
            raise ValueError(f"{_id(entry)} is a segment here, not a loop")
        inner = _apply(entry.structure, replace(place, path=tuple(rest)), rule)
        if not inner or _id(inner[0]) != entry.id:
            raise ValueError(f"the loop {entry.id} can't be without its first segment")
        return replace(entry, structure=inner)

    return change


def _change(place: _RulePlace, rule: OverlayRule) -> Callable[[Entry], Entry | None]:
    if place.element is not None:
        return lambda entry: _with_element(entry, place.element or 0, rule)

    def change(entry: Entry) -> Entry | None:
        if rule.use == "X":
            return None
        if rule.use is not None:
            entry = replace(entry, mandatory=rule.use == "M")
        if rule.max is not None:
            entry = replace(entry, max=rule.max)
        if rule.qualifiers is not None:
            entry = _with_element(entry, 1, OverlayRule(rule.at, codes=rule.qualifiers))
        return entry

    return change


def _with_element(entry: Entry, position: int, rule: OverlayRule) -> Entry:
    if isinstance(entry, Loop):
        first = _with_element(entry.trigger, position, rule)
        return replace(entry, structure=(first, *entry.structure[1:]))
    segment = entry.segment
    if not 1 <= position <= len(segment.elements):
        raise ValueError(f"{segment.id} has {len(segment.elements)} elements")
    uses = list(segment.elements)
    uses[position - 1] = _changed_use(uses[position - 1], rule)
    return replace(entry, segment=replace(segment, elements=tuple(uses)))


def _changed_use(use: ElementUse, rule: OverlayRule) -> ElementUse:
    element = use.element
    if rule.codes is not None:
        element = replace(element, codes=frozenset(rule.codes), verified=True)
    if rule.add or rule.remove:
        if not element.codes:
            raise ValueError(f"element {element.number} ({element.name}) has no list of codes; use `codes`")
        element = replace(
            element,
            codes=(element.codes | set(rule.add)) - set(rule.remove),
            verified=bool(rule.remove) or element.verified,
        )
    if rule.min_length is not None or rule.max_length is not None:
        low = element.min if rule.min_length is None else rule.min_length
        high = element.max if rule.max_length is None else rule.max_length
        if low > high:
            raise ValueError(f"the least length {low} is above the greatest, {high}")
        element = replace(element, min=low, max=high)
    return replace(
        use,
        element=element,
        mandatory=use.mandatory if rule.use is None else rule.use == "M",
        forbidden=rule.use == "X",
        default=rule.default if rule.default is not None else use.default,
    )


def _inserted(rule: OverlayRule) -> SegmentUse:
    """A segment that the set doesn't have; its elements aren't declared, and it is kept as it comes."""
    if rule.segment in ENVELOPE or not re.fullmatch("[A-Z][A-Z0-9]{1,2}", rule.segment or ""):
        raise ValueError(f"{rule.segment!r} can't be the id of an agreed segment")
    return SegmentUse(Segment(rule.segment or "", "Agreed segment", open=True), False, MANY)
