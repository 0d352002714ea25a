"""Why the compiled reader refused a transaction: the same declaration, interpreted, slow and precise.

Codes are those of AK304 and AK403 (997), which IK304 and IK403 (999) share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from transformers.x12.catalogue import known_segments
from transformers.x12.compiled import CompiledSet
from transformers.x12.declaration import Loop, Segment, SetDeclaration, Use
from transformers.x12.function_body import MAX_DEPTH
from transformers.x12.grammar import Grammar, grammar
from transformers.x12.values import WrongElement, checked

MOST = 100
"""Findings after which it stops looking."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong. `position` counts segments from 1 (ST); `element` counts from 1, and is None for what concerns the
    whole segment."""

    code: str
    segment: str
    position: int
    text: str
    element: int | None = None


def diagnose(compiled: CompiledSet, segments: Sequence[str], separator: str, component: str) -> list[Finding]:
    """All that is wrong (up to a limit) with the segments after ST, up to and with SE."""
    return _Diagnosis(compiled, separator, component).run(segments)


class _Diagnosis:
    def __init__(self, compiled: CompiledSet, separator: str, component: str) -> None:
        self._grammar = compiled.grammar
        self._lenient = _lenient(compiled)
        self._separator = separator
        self._component = component
        self._found: list[Finding] = []
        self._counts: dict[tuple[int, ...], int] = {}
        self._tree: dict[str, int] = {}
        self._in_set = {s.use.segment.id for s in self._grammar.states if s.use}

    def run(self, segments: Sequence[str]) -> list[Finding]:
        state = 0
        for position, text in enumerate(segments, 2):
            elements = text.split(self._separator)
            self._characters(elements, position)
            if state < 0:
                self._add("7", elements, position, f"{elements[0][:20]} stands behind SE")
                break
            state = self._step(state, elements, position)
            if len(self._found) >= MOST:
                break
        return sorted(self._found, key=lambda f: f.position)

    def _add(self, code: str, elements: Sequence[str], position: int, text: str, element: int | None = None) -> None:
        self._found.append(Finding(code, elements[0][:20], position, text, element))

    def _characters(self, elements: Sequence[str], position: int) -> None:
        for number, text in enumerate(elements):
            if found := CONTROL.search(text):
                self._add("6", elements, position, f"found the control character {found[0]!r}", number or None)

    # --- order -------------------------------------------------------------------------------------------------------

    def _step(self, state: int, elements: list[str], position: int) -> int:
        """Takes one segment; the state behind it."""
        target = _next(self._grammar, state, elements)
        if target is None:
            target = self._unexpected(state, elements, position)
            if target is None:
                return state
        if target < 0:
            return target
        use = self._grammar.states[target].use
        assert use is not None  # noqa: S101
        self._count(target, elements, position)
        for finding in segment_findings(use.segment, elements, position, self._component):
            self._found.append(finding)
        self._nest(target, elements, position)
        return target

    def _unexpected(self, state: int, elements: list[str], position: int) -> int | None:
        """Says why a segment can't stand here; the state to go on from, or None when it is passed over."""
        name = elements[0]
        target = _next(self._lenient, state, elements)
        if target is not None:
            missing = list(self._grammar.states[state].next)[-1].partition("*")[0]
            self._add("3", elements, position, f"the mandatory segment {missing} is missing before {name}")
            return target
        current = self._grammar.states[state].use
        if name not in known_segments():
            self._add("1", elements, position, f"{name[:20]!r} isn't a segment that we know")
        elif name not in self._in_set:
            self._add("6", elements, position, f"{name} isn't a segment of this transaction set")
        elif current is not None and current.segment.id == name and current.max == 1:
            self._add("5", elements, position, f"{name} stands here more often than once")
        else:
            behind = f" behind {current.segment.id}" if current else ""
            self._add("7", elements, position, f"{name} can't stand here{behind}")
        return None

    def _count(self, target: int, elements: list[str], position: int) -> None:
        state = self._grammar.states[target]
        if state.opens:
            loop = self._grammar.loops[state.path[-1]].loop
            for key in [k for k in self._counts if k[: len(state.path)] == state.path and len(k) > len(state.path)]:
                del self._counts[key]
            self._more(state.path, loop.max, "4", f"the loop {loop.id}", elements, position)
        elif state.use is not None and state.use.max != 1:
            self._more((*state.path, -target), state.use.max, "5", state.use.segment.id, elements, position)

    def _more(self, key: tuple[int, ...], most: int, code: str, name: str, elements: list[str], position: int) -> None:
        self._counts[key] = self._counts.get(key, 0) + 1
        if most and self._counts[key] > most:
            self._add(code, elements, position, f"{name} stands here more often than {most} times")

    def _nest(self, target: int, elements: list[str], position: int) -> None:
        state = self._grammar.states[target]
        loop = self._grammar.loops[state.path[-1]].loop if state.opens else None
        if loop is None or loop.tree is None:
            return
        own, parent = _element(elements, loop.tree.id), _element(elements, loop.tree.parent)
        if own in self._tree:
            self._add("7", elements, position, f"the id {own!r} is used twice", loop.tree.id)
        elif parent and parent not in self._tree:
            self._add("7", elements, position, f"the parent {parent!r} isn't a level before this one", loop.tree.parent)
        elif (depth := self._tree.get(parent, 0)) >= MAX_DEPTH:
            self._add("7", elements, position, f"more than {MAX_DEPTH} levels within each other", loop.tree.parent)
        else:
            self._tree[own] = depth + 1
            return
        self._tree.setdefault(own, 1)


