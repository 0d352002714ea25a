"""A segment on its way out: its elements, and the fields that they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.errors import MappingError
from transformers.x12.declaration import Placement, Use
from transformers.x12.extras import KeptSegment
from transformers.x12.place import bare_number

Text = str | list[list[str]]
"""An element: its text; or its repetitions, each the texts of its components."""


@dataclass(slots=True)
class Rendered:
    """A segment: elements from 1 on (`elements[0]` is its id), and the field of the document that each came from, or
    would have come from. `named` and `path`: the fields of the part at `path` by element, of those that `fields` doesn't have;
    from the element `pairs` on stand qualifiers and the ids that the field `ids` has for them. Their names are put together when
    somebody asks."""

    elements: list[Text]
    fields: dict[int, str] = field(default_factory=dict)
    named: Mapping[int, str] = field(default_factory=dict)
    path: str = ""
    pairs: int = 0
    ids: str = ""

    @property
    def id(self) -> str:
        return str(self.elements[0])

    @property
    def blank(self) -> bool:
        return not any(self.elements[1:])

    def put(self, position: int, text: Text, path: str) -> None:
        while len(self.elements) <= position:
            self.elements.append("")
        self.elements[position] = text
        if text:
            self.fields[position] = path
        else:
            self.fields.setdefault(position, path)

    def field_at(self, position: int) -> str | None:
        """The field that an element came from, or would have come from."""
        if position in self.fields:
            return self.fields[position]
        if position in self.named:
            return f"{self.path}{self.named[position]}"
        if 0 < self.pairs <= position < len(self.elements):
            qualifier = self.elements[position - (position - self.pairs) % 2]
            return f"{self.path}{self.ids}.{qualifier}" if qualifier else f"{self.path}{self.ids}"
        return None

    def field(self, position: int) -> str | None:
        """The same; of an element that no field gives that of the segment."""
        first = next(iter(self.named), None)
        return (
            self.field_at(position)
            or (self.field_at(first) if first is not None else None)
            or next(iter(self.fields.values()), None)
        )


def kept_elements(extra: KeptSegment) -> list[Text]:
    """The elements as they were kept."""
    return [each if isinstance(each, str) else [list(components) for components in each] for each in extra.elements]


def merge(extra: KeptSegment, made: list[Rendered], use: Use) -> None:
    """Puts a segment that was kept whole in the place of the one made from the fields that it agrees with. One that the fields say
    is only put where they still say it: that is, its pairs stand where they stood."""
    kept = kept_elements(extra)
    pairs = (use.mapping or Placement()).pairs
    added = {each.century for each in use.segment.centuries}
    for out in made:
        added_here = {p for p in added if p < len(out.elements) and (p > len(kept) or not kept[p - 1])}
        if 0 in out.fields or not _agrees(out, kept, pairs.first if pairs else 0, added_here):
            continue
        if extra.in_fields and not (pairs and _pairs(out.elements, pairs.first) == _pairs(["", *kept], pairs.first)):
            continue
        for position in added_here:
            out.elements[position] = ""
        own_fields = {p: out.field_at(p) for p in range(1, len(out.elements)) if out.elements[p]}
        if pairs:
            del out.elements[pairs.first :]
        for position, text in enumerate(kept, 1):
            if text:
                out.put(position, text, own_fields.get(position) or f"extras[{extra.number}]")
        out.fields[0] = f"extras[{extra.number}]"
        return
    if extra.in_fields:
        return
    raise MappingError(f"extras[{extra.number}]: {extra.segment} agrees with nothing that the document's fields say")


def _pairs(elements: list[Text], first: int) -> list[tuple[Text, ...]]:
    """The pairs of qualifier and id from an element on."""
    return [pair for pair in zip(elements[first::2], elements[first + 1 :: 2], strict=False) if any(pair)]


def _agrees(out: Rendered, kept: list[Text], pairs: int, added: set[int]) -> bool:
    """`added`: elements that the kept segment lacks, and that writing adds."""
    for position, text in enumerate(out.elements[1:], 1):
        if not text or (pairs and position >= pairs) or position in added:
            continue
        other = kept[position - 1] if position <= len(kept) else ""
        if isinstance(text, list) or isinstance(other, list):
            first, second = (t[0][:1] if isinstance(t, list) else [t] for t in (text, other))
            if first != second:
                return False
        elif text != other and bare_number(text) != bare_number(other):
            return False
    return True
