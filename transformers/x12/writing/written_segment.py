"""A segment on its way out: its elements, and the fields that they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transformers.x12.writing.extras import KeptSegment

Text = str | list[list[str]]
"""An element: its text; or its repetitions, each the texts of its components."""


@dataclass(slots=True)
class WrittenSegment:
    """A segment: elements from 1 on (`elements[0]` is its id), and the field of the document that each came from, or
    would have come from. `named` and `path`: the fields of the part at `path` by element, of those that `fields`
    doesn't have; from the element `pairs` on stand qualifiers and the ids that the field `ids` has for them. Their
    names are put together when somebody asks."""

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
