"""The number of a document that was refused: where the declaration of its set puts it, for people who look for it."""

from __future__ import annotations

from functools import lru_cache

from transformers.x12.declarations.catalogue import NEWEST, set_declaration
from transformers.x12.declarations.declaration import SegmentUse

LONGEST = 100
"""Characters of a number that people look for."""

FIRST = 20
"""Segments in which it may stand: it belongs to the heading."""


def number_in(name: str, segments: list[str], separator: str) -> str:
    """The number in a transaction of the set `name`, known to have a declaration; empty where none stands."""
    place = place_of(name)
    if place is None:
        return ""
    segment, element = place
    for text in segments[1:FIRST]:
        elements = text.split(separator)
        if elements[0] == segment and len(elements) > element:
            return elements[element].strip()[:LONGEST]
    return ""


@lru_cache
def place_of(name: str) -> tuple[str, int] | None:
    """The segment of the heading and the element that become the document's number."""
    for use in set_declaration(name, NEWEST).structure:
        if isinstance(use, SegmentUse) and use.mapping is not None:
            for element, target in use.mapping.put.items():
                if target.field == "number":
                    return use.segment.id, element
    return None
