"""A transaction set as a function: its generated source, executed, and the readers made of it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property, lru_cache
from operator import length_hint
from types import CodeType
from typing import Any

from pydantic import BaseModel

from hub.core.agreement import OverlayRule
from hub.documents import DOCUMENTS, Document
from hub.documents.base import Extra, unchecked
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from transformers.x12.compiled import source_functions
from transformers.x12.compiled.generate import SetSource
from transformers.x12.declarations.catalogue import set_declaration
from transformers.x12.declarations.declaration import SetDeclaration, optional
from transformers.x12.declarations.element_value import Composite, Refused
from transformers.x12.declarations.fields import shapes
from transformers.x12.declarations.grammar import Grammar, grammar
from transformers.x12.declarations.nodes import kept_order
from transformers.x12.declarations.overlay import WrongRule, overlaid, relaxed
from transformers.x12.declarations.period import take_period
from transformers.x12.envelope.binary import length_error

Read = Callable[[list[str], str, str, str, str | None], tuple[Document, tuple[str, ...]]]

_MAIN = """
def make(warnings):
    c = [0] * {counters}
    lists, nodes, extras = [], {{}}, []
    {objects} = None
    separator, component, repetition, total, it = '', '', '', 0, None
{memories}
{parts}
    def extra(e, within, compounds, kept_for=None):
        while e[-1] == '': e = e[:-1]
        place = '/'.join(f'{{name}}[{{c[k]}}]' for name, k in within)
        e = [apart(x, component, repetition) if p in compounds else x for p, x in enumerate(e)] if compounds else e
        position = total - length_hint(it) + 1
        extras.append(unchecked(Extra, {{'segment': e[0], 'elements': tuple(e[1:]), 'position': position,
            'within': place, 'kept_for': kept_for}}))

{functions}
    def end(segment): pass

    def choose(state, segment):
        e = segment.split(separator)
        found = state[e[0]]
        if found is not None: return found
        position = choosers.get(e[0])
        if position is None: raise Refused
        code = e[position] if len(e) > position else ''
        found = state[e[0] + '*' + code] or state[e[0] + '*']
        if found is None: raise Refused
        return found

    handlers = ({handlers})
    start = finish = None

    def read(segments, separator_, component_, repetition_, partner):
        nonlocal separator, component, repetition, total, it, o0, start, finish
        if (separator_, component_ or '\\0', repetition_ or '\\0') != (separator, component, repetition):
            for known in ({memories_of_parts}): known.clear()
            states = link(handlers, end, separator_)
            separator, component, repetition = separator_, component_ or '\\0', repetition_ or '\\0'
            start, finish = states[0], states[-1]
        c[:] = {zeros}
        lists.clear(); nodes.clear(); extras.clear(); warnings.clear()
        o0 = document.copy()
        o0['partner'] = partner
        total = len(segments)
        it = iter(segments)
        state = start
        for segment in it:
            t = state[segment[:3]]
            if t is None: t = choose(state, segment)
            handler, state = t
            handler(segment)
        if state is not finish: raise Refused
        for d, f in lists: d[f] = tuple(d[f])
        if nodes and warnings: extras.extend(kept_order('HL', nodes))
        if extras: o0['extras'] = tuple(extras)
        return unchecked(Document, o0), tuple(dict.fromkeys(warnings))

    return read
