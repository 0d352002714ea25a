"""The segments that reading kept whole, by where they stood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.documents.base import PLACE, Extra, Structure


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """`number` is its place in the document's `extras`, from 0."""

    number: int
    segment: str
    elements: tuple[str | Structure, ...]
    within: str
    in_fields: bool = False


class Extras:
    """Handed out once each, in their order."""

    def __init__(self, extras: Iterable[Extra]) -> None:
        self._by_place: dict[tuple[str, str], list[KeptSegment]] = {}
        self._instances: dict[str, int] = {}
        self._by_holder: dict[tuple[str, str, str], list[KeptSegment]] = {}
        for number, extra in enumerate(extras):
            kept = KeptSegment(number, extra.segment, extra.elements, extra.within, extra.kept_for == PLACE)
            self._by_place.setdefault((extra.segment, extra.within), []).append(kept)
            self._by_holder.setdefault((extra.segment, *_holder(extra.within)), []).append(kept)
            self._by_holder.setdefault((extra.segment, extra.within, ""), []).append(kept)
            self._note(extra.within)
        self.none = not self._by_place
        """Whether the document has none, and had none."""

    def take(self, segment: str, within: str) -> list[KeptSegment]:
        return self._by_place.pop((segment, within), []) if self._by_place else []

    def first(self, segment: str, within: str) -> KeptSegment | None:
        """The first of those that stand in a place. Not taken away."""
        return next(iter(self._by_place.get((segment, within), ())), None) if self._by_place else None

    def take_first(self, segment: str, within: str) -> None:
        """Takes the first one alone."""
        del self._by_place[segment, within][0]

    def in_loop(self, segment: str, within: str, loop: str) -> list[KeptSegment]:
        """Those that stand in any instance of a loop of this place; in the place itself where `loop` is empty. Not
        taken away."""
        return self._by_holder.get((segment, within, loop), [])

    def stand_at(self, segment: str, within: str) -> bool:
        return (segment, within) in self._by_place

    def instances(self, loop: str, within: str) -> int:
        """How many instances of a loop hold extras: the highest ordinal."""
        return self._instances.get(f"{within}/{loop}" if within else loop, 0)

    def left(self) -> KeptSegment | None:
        """The first one that nobody took, and that says more than a place."""
        left = (kept for found in self._by_place.values() for kept in found if not kept.in_fields)
        return min(left, key=lambda k: k.number, default=None)

    def _note(self, within: str) -> None:
        """Counts the instances of each loop on the way to a place: `PO1[3]/N1[2]`."""
        before = ""
        for step in within.split("/") if within else ():
            name, _, ordinal = step.removesuffix("]").partition("[")
            loop = f"{before}/{name}" if before else name
            if ordinal.isascii() and ordinal.isdecimal() and len(ordinal) < 10:
                self._instances[loop] = max(self._instances.get(loop, 0), int(ordinal))
            before = f"{before}/{step}" if before else step


def _holder(within: str) -> tuple[str, str]:
    """The place around the innermost loop, and that loop: `PO1[3]`, `N1` of `PO1[3]/N1[2]`."""
    around, _, last = within.rpartition("/")
    return around, last.partition("[")[0]
