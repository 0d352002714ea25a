"""Segments that hold binary data: their last element is one, whatever bytes it holds, and an element before it says how
many."""

from __future__ import annotations

import re
from collections.abc import Sequence

LENGTH_AT = {"BIN": 1, "BDS": 2}
"""Which element says how many bytes the one behind it has."""


def elements_of(segment: str, separator: str) -> list[str]:
    """The elements of a segment, behind its id."""
    if segment[:3] in LENGTH_AT and segment[3:4] == separator:
        return segment.split(separator, LENGTH_AT[segment[:3]] + 1)
    return segment.split(separator)


def data_of(elements: Sequence[str]) -> int | None:
    """Which element is the data, where the one before it says how long it is."""
    lead = LENGTH_AT.get(elements[0], 0)
    return lead + 1 if lead and len(elements) > lead + 1 and _WHOLE.fullmatch(elements[lead]) else None


def length_error(elements: Sequence[str]) -> tuple[str, str] | None:
    """Why data (a character for each byte) isn't as long as the element before it says: the code of AK403, and a
    sentence."""
    at = data_of(elements)
    if at is None or not elements[at]:
        return None
    said, size = int(elements[at - 1]), len(elements[at])
    if said == size:
        return None
    text = f"found {size} bytes before the next terminator, expected {said} as {elements[0]}{at - 1:02} says"
    return ("4" if size < said else "5"), text


_WHOLE = re.compile(r"[0-9]{1,40}")
