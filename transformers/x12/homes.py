"""Of several places in a set that hold the same field, the one that a part is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.documents.base import Part
from transformers.x12.declaration import Loop, Placement, Use
from transformers.x12.fields import shapes
from transformers.x12.period import PERIOD_FIELDS
from transformers.x12.texts import NoText, text_of

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


def homes_with_room(parts: Sequence[Part], stood: Sequence[Home | None], among: Sequence[Home]) -> list[Home]:
    """A place for each part: where it stood, else the one that is best for it. Of those that are too many for their place the last
    ones that didn't stand there go to another one that holds them."""
    found = [home or home_of(part, among) for home, part in zip(stood, parts, strict=True)]
    for home in among:
        inside = [number for number, place in enumerate(found) if place is home]
        too_many = len(inside) - home.max if home.max else 0
        free = [number for number in inside if stood[number] is None]
        for number in free[max(len(free) - too_many, 0) :] if too_many > 0 else ():
            others = (other for other in among if other is not home and _holds(other, parts[number]))
            found[number] = next(others, home)
    return found


def joined_fields(structure: Sequence[Home]) -> frozenset[str]:
    """Fields of which segments hold one line each: the text of a note."""
    uses = (entry for entry in structure if isinstance(entry, Use) and entry.mapping is not None)
    return frozenset(t.field for use in uses for t in (use.mapping or Placement()).put.values() if t.how == "join")


def stood_at(home: Home, part: Part, elements: Sequence[Any]) -> bool:
    """Whether the segment of a place that was kept whole can be the one that the part came from."""
    use = home.trigger if isinstance(home, Loop) else home
    joined = joined_fields(home.structure) if isinstance(home, Loop) else frozenset()
    for position, target in (use.mapping or Placement()).put.items():
        kept = elements[position - 1] if position <= len(elements) else ""
        if target.how != "set" or (not kept and target.field in joined):
            continue
        try:
            text = text_of(use.segment.elements[position - 1].element, value_at(part, target.field), target)
        except NoText:
            return False
        text = text.partition("\n")[0] if target.field in joined else text
        if not isinstance(kept, str) or (text != kept and bare_number(text) != bare_number(kept)):
            return False
    return True


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
    targets |= set(PERIOD_FIELDS) if mapping.period else set()
    if isinstance(home, Loop):
        targets |= _fields_below(home.structure)
    needed = {t.field for p, t in mapping.put.items() if use.segment.elements[p - 1].mandatory}
    known = shapes(type(part))
    has = {name for name, shape in known.items() if getattr(part, name) != shape.default}
    return has <= targets and all(getattr(part, name) is not None for name in needed) and _fits(home, part)


def _fits(home: Home, part: Part) -> bool:
    """Whether the codes that a part has can stand there (a qualifier of two letters is no note reference code), and whether its
    texts are of one line where one is all that there is room for."""
    joined = joined_fields(home.structure) if isinstance(home, Loop) else frozenset()
    use = home.trigger if isinstance(home, Loop) else home
    for position, target in (use.mapping or Placement()).put.items():
        element = use.segment.elements[position - 1].element
        if target.how != "set" or target.field in joined or element.type not in ("ID", "AN"):
            continue
        text = text_of(element, value_at(part, target.field), target)
        if "\n" in text or (element.type == "ID" and text and not element.min <= len(text) <= element.max):
            return False
    return True


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
