"""What a document says only of itself: the number of its lines, as CTT01 has it, and the sum of their quantities, as
CTT02."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from hub.documents import Document
from hub.documents.base import Extra, Part
from transformers.x12.declarations.place import value_at
from transformers.x12.validation.totals import counted, counted_elements

P = TypeVar("P", bound=Part)


def without_counts(document: Document) -> Document:
    """The document without the counts that are right: whether one was sent makes no difference in meaning. A wrong one
    stays."""
    for element in counted_elements(document.kind):
        if not element.adds:
            stated = value_at(document, element.path)
            right = stated == counted(document, element)
            document = _with(document, element.path.split("."), None if right else stated)
    return document


def as_counted(document: Document, name: str) -> Document:
    """The document with its counts and sums as they are written in a set, whatever it says itself. Segments that are
    kept whole say none."""
    elements = counted_elements(document.kind, name)
    if document.extras and elements:
        places = {(element.segment, element.element) for element in elements}
        extras = tuple(_without(extra, places) for extra in document.extras)
        document = document.model_copy(update={"extras": extras})
    for element in elements:
        stated, value = value_at(document, element.path), counted(document, element)
        if stated is not None and value is not None and stated != value:
            document = _with(document, element.path.split("."), _typed(stated, value))
    return document


def _without(extra: Extra, places: set[tuple[str, int]]) -> Extra:
    """A kept segment without what is counted: one that an older version of the hub kept may have it."""
    left = tuple("" if (extra.segment, n) in places else text for n, text in enumerate(extra.elements, 1))
    return extra if left == extra.elements else extra.model_copy(update={"elements": left})


def _typed(stated: Any, value: Decimal) -> int | Decimal:
    return int(value) if isinstance(stated, int) else value


def _with(part: P, path: list[str], value: Any) -> P:
    """A part with another value at a path; one that has nothing else left is taken away."""
    name, *rest = path
    if not rest:
        return part.model_copy(update={name: value})
    if getattr(part, name) is None:
        return part
    inner = _with(getattr(part, name), rest, value)
    return part.model_copy(update={name: inner if inner != type(inner)() else None})
