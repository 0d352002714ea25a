"""The segments that reading kept whole, by where they stood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.documents.base import Extra, Structure


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """`number` is its place in the document's `extras`, from 0."""

    number: int
    segment: str
    elements: tuple[str | Structure, ...]
    within: str


class Extras:
    """Handed out once each, in their order."""

    def __init__(self, extras: Iterable[Extra]) -> None:
        self._by_place: dict[tuple[str, str], list[KeptSegment]] = {}
        self._places: list[str] = []
        for number, extra in enumerate(extras):
            kept = KeptSegment(number, extra.segment, extra.elements, extra.within)
            self._by_place.setdefault((extra.segment, extra.within), []).append(kept)
            self._places.append(extra.within)

    def take(self, segment: str, within: str) -> list[KeptSegment]:
        return self._by_place.pop((segment, within), [])

    def instances(self, loop: str, within: str) -> int:
        """How many instances of a loop hold extras: the highest ordinal."""
        start = re.compile(re.escape(f"{within}/{loop}" if within else loop) + r"\[(\d+)\]")
        return max((int(found[1]) for place in self._places if (found := start.match(place))), default=0)

    def left(self) -> KeptSegment | None:
        """The first one that nobody took."""
        return min((kept for found in self._by_place.values() for kept in found), key=lambda k: k.number, default=None)
