"""What a document says only of itself: the number of its lines, as CTT01 has it."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.catalogue import NEWEST, known_sets, set_declaration
from transformers.x12.declaration import walk

P = TypeVar("P", bound=Part)


def without_counts(document: Document) -> Document:
    """The document without the counts that are right: whether one was sent makes no difference in meaning. A wrong one
    stays."""
    for path, counted in _counts(document.kind):
        document = _without(document, path.split("."), _many(getattr(document, counted)))
    return document


@lru_cache(maxsize=64)
def _counts(kind: str) -> tuple[tuple[str, str], ...]:
    """The fields that hold a count, and the field whose parts each counts."""
    declarations = (set_declaration(name, NEWEST) for name in known_sets())
    uses = (use for declaration in declarations if declaration.document == kind for use in walk(declaration.structure))
    found = (
        (use.mapping.put[position].field, counted)
        for use in uses
        if use.mapping is not None
        for position, counted in use.counts.items()
    )
    return tuple(dict.fromkeys(found))


def _without(part: P, path: list[str], count: int) -> P:
    name, *rest = path
    value = getattr(part, name)
    if rest:
        if not isinstance(value, Part):
            return part
        inner = _without(value, rest, count)
        return part.model_copy(update={name: inner if inner != type(inner)() else None})
    return part.model_copy(update={name: None}) if value == count else part


def _many(parts: tuple[Part, ...]) -> int:
    """All of them, with those within them (levels of a ship notice)."""
    return sum(1 + _many(getattr(part, "levels", ())) for part in parts)
