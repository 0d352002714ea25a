"""A place in a set that holds a field: what it can say of a part, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hub.documents.base import Part
from transformers.x12.declarations.declaration import Element, Loop, Placement, SegmentUse, Target
from transformers.x12.declarations.element_text import NoText, text_of
from transformers.x12.declarations.fields import present
from transformers.x12.declarations.period import PERIOD_FIELDS

Home = SegmentUse | Loop


@dataclass(frozen=True, slots=True)
class _Said:
    """An element of the place's segment that holds a field whole. `line`: only its first line, further ones stand in
    segments of their own."""

    position: int
    element: Element
    target: Target
    line: bool

    def text(self, part: Part) -> str:
        """Raises NoText."""
        value = value_at(part, self.target.field)
        if value.__class__ is not str or self.target.words:
            value = text_of(self.element, value, self.target)
        return str(value)


class ElementPlace:
    """One of the places of a field."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.use: SegmentUse = home.trigger if isinstance(home, Loop) else home
        self._mapping = self.use.mapping or Placement()
        self._joined = joined_fields(home.structure) if isinstance(home, Loop) else frozenset[str]()

    @property
    def room(self) -> int:
        """How many parts it holds; 0 without a limit."""
        return self.home.max

    @property
    def choosy(self) -> bool:
        """Whether parts of a kind go there first."""
        return bool(self.use.prefer)

    def prefers(self, part: Part) -> bool:
        """Whether parts of this kind go there first."""
        for position, codes in self.use.prefer.items():
            target, element = self._mapping.put[position], self.use.segment.elements[position - 1].element
            if text_of(element, value_at(part, target.field), target) in codes:
                return True
        return False

    def holds(self, part: Part) -> bool:
        """Whether it holds all that a part has, and finds in it all that it needs."""
        values = part.__dict__
        return (
            present(part) <= self._fields
            and all(values[name] is not None for name in self._needed)
            and self._fits(part)
        )

    def stood(self, part: Part, elements: Sequence[Any]) -> bool:
        """Whether its segment that was kept whole can be the one that the part came from."""
        for said in self._elements:
            kept = elements[said.position - 1] if said.position <= len(elements) else ""
            if not kept and said.line:
                continue
            try:
                text = said.text(part)
            except NoText:
                return False
            text = text.partition("\n")[0] if said.line else text
            if not isinstance(kept, str) or (text != kept and bare_number(text) != bare_number(kept)):
                return False
        return True

    def _fits(self, part: Part) -> bool:
        """Whether the codes that a part has can stand there (a qualifier of two letters is no note reference code), and
        whether its texts are of one line where one is all that there is room for."""
        for said in self._texts:
            text = said.text(part)
            low, high = said.element.min, said.element.max
            if "\n" in text or (said.element.type == "ID" and text and not low <= len(text) <= high):
                return False
        return True

    @cached_property
    def _elements(self) -> tuple[_Said, ...]:
        puts = self._mapping.put.items()
        uses = self.use.segment.elements
        return tuple(_Said(p, uses[p - 1].element, t, t.field in self._joined) for p, t in puts if t.how == "set")

    @cached_property
    def _texts(self) -> tuple[_Said, ...]:
        return tuple(said for said in self._elements if not said.line and said.element.type in ("ID", "AN"))

    @cached_property
    def _needed(self) -> tuple[str, ...]:
        uses = self.use.segment.elements
        return tuple(t.field.partition(".")[0] for p, t in self._mapping.put.items() if uses[p - 1].mandatory)

    @cached_property
    def _fields(self) -> frozenset[str]:
        mapping = self._mapping
        found = {t.field.partition(".")[0] for t in (*mapping.put.values(), *mapping.components.values())}
        if mapping.pairs:
            found.add(mapping.pairs.target.field)
        found |= {sub.to for sub in mapping.parts}
        found |= set(PERIOD_FIELDS) if mapping.period else set()
        return frozenset(found | _fields_below(self.home.structure) if isinstance(self.home, Loop) else found)


def joined_fields(structure: Sequence[Home]) -> frozenset[str]:
    """Fields of which segments hold one line each: the text of a note."""
    uses = (entry for entry in structure if isinstance(entry, SegmentUse) and entry.mapping is not None)
    return frozenset(t.field for use in uses for t in (use.mapping or Placement()).put.values() if t.how == "join")


def bare_number(text: str) -> str:
    """A number without what doesn't count: signs of nothing, zeros in front and at the end."""
    digits = text.removeprefix("+").lstrip("0")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) or "0"


def value_at(part: Part, path: str) -> Any:
    """The value of a field, perhaps of a nested part (`address.city`); None where that isn't there."""
    value: Any = part
    for name in path.split("."):
        if value is None:
            return None
        value = getattr(value, name)
    return value


def _fields_below(structure: Sequence[SegmentUse | Loop]) -> set[str]:
    found: set[str] = set()
    for entry in structure:
        if entry.to is not None:
            found.add(entry.to)
        elif isinstance(entry, Loop):
            found |= _fields_below(entry.structure)
        elif entry.mapping is not None:
            found |= {t.field.partition(".")[0] for t in entry.mapping.put.values()}
            if entry.mapping.pairs:
                found.add(entry.mapping.pairs.target.field)
    return found
