"""The segments over which a list of texts is written: the lines of an address, the seals of a trailer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers.x12.writing.extras import KeptSegment


@dataclass(frozen=True, slots=True)
class ListRow:
    """A segment of a list: the number of its first text, and the elements of its texts."""

    first: int
    positions: Sequence[int]


def list_rows(count: int, positions: Sequence[int]) -> list[ListRow]:
    """Segments that are full, as far as there are texts. `positions`: the elements that hold a text."""
    return [ListRow(first, positions[: count - first]) for first in range(0, count, len(positions))]


def list_rows_as_read(texts: Sequence[str], positions: Sequence[int], kept: Sequence[KeptSegment]) -> list[ListRow]:
    """The same texts in the segments in which they stood. Reading keeps whole each segment from the first one on that
    doesn't follow full ones, so what was kept stands at the end, unless somebody has added texts. Where their texts
    aren't there any more all segments are full."""
    stood = [[p for p in positions if p <= len(one.elements) and one.elements[p - 1]] for one in kept]
    held = [one.elements[p - 1] for one, places in zip(kept, stood, strict=True) for p in places]
    found = (at for at in range(len(texts) - len(held), -1, -1) if list(texts[at : at + len(held)]) == held)
    begin = next(found, len(texts)) if held and len(positions) > 1 else len(texts)
    rows = list_rows(begin, positions)
    if begin == len(texts):
        return rows
    for places in stood:
        rows.append(ListRow(begin, places))
        begin += len(places)
    return rows + [ListRow(begin + row.first, row.positions) for row in list_rows(len(texts) - begin, positions)]