"""


class CompiledSet:
    """A transaction set in one release, compiled. `read` is safe to call from several threads: a reader that is at work
    is never shared."""

    def __init__(self, declaration: SetDeclaration) -> None:
        self.declaration = declaration
        self.grammar: Grammar = grammar(declaration)
        self._cls = DOCUMENTS[declaration.document]
        self._source = SetSource(self.grammar, self._cls)
        self._names = self._source.names
        self.needs: Mapping[int, frozenset[int]] = self._names.needs
        self._make = self._compile()
        self._idle: dict[tuple[str, str, str], list[Read]] = {}

    @cached_property
    def lenient(self) -> Grammar:
        """The automaton of the same set, where nothing is mandatory. States have the same numbers."""
        return grammar(replace(self.declaration, structure=optional(self.declaration.structure)))

    def read(
        self, segments: list[str], separator: str, component: str, repetition: str, partner: str | None
    ) -> tuple[Document, tuple[str, ...]]:
        """The document of the segments after ST, up to and with SE; and the warnings. Raises Refused."""
        marks = (separator, component, repetition)
        try:
            read = self._idle[marks].pop()
        except (KeyError, IndexError):
            read = self._make([])
        waits = len(segments) >= LARGE and gc.isenabled()
        if waits:
            gc.disable()
        try:
            return read(segments, separator, component, repetition, partner)
        finally:
            if waits:
                gc.enable()
            if marks not in self._idle and len(self._idle) >= MOST_MARKS:
                self._idle.clear()
            self._idle.setdefault(marks, []).append(read)

    @property
    def source(self) -> str:
        """The generated source: what is executed."""
        source, names = self._source, self._names
        indent = "\n".join
        functions = indent("    " + line for text in source.text() for line in [*text.split("\n"), ""])
        memories = indent(
            f"    {name} = memory(elements[{name!r}], {dict(words)!r}, warnings)"
            for (_, words), name in names.memories.items()
        )
        memories += indent(
            f"\n    {name} = composite(elements[{name!r}], ({', '.join(inner)},))"
            for name, _, inner in names.composites.values()
        )
        return _MAIN.format(
            counters=names.counters["all"][0],
            objects=" = ".join(f"o{n}" for n in range(names.depth + 1)),
            memories=memories,
            functions=functions,
            handlers=", ".join(h or "None" for h in source.handlers),
            memories_of_parts="".join(f"{name}, " for name in source.parts),
            parts=indent(f"    {name} = {{}}" for name in source.parts),
            zeros=f"zeros_{names.counters['all'][0]}",
        )

    def _compile(self) -> Callable[[list[str]], Read]:
        declaration = self.declaration
        elements = {name: element for (element, _), name in self._names.memories.items()}
        elements.update((name, element) for name, element, _ in self._names.composites.values())
        places: dict[str, Any] = {
            "Decimal": Decimal,
            "Document": self._cls,
            "Extra": Extra,
            "Identifiers": Identifiers,
            "NO_IDS": NO_IDS,
            "Refused": Refused,
            "composite": Composite,
            "choosers": self.grammar.choosers,
            "document": {name: shape.default for name, shape in shapes(self._cls).items()},
            "excess": source_functions.without_excess,
            "few": source_functions.ids_of_few,
            "kept_order": kept_order,
            "length_hint": length_hint,
            "lies": length_error,
            "link": self._link,
            "elements": elements,
            "memory": source_functions.memory_of,
            "needed": source_functions.needed,
            "new": object.__new__,
            "one_of_many": lambda values: sum(map(bool, values)) > 1,
            "repeated": source_functions.repeated,
            "all_compound": range(1, 100),
            "apart": source_functions.taken_apart,
            "period": take_period,
            "pads": [[""] * n for n in range(64)],
            "set_dict": BaseModel.__dict__["__dict__"].__set__,
            "unchecked": unchecked,
            "untidy": source_functions.ids_of_untidy,
            "without": source_functions.without,
            f"zeros_{self._names.counters['all'][0]}": (0,) * self._names.counters["all"][0],
            **self._names.constants,
        }
        exec(_code(self.source, declaration.set), places)  # noqa: S102 - generated from declarations of this package, never from input
        made: Callable[[list[str]], Read] = places["make"]
        return made

    def _link(self, handlers: Sequence[Any], end: Any, separator: str) -> list[_Steps]:
        """The states as dictionaries: the first three characters of a segment, or a key of the grammar, to (handler,
        next state). The last state is the end."""
        states = [_Steps() for _ in range(len(self.grammar.states) + 1)]
        for state in self.grammar.states:
            for key, target in state.next.items():
                step = (end if target < 0 else handlers[target], states[target])
                states[state.number][key] = step
                if len(key) == 2:
                    states[state.number][key + separator] = step
        return states


@lru_cache(maxsize=512)
def _code(source: str, set: str) -> CodeType:
    """Releases and agreements often differ only in what the code looks up. Such code is compiled once."""
    return compile(source, f"<x12 {set}>", "exec")


class _Steps(dict[str, Any]):
    """What may follow; nothing for what may not."""

    def __missing__(self, key: str) -> None:
        return None


MOST_MARKS = 8
"""Kinds of separators for which readers are kept: what one has read is remembered by its text."""

LARGE = 2000
"""Segments from which on the cycle collector waits: a document holds no cycles, and looking for them again and again in
one that grows costs more than reading it."""


@lru_cache(maxsize=512)
def compiled_set(
    name: str, release: str, rules: tuple[OverlayRule, ...] = (), *, understood: bool = False
) -> CompiledSet:
    """Compiles once: the set with a partner's rules; `understood` relaxes it to what can be understood all the same.
    Raises KeyError for a set without a declaration, WrongRule for a rule that doesn't fit it."""
    if understood:
        rules = tuple(replace(rule, use=None) for rule in rules)
    declaration = overlaid(set_declaration(name, release), rules)
    try:
        return CompiledSet(relaxed(declaration) if understood else declaration)
    except ValueError as error:
        if not rules:
            raise
        raise WrongRule(len(rules) - 1, str(error)) from None  # together they leave a set that can't be read
