"""`errors: accept`: what of a transaction that breaks its declaration can be understood all the same.

A segment that can't stand where it stands, and an element that is no value of its type, are left out of what is read and kept in
the document's extras, so that nothing is lost. A qualifier without its id is kept there alone. All else (lengths, codes, counts,
relations, what is missing) the relaxed declaration takes (overlay.relaxed).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hub.documents import Document
from hub.documents.base import PLACE, Extra, Structure, structured
from transformers.x12.binary import elements_of
from transformers.x12.declaration import Use
from transformers.x12.delimiters import TextDelimiters
from transformers.x12.diagnose import next_state
from transformers.x12.finding import Finding
from transformers.x12.grammar import Grammar

NO_VALUE = frozenset({"3", "6", "8", "9", "12", "13"})
"""Codes (AK403) of elements that can't be read: too many, a wrong character, date or time, too many repetitions or components."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The segments to be read, from ST on, each with its position in the transaction; and what is kept of the others."""

    segments: list[str]
    positions: list[int]
    kept: list[Extra]

    def whole(self, document: Document) -> Document:
        """The document with what is kept, all in the order of the transaction."""
        if not self.kept:
            return document
        own = [extra.model_copy(update={"position": self._position(extra.position)}) for extra in document.extras]
        taken = {extra.position for extra in self.kept}  # a gap that was made here is no place
        own = [extra for extra in own if extra.kept_for != PLACE or extra.position not in taken]
        extras = sorted([*own, *self.kept], key=lambda extra: extra.position)
        return document.model_copy(update={"extras": tuple(extras)})

    def _position(self, read: int) -> int:
        return self.positions[read - 1] if 0 < read <= len(self.positions) else read


def understood(
    automaton: Grammar, segments: Sequence[str], findings: Sequence[Finding], marks: TextDelimiters
) -> Understood:
    """`automaton`: that of the set where nothing is mandatory. `segments` begin with ST."""
    wrong: dict[int, list[Finding]] = {}
    for finding in findings:
        wrong.setdefault(finding.position, []).append(finding)
    found = Understood([], [], [])
    places = _Places(automaton)
    for position, text in enumerate(segments, 1):
        problems = wrong.get(position, ())
        over = any(one.passed for one in problems)
        elements = elements_of(text, marks.element)
        if position > 1 and not over:
            places.step(elements)
        if over:
            found.kept.append(_kept(elements, position, places.within, marks))
            continue
        if problems:
            text = _readable(elements, problems, places, found, marks)
        found.segments.append(text)
        found.positions.append(position)
    return found


def _readable(
    elements: Sequence[str], problems: Sequence[Finding], places: _Places, found: Understood, marks: TextDelimiters
) -> str:
    """The segment without what is no value in it; that is kept."""
    left = list(elements)
    position = problems[0].position
    for one in problems:
        number = one.element
        if number is None:
            continue
        if one.code in NO_VALUE and number < len(left):
            left = left[:number] if one.code == "3" else [*left[:number], "", *left[number + 1 :]]
    if left != list(elements):
        found.kept.append(_kept(elements, position, places.within, marks, places.use))
    bare = list(_without_ids(left, places.use))
    if bare:
        alone = [""] * len(left)
        alone[0] = left[0]
        for number in bare:
            alone[number], left[number] = left[number], ""
        found.kept.append(_kept(alone, position, places.within, marks))
    return marks.element.join(left)


def _without_ids(elements: Sequence[str], use: Use | None) -> Iterator[int]:
    """Qualifiers of pairs that have no id behind them."""
    pairs = use.mapping.pairs if use is not None and use.mapping is not None else None
    if pairs is None:
        return
    for number in range(pairs.first, min(pairs.last, len(elements)), 2):
        if elements[number] and not (number + 1 < len(elements) and elements[number + 1]):
            yield number


def _kept(elements: Sequence[str], position: int, within: str, marks: TextDelimiters, use: Use | None = None) -> Extra:
    last = len(elements)
    while last > 1 and not elements[last - 1]:
        last -= 1
    uses = use.segment.elements if use is not None and use.segment.id == elements[0] and not use.segment.open else ()
    texts = [
        _apart(text, marks)
        if number < len(uses) and (uses[number].element.type == "C" or uses[number].repeat > 1)
        else text
        for number, text in enumerate(elements[1:last])
    ]
    return Extra(segment=elements[0], elements=tuple(texts), position=position, within=within)


def _apart(text: str, marks: TextDelimiters) -> str | Structure:
    repetitions = text.split(marks.repetition) if marks.repetition else [text]
    return structured(tuple(tuple(one.split(marks.component) if marks.component else [one]) for one in repetitions))


@dataclass(slots=True)
class _Places:
    """Where the reading stands: the use of the last segment that could stand there, and its loops (`PO1[2]/N1[1]`)."""

    automaton: Grammar
    state: int = 0
    counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    within: str = ""
    use: Use | None = None

    def step(self, elements: Sequence[str]) -> None:
        target = next_state(self.automaton, self.state, elements)
        if target is None or target < 0:
            return
        self.state = target
        now = self.automaton.states[target]
        self.use = now.use
        if now.opens:
            key = self._key(now.path)
            self.counts[key] = self.counts.get(key, 0) + 1
            for other in [k for k in self.counts if len(k) > len(now.path) and k[: len(now.path)] == now.path]:
                del self.counts[other]
        self.within = "/".join(
            f"{self.automaton.loops[number].loop.id}[{self.counts.get(self._key(now.path[:depth]), 1)}]"
            for depth, number in enumerate(now.path, 1)
        )

    def _key(self, path: tuple[int, ...]) -> tuple[object, ...]:
        """Loops of a group count together."""
        return (*path[:-1], self.automaton.loops[path[-1]].loop.group or path[-1])
