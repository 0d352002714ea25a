"""The names that the generated functions of a set share: constants, memories of elements, counters, objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.documents.base import Document, Part
from transformers.x12.declarations.declaration import Element
from transformers.x12.declarations.fields import field_shape
from transformers.x12.declarations.grammar import Grammar, GrammarState


class SourceNames:
    """Gives each thing one name. `needs`: by the number of the state of a segment that is a part of its own, its
    elements without which there is no such part. `counters`: see `_number_counters`."""

    def __init__(self, grammar: Grammar, document: type[Document]) -> None:
        self.grammar = grammar
        self.constants: dict[str, Any] = {}
        self.memories: dict[tuple[Element, tuple[tuple[str, str], ...]], str] = {}
        self.composites: dict[str, tuple[str, Element, tuple[str, ...]]] = {}
        self.needs: dict[int, frozenset[int]] = {}
        self.counters = _number_counters(grammar)
        self._document = document
        self._objects: dict[tuple[int, ...], tuple[int, type[Part]]] = {}

    @property
    def depth(self) -> int:
        """How many objects are open within each other, the document not counted."""
        return max((level for level, _ in self._objects.values()), default=0)

    def constant(self, prefix: str, value: Any) -> str:
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        return name

    def memory(self, element: Element, words: Mapping[str, str] | None = None) -> str:
        """The name of the memory that checks and converts an element."""
        key = (element, tuple(sorted((words or {}).items())))
        return self.memories.setdefault(key, f"m{element.number}_{len(self.memories)}")

    def composite(self, element: Element, words: Mapping[int, Mapping[str, str]]) -> str:
        """The name of what checks and converts a composite; `words` by component (from 1)."""
        names = tuple(self.memory(u.element, words.get(n)) for n, u in enumerate(element.components, 1))
        key = f"{element.number} {names}"
        return self.composites.setdefault(key, (f"k{element.number}_{len(self.composites)}", element, names))[0]

    def object(self, path: tuple[int, ...]) -> tuple[int, type[Part]]:
        """The object that segments in these loops belong to: its level and its class."""
        if path in self._objects:
            return self._objects[path]
        if not path:
            return 0, self._document
        level, cls = self.object(path[:-1])
        loop = self.grammar.loops[path[-1]].loop
        if loop.to:
            shape = field_shape(cls, loop.to)
            if shape.kind != "parts" or shape.part is None:
                raise ValueError(f"{cls.__name__}.{loop.to} doesn't hold parts")
            level, cls = level + 1, shape.part
        self._objects[path] = (level, cls)
        return level, cls


def _number_counters(grammar: Grammar) -> dict[str, tuple[int, int, int]]:
    """For each loop (`L3`) and counted use (`U17`): its counter, and the range of those of what stands in it directly,
    which begin anew with it (what stands deeper begins anew with its own loop). Loops of a group share one counter."""
    found: dict[str, tuple[int, int, int]] = {}
    uses: dict[tuple[int, ...], list[GrammarState]] = {}
    for state in grammar.states:
        if state.use is not None and state.use.max > 1:
            uses.setdefault(state.path, []).append(state)
    counter = 0

    def number(path: tuple[int, ...]) -> tuple[int, int]:
        nonlocal counter
        first = counter
        shared: dict[str, int] = {}
        for state in uses.get(path, ()):
            found[f"U{state.number}"] = (counter, 0, 0)
            counter += 1
        inner = [place for place in grammar.loops if place.parent == (path[-1] if path else -1)]
        own: list[int] = []
        for place in inner:
            own.append(shared.setdefault(place.loop.group, counter) if place.loop.group else counter)
            counter += own[-1] == counter
        last = counter
        for place, mine in zip(inner, own, strict=True):
            found[f"L{place.number}"] = (mine, *number((*path, place.number)))
        return first, last

    number(())
    found["all"] = (counter, 0, counter)
    return found
