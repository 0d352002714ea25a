"""Why the compiled reader refused a transaction: the same declaration, interpreted, slow and precise.

Codes are those of AK304 and AK403 (997), which IK304 and IK403 (999) share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transformers.x12.compiled.compiled import CompiledSet
from transformers.x12.compiled.function_body import MAX_DEPTH
from transformers.x12.declarations.catalogue import known_segments
from transformers.x12.declarations.grammar import Grammar
from transformers.x12.envelope.binary import data_of, elements_of
from transformers.x12.envelope.delimiters import TextDelimiters
from transformers.x12.finding import SegmentFinding, quoted
from transformers.x12.validation.element_findings import MOST_VALUE, element_at, segment_findings

MOST = 100
"""Findings after which it stops looking."""


def diagnose(
    compiled: CompiledSet, segments: Sequence[str], marks: TextDelimiters, most: int = MOST
) -> list[SegmentFinding]:
    """All that is wrong (up to a limit) with the segments after ST, up to and with SE."""
    return _Diagnosis(compiled, marks, most).run(segments)


class _Diagnosis:
    def __init__(self, compiled: CompiledSet, marks: TextDelimiters, most: int) -> None:
        self._most = most
        self._declared = compiled.declaration
        self._grammar = compiled.grammar
        self._lenient = compiled.lenient
        self._marks = marks
        self._found: list[SegmentFinding] = []
        self._last: dict[str, int] = {}
        self._counts: dict[tuple[int, ...], int] = {}
        self._tree: dict[str, int] = {}
        self._in_set = {s.use.segment.id for s in self._grammar.states if s.use}

    def run(self, segments: Sequence[str]) -> list[SegmentFinding]:
        state = 0
        self._last = {text.partition(self._marks.element)[0]: position for position, text in enumerate(segments, 2)}
        for position, text in enumerate(segments, 2):
            elements = elements_of(text, self._marks.element)
            if state < 0:
                self._add("7", elements, position, f"{elements[0][:20]} stands behind SE")
                break
            state = self._step(state, elements, position)
            self._characters(elements, position, state)
            if len(self._found) >= self._most:
                break
        return sorted(self._found, key=lambda f: f.position)

    def _add(
        self,
        code: str,
        elements: Sequence[str],
        position: int,
        text: str,
        element: int | None = None,
        state: int = 0,
        *,
        passed: bool = False,
    ) -> None:
        value = element_at(elements, element)[:MOST_VALUE] if element else None
        use = self._grammar.states[state].use if state > 0 else None
        known = use is not None and use.segment.id == elements[0] and not use.segment.open
        there = use.segment.elements[element - 1 : element] if use is not None and known and element else ()
        reference = there[0].element.number if there else None
        self._found.append(
            SegmentFinding(
                code, elements[0][:20], position, text, element,
                loop=self._loop(state), reference=reference, value=value or None, passed=passed,
            )
        )  # fmt: skip

    def _loop(self, state: int) -> str | None:
        path = self._grammar.states[state].path if state > 0 else ()
        return self._grammar.loops[path[-1]].loop.id if path else None

    def _characters(self, elements: Sequence[str], position: int, state: int) -> None:
        data = data_of(elements)
        for number, text in enumerate(elements):
            if number == data:
                continue
            if found := self._marks.forbidden.search(text):
                character = "the control character " if not found[0].isprintable() else ""
                wrong = f"found {character}{found[0]!r} in {quoted(text)}, which can't be here"
                self._add("6", elements, position, wrong, number or None, state=state)

    # --- order -------------------------------------------------------------------------------------------------------

    def _step(self, state: int, elements: list[str], position: int) -> int:
        """Takes one segment; the state behind it."""
        target = next_state(self._grammar, state, elements)
        if target is None:
            target = self._unexpected(state, elements, position)
            if target is None:
                return state
        if target < 0:
            return target
        use = self._grammar.states[target].use
        assert use is not None  # noqa: S101
        self._count(target, elements, position)
        loop = self._loop(target)
        self._found += [
            replace(finding, loop=loop) for finding in segment_findings(use.segment, elements, position, self._marks)
        ]
        self._nest(target, elements, position)
        return target

    def _unexpected(self, state: int, elements: list[str], position: int) -> int | None:
        """Says why a segment can't stand here; the state to go on from, or None when it is passed over."""
        name = elements[0]
        target = next_state(self._lenient, state, elements)
        if target is not None:
            key, there = list(self._grammar.states[state].next.items())[-1]
            missing = key.partition("*")[0]
            if self._last.get(missing, 0) > position:
                text = f"{name} stands here before the mandatory segment {missing}"
                self._add("7", elements, position, text, state=state, passed=True)
                return None
            self._found.append(
                SegmentFinding(
                    "3",
                    missing,
                    position,
                    f"the mandatory segment {missing} is missing before {name}",
                    loop=self._loop(state),
                    opens=there > 0 and self._grammar.states[there].opens,
                )
            )
            return target
        if (again := self._again(state, name)) is not None:
            return again
        current = self._grammar.states[state].use
        if name not in known_segments():
            self._add("1", elements, position, f"{name[:20]!r} isn't a segment that we know", state=state, passed=True)
        elif self._forbidden(state, name):
            self._add("2", elements, position, f"{name} isn't used here between us", state=state, passed=True)
        elif name not in self._in_set:
            self._add(
                "6", elements, position, f"{name} isn't a segment of this transaction set", state=state, passed=True
            )
        elif current is not None and current.segment.id == name and current.max == 1:
            self._add("5", elements, position, f"{name} stands here more often than once", state=state, passed=True)
        else:
            behind = f" behind {current.segment.id}" if current else ""
            self._add("7", elements, position, f"{name} can't stand here{behind}", state=state, passed=True)
        return None

    def _again(self, state: int, name: str) -> int | None:
        """The first state of an open loop that may stand once, and that the segment would open again."""
        path = self._grammar.states[state].path
        for depth, number in enumerate(path, 1):
            loop = self._grammar.loops[number].loop
            if loop.id == name and loop.max == 1 and loop.tree is None:
                return next(s.number for s in self._grammar.states if s.opens and s.path == path[:depth])
        return None

    def _forbidden(self, state: int, name: str) -> bool:
        """Whether the agreement took the segment out of a loop that is open, or from the top."""
        path = self._grammar.states[state].path
        ids = tuple(self._grammar.loops[number].loop.id for number in path)
        return any((*ids[:depth], name) in self._declared.forbidden for depth in range(len(ids) + 1))

    def _count(self, target: int, elements: list[str], position: int) -> None:
        state = self._grammar.states[target]
        if state.opens:
            loop = self._grammar.loops[state.path[-1]].loop
            for key in [k for k in self._counts if k[: len(state.path)] == state.path and len(k) > len(state.path)]:
                del self._counts[key]
            self._more(state.path, loop.max, "4", f"the loop {loop.id}", elements, position, target)
        elif state.use is not None and state.use.max != 1:
            self._more((*state.path, -target), state.use.max, "5", state.use.segment.id, elements, position, target)

    def _more(
        self, key: tuple[int, ...], most: int, code: str, name: str, elements: list[str], position: int, state: int
    ) -> None:
        self._counts[key] = self._counts.get(key, 0) + 1
        if most and self._counts[key] > most:
            often = "once" if most == 1 else f"{most} times"
            self._add(code, elements, position, f"{name} stands here more often than {often}", state=state)

    def _nest(self, target: int, elements: list[str], position: int) -> None:
        state = self._grammar.states[target]
        loop = self._grammar.loops[state.path[-1]].loop if state.opens else None
        if loop is None or loop.tree is None:
            return
        own, parent = element_at(elements, loop.tree.id), element_at(elements, loop.tree.parent)
        if own in self._tree:
            self._add("7", elements, position, f"the id {own!r} is used twice", loop.tree.id, target)
        elif parent and parent not in self._tree:
            wrong = f"the parent {parent!r} isn't a level before this one"
            self._add("7", elements, position, wrong, loop.tree.parent, target)
        elif (depth := self._tree.get(parent, 0)) >= MAX_DEPTH:
            wrong = f"more than {MAX_DEPTH} levels within each other"
            self._add("7", elements, position, wrong, loop.tree.parent, target)
        else:
            self._tree[own] = depth + 1
            return
        self._tree.setdefault(own, 1)


def next_state(automaton: Grammar, state: int, elements: Sequence[str]) -> int | None:
    """The state behind a segment (-1 behind SE); None where it can't stand."""
    transitions = automaton.states[state].next
    name = elements[0]
    if name in transitions:
        return transitions[name]
    chooser = automaton.choosers.get(name)
    if chooser is None:
        return None
    code = element_at(elements, chooser)
    return transitions.get(f"{name}*{code}", transitions.get(f"{name}*"))
