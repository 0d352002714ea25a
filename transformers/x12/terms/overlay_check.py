"""What is wrong with an overlay although each of its rules fits: a set in which something can never come or never be
written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.core.agreement import OverlayRule
from hub.core.options.nearest import hint
from hub.documents import DOCUMENTS
from hub.documents.base import Part
from transformers.x12.declarations.declaration import Element, Loop, SegmentUse, SetDeclaration
from transformers.x12.declarations.fields import shapes
from transformers.x12.declarations.overlay import elements_at, overlaid


@dataclass(frozen=True, slots=True)
class RuleContradiction:
    """What the rule of that ordinal does, in one sentence. `warning`: it may be meant."""

    rule: int
    text: str
    hint: str | None = None
    warning: bool = False


def contradictions(standard: SetDeclaration, rules: Sequence[OverlayRule]) -> Iterator[RuleContradiction]:
    """In the order of the rules, which all fit the set."""
    lost = _given(standard)
    for number, rule in enumerate(rules):
        before, after = overlaid(standard, rules[:number]), overlaid(standard, rules[: number + 1])
        left = _given(after)
        if gone := [field for field in lost if field in _required_fields(after) and field not in left]:
            yield RuleContradiction(number, _gone(gone[0], rule, lost[gone[0]], standard.document))
        lost = left
        if rule.use is not None and (other := _other_use(rules[:number], rule)) is not None:
            text = f"{rule.at}: use is {rule.use} here, and {rules[other].use} in rule {other + 1}; the last one counts"
            yield RuleContradiction(number, text, "keep one of them")
        yield from _codes(number, rule, before, after)


def _other_use(earlier: Sequence[OverlayRule], rule: OverlayRule) -> int | None:
    """The rule that says something else of the same place."""
    found = (n for n, one in enumerate(earlier) if one.at == rule.at and one.use not in (None, rule.use))
    return next(found, None)


# --- fields that a document can't be without -------------------------------------------------------------------------

Field = tuple[tuple[str, ...], str]
"""The places of the loops and segments that make the part, from the outside in; and the field as people know it."""


def _given(declaration: SetDeclaration) -> dict[Field, str]:
    """The required fields that always come, and the element that gives each."""
    cls = DOCUMENTS[declaration.document]
    return {field: at for field, at in _fields(declaration.structure, cls, (), "", True) if at}


def _required_fields(declaration: SetDeclaration) -> set[Field]:
    """The required fields of the document and of every part that the set still makes."""
    cls = DOCUMENTS[declaration.document]
    return {field for field, _ in _fields(declaration.structure, cls, (), "", True)} | set(_required(cls, (), ""))


def _required(cls: type[Part], path: tuple[str, ...], name: str) -> Iterator[Field]:
    yield from ((path, f"{name}{field}") for field, shape in shapes(cls).items() if shape.required)


def _fields(
    structure: tuple[SegmentUse | Loop, ...], cls: type[Part], path: tuple[str, ...], name: str, always: bool
) -> Iterator[tuple[Field, str]]:
    """Required fields with the element that always gives them; with no element where the part is made, whatever gives
    it.
    `always`: what is mandatory here stands in every part."""
    for entry in structure:
        own = entry.id if isinstance(entry, Loop) else entry.segment.id
        inner_cls, inner_path, inner_name, inner_always = cls, path, name, always and entry.mandatory
        if entry.to is not None and (part := shapes(cls)[entry.to].part) is not None:
            inner_cls, inner_path, inner_name, inner_always = part, (*path, own), f"{name}{entry.to}[].", True
            yield from ((field, "") for field in _required(part, inner_path, inner_name))
        if isinstance(entry, Loop):
            yield from _of_segment(entry.trigger, inner_cls, inner_path, inner_name, inner_always)
            yield from _fields(entry.structure[1:], inner_cls, inner_path, inner_name, inner_always)
        else:
            yield from _of_segment(entry, inner_cls, inner_path, inner_name, inner_always)


def _of_segment(
    use: SegmentUse, cls: type[Part], path: tuple[str, ...], name: str, always: bool
) -> Iterator[tuple[Field, str]]:
    required = dict.fromkeys(field for _, field in _required(cls, path, ""))
    for position, target in (use.mapping.put if use.mapping else {}).items():
        there = position <= len(use.segment.elements) and use.segment.elements[position - 1].mandatory
        if always and there and target.field in required:
            yield (path, f"{name}{target.field}"), f"{use.segment.id}{position:02}"


def _gone(field: Field, rule: OverlayRule, element: str, document: str) -> str:
    what = "is not used (X)" if rule.use == "X" else "need not be there"
    kind = document.replace("_", " ")
    return f"{rule.at} {what}, and {element} gives `{field[1]}`, without which no {kind} can be read or written"


# --- codes and lengths -----------------------------------------------------------------------------------------------


def _codes(
    number: int, rule: OverlayRule, before: SetDeclaration, after: SetDeclaration
) -> Iterator[RuleContradiction]:
    if rule.use == "X":
        return
    for element in elements_at(before, rule):
        known = element.codes
        for code in rule.remove:
            if known and code not in known:
                text = (
                    f"{rule.at}: {code!r} can't be removed: element {element.number} ({element.name}) doesn't have it"
                )
                yield RuleContradiction(number, text, hint(code, sorted(known)), warning=True)
        unknown = [code for code in rule.qualifiers or () if known and code not in known]
        if unknown:
            text = (
                f"{rule.at}: {unknown[0]!r} is no qualifier that we know of element {element.number} ({element.name})"
            )
            yield RuleContradiction(number, text, hint(unknown[0], sorted(known)), warning=not element.verified)
        break
    for element in elements_at(after, rule):
        yield from _too_long(number, rule, element)
        if (rule.remove or rule.add) and not element.codes:
            yield RuleContradiction(number, f"{rule.at}: no code is left of element {element.number} ({element.name})")
        if rule.default is not None and element.verified and element.codes and rule.default not in element.codes:
            yield RuleContradiction(number, f"{rule.at}: the default {rule.default!r} isn't among the codes")
        break


def _too_long(number: int, rule: OverlayRule, element: Element) -> Iterator[RuleContradiction]:
    values = (*(rule.codes or ()), *rule.add, *(rule.qualifiers or ()), *((rule.default,) if rule.default else ()))
    for value in values:
        if not element.min <= len(value) <= element.max and element.type in ("AN", "ID"):
            length = f"{element.min} to {element.max}" if element.min != element.max else f"{element.max}"
            text = (
                f"{rule.at}: {value!r} has {len(value)} characters, and element {element.number} ({element.name})"
                f" {length}"
            )
            yield RuleContradiction(number, text)
