"""What the generated functions of a set call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.documents.base import Structure, structured
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from transformers.x12.compiled.element_lines import GAP, TWICE
from transformers.x12.declarations.declaration import Element
from transformers.x12.declarations.element_value import Refused, Values, Words


def memory_of(element: Element, words: dict[str, str], warnings: list[str]) -> Values | Words:
    return Words(element, words, warnings) if words or element.type == "ID" else Values(element)


def without_excess(elements: list[str], size: int) -> list[str]:
    """The elements without empty ones at the end. Raises Refused when there are more than the segment has."""
    if any(elements[size:]):
        raise Refused
    return elements[:size]


def needed(value: Any) -> Any:
    """A value that the document can't be without. Raises Refused."""
    if value is None or value == "":
        raise Refused
    return value


def taken_apart(text: str, component: str, repetition: str) -> str | Structure:
    """An element that may have components and repetitions, as extras keep it."""
    if component not in text and repetition not in text:
        return text
    return structured(tuple(tuple(part.split(component)) for part in text.split(repetition)))


def without(elements: list[str], positions: Sequence[int]) -> list[str]:
    """The elements without those that are counted when they are written: a field holds what stood there."""
    return ["" if number in positions else text for number, text in enumerate(elements)]


def repeated(text: str, separator: str, one: Callable[[str], Any], most: int) -> None:
    """Checks each repetition. Raises Refused."""
    parts = text.split(separator)
    if len(parts) > most:
        raise Refused
    for part in parts:
        one(part)


def ids_of_untidy(pairs: list[str]) -> tuple[Identifiers, int]:
    """Pairs with gaps, or with a qualifier that comes twice: the first one counts. Raises Refused."""
    if any(bool(q) != bool(v) for q, v in zip(pairs[::2], pairs[1::2], strict=True)):
        raise Refused
    return ids_of_few(tuple(zip(pairs[::2], pairs[1::2], strict=True)))


def ids_of_few(pairs: tuple[tuple[str | None, str], ...]) -> tuple[Identifiers, int]:
    """The ids, and why they don't say all that stands there (0: they do)."""
    found: dict[str, str] = {}
    gap, kept = False, 0
    for qualifier, value in pairs:
        if not qualifier:
            gap = True
            continue
        kept = max(kept, GAP if gap else 0, TWICE if qualifier in found else 0)
        found.setdefault(qualifier, value)
    return Identifiers(found) if found else NO_IDS, kept