def segment_findings(segment: Segment, elements: list[str], position: int, component: str) -> list[Finding]:
    """What is wrong with the elements of one segment."""
    if segment.open:
        return []
    found = []

    def add(code: str, element: int, text: str) -> None:
        found.append(Finding(code, segment.id, position, text, element))

    declared = len(segment.elements)
    for number in range(declared + 1, len(elements)):
        if elements[number]:
            add("3", number, f"found {len(elements) - 1} elements, expected at most {declared}")
            break
    for number, use in enumerate(segment.elements, 1):
        text = _element(elements, number)
        if not text:
            if use.mandatory:
                add("1", number, f"the mandatory element {use.element.name} is missing")
            continue
        element = use.element
        if element.component is not None:
            element, text = element.component, text.partition(component)[0] if component else text
        try:
            if text:
                checked(element, text)
        except WrongElement as error:
            add(error.code, number, f"{element.name}: {error}")
    for rule in segment.rules:
        if rule.broken(lambda p: _element(elements, p)):
            names = ", ".join(f"{segment.id}{p:02}" for p in rule.positions)
            add("10" if rule.letter == "E" else "2", rule.positions[0], f"{_RULES[rule.letter]} {names} (rule {rule})")
    return found


_RULES = {
    "P": "all or none must be there of",
    "R": "at least one must be there of",
    "E": "at most one may be there of",
    "C": "with the first, all must be there of",
    "L": "with the first, one more must be there of",
}


def _element(elements: Sequence[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""


def _next(automaton: Grammar, state: int, elements: Sequence[str]) -> int | None:
    transitions = automaton.states[state].next
    name = elements[0]
    if name in transitions:
        return transitions[name]
    chooser = automaton.choosers.get(name)
    if chooser is None:
        return None
    code = _element(elements, chooser)
    return transitions.get(f"{name}*{code}", transitions.get(f"{name}*"))


def _lenient(compiled: CompiledSet) -> Grammar:
    """The automaton of the same set, where nothing is mandatory. States have the same numbers."""
    declaration: SetDeclaration = compiled.declaration
    return grammar(replace(declaration, structure=_optional(declaration.structure)))


def _optional(structure: tuple[Use | Loop, ...]) -> tuple[Use | Loop, ...]:
    return tuple(
        replace(entry, mandatory=False, structure=_optional(entry.structure))
        if isinstance(entry, Loop)
        else replace(entry, mandatory=False)
        for entry in structure
    )
