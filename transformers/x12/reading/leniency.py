"""`errors: accept`: what of a transaction that breaks its declaration can be understood all the same.

A segment that can't stand where it stands, and an element that is no value of its type, are left out of what is read
and kept in the document's extras, so that nothing is lost. So is a segment without what its part can't be without (a
REF without its qualifier). A qualifier without its id, or an id without its qualifier, is kept there alone. All else
(lengths, codes, counts, relations, what is missing) the relaxed declaration takes (overlay.relaxed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.documents import Document
from hub.documents.base import PLACE, Extra, Structure, structured
from transformers.x12.compiled.compiled import CompiledSet
from transformers.x12.declarations.declaration import SegmentUse
from transformers.x12.declarations.grammar import Grammar
from transformers.x12.envelope.binary import elements_of
from transformers.x12.envelope.delimiters import TextDelimiters
from transformers.x12.finding import SegmentFinding
from transformers.x12.validation.diagnose import next_state
from transformers.x12.validation.element_findings import element_at

NO_VALUE = frozenset({"3", "6", "8", "9", "12", "13"})
"""Codes (AK403) of elements that can't be read: too many, a wrong character, date or time, too many repetitions or
components."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The segments to be read, from ST on, each with its position in the transaction; and what is kept of the
    others."""

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
    compiled: CompiledSet, segments: Sequence[str], findings: Sequence[SegmentFinding], marks: TextDelimiters
) -> Understood:
    """`compiled`: the set where nothing is mandatory. `segments` begin with ST."""
    wrong: dict[int, list[SegmentFinding]] = {}
    for finding in findings:
        wrong.setdefault(finding.position, []).append(finding)
    found = Understood([], [], [])
    places = _Places(compiled.grammar, compiled.needs)
    for position, text in enumerate(segments, 1):
        problems = wrong.get(position, ())
        over = any(one.passed for one in problems)
        elements = elements_of(text, marks.element)
        if position > 1 and not over:
            places.step(elements)
        if over or places.left_out:
            use = None if over else places.use
            found.kept.append(_kept(elements, position, places.within, marks, use))
            continue
        if problems:
            left = _readable(elements, problems)
            whole = left != list(elements)
            half = _without_halves(left, places.use)
            if places.leave_out(left):
                found.kept.append(_kept(elements, position, places.within, marks, places.use))
                continue
            if whole:
                found.kept.append(_kept(elements, position, places.within, marks, places.use))
            elif half is not None:
                found.kept.append(_kept(half, position, places.within, marks))
            text = marks.element.join(left)
        found.segments.append(text)
        found.positions.append(position)
    return found


def _readable(elements: Sequence[str], problems: Sequence[SegmentFinding]) -> list[str]:
    """The segment without what is no value in it."""
    left = list(elements)
    for one in problems:
        number = one.element
        if number is not None and one.code in NO_VALUE and number < len(left):
            left = left[:number] if one.code == "3" else [*left[:number], "", *left[number + 1 :]]
    return left


def _without_halves(elements: list[str], use: SegmentUse | None) -> list[str] | None:
    """Takes the halves of pairs out of the segment; the segment with them alone, where there are such."""
    found = [elements[0], *([""] * (len(elements) - 1))]
    for number in list(_halves(elements, use)):
        found[number], elements[number] = elements[number], ""
    return found if any(found[1:]) else None


def _halves(elements: Sequence[str], use: SegmentUse | None) -> Iterator[int]:
    """Qualifiers that have no id behind them, and ids without a qualifier."""
    pairs = use.mapping.pairs if use is not None and use.mapping is not None else None
    if pairs is None:
        return
    for number in range(pairs.first, min(pairs.last, len(elements)), 2):
        qualifier, id = elements[number], element_at(elements, number + 1)
        if bool(qualifier) != bool(id):
            yield number if qualifier else number + 1


def _kept(
    elements: Sequence[str], position: int, within: str, marks: TextDelimiters, use: SegmentUse | None = None
) -> Extra:
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
    """Where the reading stands: the use of the last segment that could stand there, and its loops (`PO1[2]/N1[1]`).
    `left_out`: the loops around, while what stands in the last of them is left out; that one is in no place."""

    automaton: Grammar
    needs: Mapping[int, frozenset[int]]
    left_out: tuple[int, ...] = ()
    state: int = 0
    counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    within: str = ""
    use: SegmentUse | None = None

    def step(self, elements: Sequence[str]) -> None:
        target = next_state(self.automaton, self.state, elements)
        if target is None or target < 0:
            return
        self.state = target
        now = self.automaton.states[target]
        self.use = now.use
        if now.path[: len(self.left_out)] != self.left_out or (now.opens and now.path == self.left_out):
            self.left_out = ()
        if self.left_out:
            return
        if now.opens:
            key = self._key(now.path)
            self.counts[key] = self.counts.get(key, 0) + 1
            for other in [k for k in self.counts if len(k) > len(now.path) and k[: len(now.path)] == now.path]:
                del self.counts[other]
        self.within = self._place(now.path)

    def leave_out(self, elements: Sequence[str]) -> bool:
        """Whether these elements make no part: what it can't be without is missing. Then the loop that they open is
        left out whole."""
        if all(element_at(elements, number) for number in self.needs.get(self.state, ())):
            return False
        now = self.automaton.states[self.state]
        if now.opens:
            self.left_out = now.path
            self.counts[self._key(now.path)] -= 1
            self.within = self._place(now.path[:-1])
        return True

    def _place(self, path: tuple[int, ...]) -> str:
        return "/".join(
            f"{self.automaton.loops[number].loop.id}[{self.counts.get(self._key(path[:depth]), 1)}]"
            for depth, number in enumerate(path, 1)
        )

    def _key(self, path: tuple[int, ...]) -> tuple[object, ...]:
        """Loops of a group count together."""
        return (*path[:-1], self.automaton.loops[path[-1]].loop.group or path[-1])
