"""Levels (HL) that don't say where they belong (HL02): nested as the transaction's structure code says, or refused. In
a set without such a code they are roots, each of which is reported unless it is of the first one's kind.

The codes are those of element 1005 (BSN05), as public guides of the 856 give them: the order of levels from the outside
in. Packaging is tares, and packs in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from transformers.x12.finding import SegmentFinding, quoted

STRUCTURE_AT: Mapping[str, tuple[str, int]] = MappingProxyType({"856": ("BSN", 5)})
"""By set, the segment and the element that hold the structure code."""

TREES = frozenset({"816", "856", "870"})
"""Sets whose levels are a tree in the document."""

STRUCTURES: Mapping[str, str] = MappingProxyType({"0001": "SOTPI", "0002": "SOITP", "0003": "STPOI", "0004": "SOI"})

NAMES: Mapping[str, str] = MappingProxyType({"S": "shipment", "O": "order", "T": "tare", "P": "pack", "I": "item"})

MOST = 100
"""Levels without a parent that are named."""


@dataclass(frozen=True, slots=True)
class HierarchyLevel:
    """An HL: its place in the transaction (segments from 1, ST), its id, its parent's id or nothing, and its code."""

    position: int
    id: str
    parent: str
    code: str


@dataclass(frozen=True, slots=True)
class Nesting:
    """`parents`: by position, the id of the parent that an HL doesn't name. `finding`: why nobody can tell where they
    belong."""

    parents: Mapping[int, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    finding: SegmentFinding | None = None


NOTHING = Nesting()


def nesting(name: str, segments: Sequence[Sequence[str]]) -> Nesting:
    """`segments`: the elements of those of the set that matter here, by position - 1; others may be empty."""
    if name not in TREES:
        return NOTHING
    levels = [
        HierarchyLevel(position, *(_at(elements, number) for number in (1, 2, 3)))
        for position, elements in enumerate(segments, 1)
        if elements and elements[0] == "HL"
    ]
    lost = [level for level in levels[1:] if not level.parent]
    if name in STRUCTURE_AT and lost and len(lost) == len(levels) - 1:
        return _by_structure(name, segments, levels)
    if name not in STRUCTURE_AT:  # there a level of the first one's kind begins the next tree
        lost = [level for level in lost if level.code != levels[0].code]
    return Nesting(warnings=_roots(lost))


def _roots(lost: Sequence[HierarchyLevel], why: str = "has no parent (HL02)") -> tuple[str, ...]:
    texts = [f"HL[{one.position}] {why}: taken as a root" for one in lost[:MOST]]
    return (*texts, f"{len(lost) - MOST} more HL without a parent") if len(lost) > MOST else tuple(texts)


def _by_structure(name: str, segments: Sequence[Sequence[str]], levels: Sequence[HierarchyLevel]) -> Nesting:
    """No HL says its parent."""
    segment, element = STRUCTURE_AT[name]
    place, found = next(((n, one) for n, one in enumerate(segments, 1) if one and one[0] == segment), (2, ()))
    code = _at(found, element)
    order = STRUCTURES.get(code, "")
    missing = next((level for level in levels if level.code not in {*order}), None)
    if not order or missing is not None:
        said = f"{segment}{element:02} is {quoted(code)}" if code else f"{segment}{element:02} is missing"
        lacks = f", which has no level {quoted(missing.code)} (HL[{missing.position}])" if order and missing else ""
        text = f"no HL names its parent (HL02), and {said}{lacks}: nobody can tell where the levels belong"
        found_code = "7" if code else "1"
        return Nesting(
            finding=SegmentFinding(found_code, segment, place, text, element, reference="1005", value=code[:99] or None)
        )
    ranks = [order.index(level.code) for level in levels]
    nearest: dict[int, str] = {}
    parents: dict[int, str] = {}
    early: list[HierarchyLevel] = []
    for level, rank in zip(levels, ranks, strict=True):
        nearest = {other: id for other, id in nearest.items() if other < rank}
        if nearest:
            parents[level.position] = nearest[max(nearest)]
        elif rank > min(ranks):
            early.append(level)
        nearest[rank] = level.id
    shown = ", ".join(NAMES[one] for one in order if any(level.code == one for level in levels))
    text = f"no HL names its parent (HL02): nested by {segment}{element:02} {code} ({shown})"
    return Nesting(parents, (text, *_roots(early, "stands before every level that it could belong to")))


def _at(elements: Sequence[str], number: int) -> str:
    return elements[number].strip() if number < len(elements) else ""
