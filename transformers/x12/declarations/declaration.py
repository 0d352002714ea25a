"""The declaration of a transaction set with all names resolved: a tree of `SegmentUse` and `Loop`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DATE, CENTURY = "373", "624"
"""The elements for a date, and for the first two digits of its year."""

MANY = 0
"""`max` of what may stand any number of times."""


@dataclass(frozen=True, slots=True)
class Element:
    """A data element of the dictionary, as it is in one release. A composite (type C) has `components`. `verified`: its
    list of codes is complete, by the standard or by an agreement: another one is an error, not only a warning."""

    number: str
    name: str
    type: str
    min: int
    max: int
    codes: frozenset[str] = frozenset()
    verified: bool = False
    components: tuple[ElementUse, ...] = ()

    @property
    def component(self) -> Element | None:
        """The first component of a composite."""
        return self.components[0].element if self.components else None

    @property
    def dated(self) -> bool:
        """Whether it is a composite of a date and its century."""
        return [use.element.number for use in self.components] == [DATE, CENTURY]


FULL_DATE = Element(DATE, "Date", "DT", 8, 8)
"""A date of six digits with its century before it."""


@dataclass(frozen=True, slots=True)
class ElementUse:
    """An element in its place in a segment, or in a composite. It may stand `repeat` times, separated by the repetition
    separator. `default` is written where a document has no value. `lenient`: it may be missing, unless the document
    can't be without it."""

    element: Element
    mandatory: bool = False
    repeat: int = 1
    default: str | None = None
    forbidden: bool = False
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A relation between the elements of a segment: letter P, R, E, C or L, and their positions (from 1). `tolerated`:
    of a rule C, an element whose absence is only a warning."""

    letter: str
    positions: tuple[int, ...]
    tolerated: int = 0

    def __str__(self) -> str:
        return self.letter + "".join(f"{p:02}" for p in self.positions)

    def broken(self, present: Any) -> bool:
        """Whether it is broken; `present(position)` says whether an element has a value."""
        have = [bool(present(p)) for p in self.positions]
        match self.letter:
            case "P":
                return any(have) and not all(have)
            case "R":
                return not any(have)
            case "E":
                return sum(have) > 1
            case "C":
                return have[0] and not all(h for h, p in zip(have, self.positions, strict=True) if p != self.tolerated)
            case _:
                return have[0] and not any(have[1:])


@dataclass(frozen=True, slots=True)
class Century:
    """Positions of a date of six digits and of the element that holds the first two digits of its year."""

    date: int
    century: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of the directory. `open`: its elements aren't declared. `centuries`: its dates whose century stands in
    an element of its own."""

    id: str
    name: str
    elements: tuple[ElementUse, ...] = ()
    rules: tuple[Rule, ...] = ()
    open: bool = False
    centuries: tuple[Century, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Where an element lives: a field, perhaps of a nested part (`address.city`). `how` is set, append or join; `words`
    translate its codes."""

    field: str
    how: str = "set"
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Elements `first` to `last` are pairs of qualifier and id, all in one field."""

    first: int
    last: int
    target: Target


@dataclass(frozen=True, slots=True)
class SubPart:
    """A further part that a segment holds, where the first of its elements has a value."""

    to: str
    put: Mapping[int, Target]


@dataclass(frozen=True, slots=True)
class Period:
    """Positions of the code of a format, and of the date or period that is written in it. `alone`: the segment has no
    other element for a date."""

    format: int
    text: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the elements of a segment live. `components` are keyed by element and component (the second one and
    further: the first one is the element itself). `period`: elements that give the fields of a date or a range of
    dates."""

    put: Mapping[int, Target] = dataclasses.field(default_factory=dict)
    components: Mapping[tuple[int, int], Target] = dataclasses.field(default_factory=dict)
    pairs: Pairs | None = None
    parts: tuple[SubPart, ...] = ()
    drop: frozenset[int] = frozenset()
    period: Period | None = None

    def places(self, position: int) -> bool:
        """Whether an element has a place."""
        if self.period is not None and position in (self.period.format, self.period.text):
            return True
        if self.pairs is not None and self.pairs.first <= position <= self.pairs.last:
            return True
        return position in self.put or position in self.drop or position in self.positions_of_parts()

    def positions_of_parts(self) -> Iterator[int]:
        """The elements of all further parts."""
        return (position for part in self.parts for position in part.put)


@dataclass(frozen=True, slots=True)
class SegmentUse:
    """A segment in its place in a set. `to` makes a part of it; `mapping` None keeps it in `extras`. `counts`: elements
    that are the number of parts at the end of a path. `sums`: elements that are the sum of the values at the end of a
    path (`lines.quantity`). Of several paths any is right, and the first is written. `prefer`: of several places for
    one field this one is written to first, where the element has one of these codes."""

    segment: Segment
    mandatory: bool
    max: int
    to: str | None = None
    mapping: Placement | None = None
    counts: Mapping[int, str | list[str]] = dataclasses.field(default_factory=dict)
    sums: Mapping[int, str | list[str]] = dataclasses.field(default_factory=dict)
    prefer: Mapping[int, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def counted(self) -> tuple[int, ...]:
        """The elements that are written as what the document's parts come to, whatever stood there."""
        return (*self.counts, *self.sums)


@dataclass(frozen=True, slots=True)
class Tree:
    """Loops nested by ids: positions of the id and of the parent's id in the first segment."""

    id: int
    parent: int
    children: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: opened by its first segment, whose element `when[0]` has a value of `when[1]` where the loop says so."""

    id: str
    mandatory: bool
    max: int
    structure: tuple[SegmentUse | Loop, ...]
    to: str | None = None
    group: str | None = None
    when: tuple[int, frozenset[str]] | None = None
    tree: Tree | None = None

    @property
    def trigger(self) -> SegmentUse:
        first = self.structure[0]
        assert isinstance(first, SegmentUse)  # noqa: S101 - the loader has checked it
        return first


@dataclass(frozen=True, slots=True)
class SetDeclaration:
    """One transaction set in one release. `forbidden`: places of segments and loops that an agreement took out of
    it."""

    set: str
    release: str
    name: str
    group: str
    document: str
    source: str
    structure: tuple[SegmentUse | Loop, ...]
    forbidden: frozenset[tuple[str, ...]] = frozenset()


def walk(structure: tuple[SegmentUse | Loop, ...]) -> Iterator[SegmentUse]:
    """All uses of segments, in their order."""
    for entry in structure:
        if isinstance(entry, Loop):
            yield from walk(entry.structure)
        else:
            yield entry


def optional(structure: tuple[SegmentUse | Loop, ...]) -> tuple[SegmentUse | Loop, ...]:
    """The same structure, where nothing is mandatory."""
    return tuple(
        (
            dataclasses.replace(entry, mandatory=False, structure=optional(entry.structure))
            if isinstance(entry, Loop)
            else dataclasses.replace(entry, mandatory=False)
        )
        for entry in structure
    )
