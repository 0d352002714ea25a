"""Of several places in a set that hold the same field, the one that a part is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.documents.base import Part
from transformers.x12.declaration import Loop, Placement, Use
from transformers.x12.fields import shapes
from transformers.x12.texts import text_of

Home = Use | Loop


def homes(to: str, structure: Sequence[Home]) -> list[Home]:
    """The places of a field, in their order; loops that make no part are looked into."""
    found: list[Home] = []
    for entry in structure:
        if entry.to == to:
            found.append(entry)
        elif isinstance(entry, Loop) and entry.to is None:
            found += homes(to, entry.structure)
    return found


def home_of(part: Part, among: Sequence[Home]) -> Home:
    """One that prefers such a part, else the first that holds all that it has, else the first."""
    chosen = next((home for home in among if _prefers(home, part)), None)
    return chosen or next((home for home in among if _holds(home, part)), among[0])


def value_at(part: Part, path: str) -> Any:
    """The value of a field, perhaps of a nested part (`address.city`); None where that isn't there."""
    value: Any = part
    for name in path.split("."):
        if value is None:
            return None
        value = getattr(value, name)
    return value


def _prefers(home: Use | Loop, part: Part) -> bool:
    """Whether a place says that parts of this kind go there first."""
    use = home.trigger if isinstance(home, Loop) else home
    mapping = use.mapping or Placement()
    for position, codes in use.prefer.items():
        target = mapping.put[position]
        if text_of(use.segment.elements[position - 1].element, value_at(part, target.field), target) in codes:
            return True
    return False


def _holds(home: Use | Loop, part: Part) -> bool:
    """Whether a place holds all that a part has, and finds in it all that it needs."""
    use = home.trigger if isinstance(home, Loop) else home
    mapping = use.mapping or Placement()
    targets = {t.field.partition(".")[0] for t in (*mapping.put.values(), *mapping.components.values())}
    if mapping.pairs:
        targets.add(mapping.pairs.target.field)
    targets |= {sub.to for sub in mapping.parts}
    if isinstance(home, Loop):
        targets |= _fields_below(home.structure)
    needed = {t.field for p, t in mapping.put.items() if use.segment.elements[p - 1].mandatory}
    known = shapes(type(part))
    has = {name for name, shape in known.items() if getattr(part, name) != shape.default}
    return has <= targets and all(getattr(part, name) is not None for name in needed)


def _fields_below(structure: Sequence[Use | Loop]) -> set[str]:
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
