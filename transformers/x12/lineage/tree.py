"""A transaction as a person reads it: each segment in its loop, its elements with their names and what their codes
mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hub.core.agreement import Charset, OverlayRule
from transformers.x12.declarations.catalogue import known_sets, release_of, set_declaration
from transformers.x12.declarations.code_names import meaning
from transformers.x12.declarations.declaration import Element, Placement, Segment, SetDeclaration, optional, walk
from transformers.x12.declarations.grammar import Grammar, grammar
from transformers.x12.declarations.overlay import WrongRule, overlaid
from transformers.x12.envelope.binary import elements_of
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import Delimiters, TextDelimiters
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.segment_bytes import segment_bytes
from transformers.x12.validation.diagnose import next_state


@dataclass(frozen=True, slots=True)
class ElementNode:
    """One value: where it stands, what it is called, and what it means where we know more than it says. `component` and
    `repetition` count from 1, and are None where there is only one."""

    position: int
    name: str
    text: str
    meaning: str = ""
    component: int | None = None
    repetition: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentNode:
    """One segment. `position` counts from 1 (ST). `loops` are those around it (`PO1[2]`), from the outside in; `opens`:
    it begins the innermost one; `depth` is how far in it stands. `placed` is False for a segment that can't stand
    there."""

    position: int
    id: str
    name: str
    depth: int
    loops: tuple[str, ...]
    opens: bool
    placed: bool
    elements: tuple[ElementNode, ...]


def segment_texts(event: Event, delimiters: Delimiters, agreed: Charset = "extended") -> list[str]:
    """The segments of a transaction, ST to SE, in the order by which positions count. Binary data has a character for
    each byte."""
    pieces = segment_bytes(event, delimiters)
    characters = character_set(b"".join(p.data for p in pieces if not p.binary), delimiters, agreed)
    return [piece.data.decode("latin-1") if piece.binary else characters.decode(piece.data) for piece in pieces]


def annotated(
    segments: Sequence[str],
    name: str,
    version: str,
    marks: TextDelimiters,
    rules: tuple[OverlayRule, ...] = (),
) -> Iterator[SegmentNode]:
    """The segments between ST and SE, lazily. A set without a declaration has its segments without names."""
    plan = _plan(name, release_of(version)[0], rules) if name in known_sets() else None
    return _Annotation(plan, marks).run(segments)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The automaton of a set in which nothing is mandatory, its segments by id, and the words of its elements."""

    automaton: Grammar
    segments: Mapping[str, Segment]
    words: Mapping[str, Mapping[str, str]]


@lru_cache(maxsize=64)
def _plan(name: str, release: str, rules: tuple[OverlayRule, ...]) -> _Plan:
    declaration = set_declaration(name, release)
    try:
        declaration = overlaid(declaration, rules)
    except WrongRule:
        pass  # whoever judges the transaction says so
    uses = list(walk(declaration.structure))
    loose = replace(declaration, structure=optional(declaration.structure))
    return _Plan(grammar(loose), {use.segment.id: use.segment for use in uses}, words_of(declaration))


def words_of(declaration: SetDeclaration) -> dict[str, dict[str, str]]:
    """By element number, what its codes are called in the canonical document."""
    found: dict[str, dict[str, str]] = {}
    for use in walk(declaration.structure):
        for position, words in _placed_words(use.mapping):
            if position <= len(use.segment.elements):
                found.setdefault(use.segment.elements[position - 1].element.number, {}).update(words)
    return found


def _placed_words(mapping: Placement | None) -> Iterator[tuple[int, Mapping[str, str]]]:
    if mapping is None:
        return
    for put in (mapping.put, *(part.put for part in mapping.parts)):
        yield from ((position, target.words) for position, target in put.items() if target.words)
    if mapping.pairs is not None and mapping.pairs.target.words:
        yield mapping.pairs.first, mapping.pairs.target.words


class _Annotation:
    def __init__(self, plan: _Plan | None, marks: TextDelimiters) -> None:
        self._plan = plan
        self._marks = marks
        self._instances: dict[tuple[str, ...], int] = {}
        self._open: tuple[str, ...] = ()
        self._levels: dict[str, int] = {}
        self._level = 0

    def run(self, segments: Sequence[str]) -> Iterator[SegmentNode]:
        state = 0
        for position, text in enumerate(segments, 2):
            elements = elements_of(text, self._marks.element)
            target = next_state(self._plan.automaton, state, elements) if self._plan else None
            if target is not None and target < 0:
                return
            if target is not None:
                state = target
                yield self._placed(state, elements, position)
            elif elements[0] != "SE":
                yield self._misplaced(elements, position)

    def _placed(self, number: int, elements: list[str], position: int) -> SegmentNode:
        assert self._plan is not None  # noqa: S101
        automaton = self._plan.automaton
        state = automaton.states[number]
        assert state.use is not None  # noqa: S101
        if state.opens:
            around = self._open[: len(state.path) - 1]
            loop = automaton.loops[state.path[-1]].loop
            key = (*around, loop.id)
            self._instances[key] = self._instances.get(key, 0) + 1
            self._open = (*around, f"{loop.id}[{self._instances[key]}]")
            if loop.tree is not None:
                self._level = self._levels.get(_at(elements, loop.tree.parent), -1) + 1
                self._levels[_at(elements, loop.tree.id)] = self._level
        else:
            self._open = self._open[: len(state.path)]
        level = self._level if any(automaton.loops[p].loop.tree for p in state.path) else 0
        segment = state.use.segment
        return SegmentNode(
            position=position,
            id=segment.id,
            name=segment.name,
            depth=len(state.path) + level,
            loops=self._open,
            opens=state.opens,
            placed=True,
            elements=tuple(self._elements(segment, elements)),
        )

    def _misplaced(self, elements: list[str], position: int) -> SegmentNode:
        segment = self._plan.segments.get(elements[0]) if self._plan else None
        found = tuple(self._elements(segment or Segment(elements[0], ""), elements))
        depth = len(self._open) + (self._level if self._open else 0)
        return SegmentNode(
            position=position,
            id=elements[0],
            name=segment.name if segment else "",
            depth=depth,
            loops=self._open,
            opens=False,
            placed=False,
            elements=found,
        )

    def _elements(self, segment: Segment, elements: list[str]) -> Iterator[ElementNode]:
        for position, text in enumerate(elements[1:], 1):
            if not text:
                continue
            if position > len(segment.elements):
                yield ElementNode(position, "", text)
                continue
            use = segment.elements[position - 1]
            before = elements[position - 1] if position > 1 else ""
            repeated = use.repeat > 1 and self._marks.repetition and self._marks.repetition in text
            parts = text.split(self._marks.repetition) if repeated else [text]
            for number, part in enumerate(parts, 1):
                for node in self._values(use.element, part, position, before):
                    yield replace(node, repetition=number) if repeated else node

    def _values(self, element: Element, text: str, position: int, before: str) -> Iterator[ElementNode]:
        if element.type != "C":
            yield ElementNode(position, element.name, text, self._meaning(element, text, before))
            return
        for number, part in enumerate(text.split(self._marks.component), 1):
            if part and number <= len(element.components):
                inner = element.components[number - 1].element
                yield ElementNode(position, inner.name, part, self._meaning(inner, part, ""), component=number)
            elif part:
                yield ElementNode(position, "", part, component=number)

    def _meaning(self, element: Element, text: str, before: str) -> str:
        """`before`: the element in front, which may qualify this one."""
        assert self._plan is not None  # noqa: S101
        return meaning(element, text, self._plan.words, before)


def _at(elements: Sequence[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""
