"""Where in a body stands what can't be read, as its dead letter says it to programs and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.core.errors import DecodeError


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """The place of a finding: the segment's id and its ordinal in the transaction from 1, the element, and the byte
    offset."""

    segment: str
    position: int
    element: int | None
    where: str | None
    offset: int | None


def finding_of(error: DecodeError) -> FoundPlace | None:
    """The first thing that is wrong, where the reader knows it."""
    first = next((one for one in error.findings if not getattr(one, "warning", False)), None)
    if first is None:
        return None
    element = getattr(first, "element", None)
    return FoundPlace(first.segment, first.position, element, getattr(first, "where", None), first.offset)


def place_of(error: BaseException) -> dict[str, Any]:
    """The segment (its id and, where the reader knows it, its ordinal in the transaction from 1), the element and the
    byte offset of the first thing that is wrong; only what is known. Empty for a body whose reader says nothing of the
    kind."""
    if not isinstance(error, DecodeError):
        return {}
    first = finding_of(error)
    found: dict[str, Any] = {"segment": error.segment, "element": error.element, "byte": error.offset}
    if first is not None:
        element = first.where if first.element else None
        said: dict[str, Any] = {
            "segment": first.segment,
            "segment_position": first.position,
            "element": element,
            "byte": first.offset,
        }
        found |= {name: value for name, value in said.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}
