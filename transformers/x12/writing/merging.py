"""Segments that reading kept whole, put in the place of those that were made from the fields."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.errors import MappingError
from transformers.x12.declarations.declaration import Placement, SegmentUse
from transformers.x12.declarations.place import bare_number
from transformers.x12.writing.extras import KeptSegment
from transformers.x12.writing.written_segment import Text, WrittenSegment, kept_elements

MOST_COMPARED = 250
"""How many segments each kept one is compared with at most, on average: the work grows with their number, and no
faster."""


def merge(kept: Sequence[KeptSegment], made: Sequence[WrittenSegment], use: SegmentUse) -> None:
    """Puts each kept segment in the place of a made one that it agrees with; of several, one whose fields hold all that
    they can of it. Raises MappingError for one that agrees with none, unless the fields say all of it."""
    merging = Merging(use, MOST_COMPARED * (len(kept) + len(made)))
    left, free = [], made
    for extra in kept:  # in their order
        at = merging.put(extra, free, whole=True)
        if at is None:
            left.append(extra)
        else:
            free = free[at + 1 :]
    for extra in left:
        if merging.put(extra, made) is None and not extra.in_fields:
            raise MappingError(
                f"extras[{extra.number}]: {extra.segment} agrees with nothing that the document's fields say"
            )


class Merging:
    """Merging for one use of a segment."""

    def __init__(self, use: SegmentUse, most: int = MOST_COMPARED) -> None:
        mapping = use.mapping or Placement()
        self._comparisons_left = most
        self._centuries = {each.century for each in use.segment.centuries}
        self._counted = frozenset(use.counted)
        self._places = frozenset(mapping.put) - self._counted
        self._pairs = range(mapping.pairs.first, mapping.pairs.last + 1) if mapping.pairs else range(0)
        self._parts = [sorted(part.put) for part in mapping.parts]
        self._movable = frozenset((*self._pairs, *mapping.positions_of_parts()))

    def put(self, extra: KeptSegment, made: Sequence[WrittenSegment], *, whole: bool = False) -> int | None:
        """Puts it in the place of the first one that it agrees with, and returns which one that is. A segment that the
        fields say, and that was kept for its place, is only put where they still say the same ids and parts. `whole`:
        the fields must hold all that they can of it."""
        elements: list[Text] = [extra.segment, *kept_elements(extra)]
        for number, out in enumerate(made):
            if 0 in out.fields:
                continue
            if not self._comparisons_left:
                text = f"too many {extra.segment} are kept here that agree with nothing that the document's fields say"
                raise MappingError(f"extras[{extra.number}]: {text}")
            self._comparisons_left -= 1
            if not self._agree(out.elements, elements, extra.in_fields):
                continue
            if whole and any(_at(elements, p) and not _at(out.elements, p) for p in self._places):
                continue
            self._replace(out, elements, f"extras[{extra.number}]")
            return number
        return None

    def _agree(self, made: list[Text], kept: list[Text], in_fields: bool) -> bool:
        """Whether the kept segment says all that the fields say. What is counted, the centuries that only writing adds,
        and where its ids and parts stand don't matter."""
        for position, text in enumerate(made):
            if not text or position in self._counted or position in self._movable:
                continue
            other = _at(kept, position)
            if not _same(text, other) and (other or position not in self._centuries):
                return False
        ours, theirs = self._parts_of(made), self._parts_of(kept)
        if in_fields:
            ids = self._pairs_of(made)
            return bool(ours or ids) and ours == theirs and ids == self._pairs_of(kept)
        left = iter(theirs)  # of which some may be held by no field
        return all(part in left for part in ours)

    def _replace(self, out: WrittenSegment, kept: list[Text], path: str) -> None:
        fields = {position: out.field_at(position) for position, text in enumerate(out.elements) if position and text}
        for position in self._movable | {p for p in self._centuries if not _at(kept, p)}:
            if position < len(out.elements):
                out.elements[position] = ""
        for position, text in enumerate(kept):
            if position and text and position not in self._counted:
                out.put(position, text, fields.get(position) or path)
        out.fields[0] = path

    def _parts_of(self, elements: list[Text]) -> list[tuple[Text, ...]]:
        found = (tuple(_at(elements, position) for position in part) for part in self._parts)
        return [part for part in found if any(part)]

    def _pairs_of(self, elements: list[Text]) -> list[tuple[Text, Text]]:
        """The pairs of qualifier and id."""
        found = ((_at(elements, position), _at(elements, position + 1)) for position in self._pairs[::2])
        return [pair for pair in found if any(pair)]


def _at(elements: list[Text], position: int) -> Text:
    return elements[position] if position < len(elements) else ""


def _same(text: Text, other: Text) -> bool:
    """Whether two elements say the same: numbers what they amount to, composites in their first component."""
    if isinstance(text, str) and isinstance(other, str):
        return text == other or bare_number(text) == bare_number(other)
    one, two = (each[0][:1] if isinstance(each, list) else [each] for each in (text, other))
    return one == two
