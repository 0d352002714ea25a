"""Of several places in a set that hold the same field, the one that a part is written to."""

from __future__ import annotations

from collections.abc import Sequence

from hub.documents.base import Part
from transformers.x12.declarations.declaration import Loop
from transformers.x12.declarations.place import ElementPlace, Home


def homes(to: str, structure: Sequence[Home]) -> list[Home]:
    """The places of a field, in their order; loops that make no part are looked into."""
    found: list[Home] = []
    for entry in structure:
        if entry.to == to:
            found.append(entry)
        elif isinstance(entry, Loop) and entry.to is None:
            found += homes(to, entry.structure)
    return found


class Homes:
    """The places of a field, in their order."""

    def __init__(self, among: Sequence[Home]) -> None:
        self.places = tuple(map(ElementPlace, among))
        self._choosy = [place for place in self.places if place.choosy]

    def __len__(self) -> int:
        return len(self.places)

    def of(self, part: Part) -> Home:
        """One that prefers such a part, else the first that holds all that it has, else the first."""
        for place in self._choosy:
            if place.prefers(part):
                return place.home
        for place in self.places:
            if place.holds(part):
                return place.home
        return self.places[0].home

    def elsewhere(self, home: Home, part: Part) -> bool:
        """Whether a part that was made of what stands in a place is written to another one."""
        if home is self.places[0].home:  # which holds all that was made of it
            return any(place.prefers(part) for place in self._choosy if place.home is not home)
        return self.of(part) is not home

    def moves(self, home: Home) -> bool:
        """Whether any part that was made of what stands in a place can be written to another one."""
        return home is not self.places[0].home or any(place.home is not home for place in self._choosy)

    def with_room(self, parts: Sequence[Part], stood: Sequence[Home | None]) -> list[Home]:
        """A place for each part: where it stood, else the one that is best for it. Of those that are too many for their
        place the last ones that didn't stand there go to another one that holds them."""
        found = [home or self.of(part) for home, part in zip(stood, parts, strict=True)]
        for place in self.places:
            inside = [number for number, home in enumerate(found) if home is place.home] if place.room else []
            if len(inside) <= place.room:
                continue
            free = [number for number in inside if stood[number] is None]
            for number in free[max(len(free) - (len(inside) - place.room), 0) :]:
                others = (other.home for other in self.places if other is not place and other.holds(parts[number]))
                found[number] = next(others, place.home)
        return found
