"""Segments whose elements are fields of the part around them."""

from __future__ import annotations

from collections.abc import Sequence

from transformers.x12.declarations.declaration import SegmentUse
from transformers.x12.declarations.place import value_at
from transformers.x12.writing.extras import KeptSegment
from transformers.x12.writing.holder import Holder
from transformers.x12.writing.list_rows import list_rows_as_read
from transformers.x12.writing.part_segment import PartSegment
from transformers.x12.writing.writing_plan import NO_PLACEMENT, WritingStep
from transformers.x12.writing.written_segment import WrittenSegment


class FieldSegments:
    """Writes those of one document."""

    def __init__(self, part_segment: PartSegment) -> None:
        self._part_segment = part_segment
        self._begun: set[tuple[int, str]] = set()
        """Texts of parts (by their id) whose first line stands apart from the others."""

    def write(
        self, step: WritingStep, use: SegmentUse, holder: Holder, kept: Sequence[KeptSegment]
    ) -> list[WrittenSegment]:
        """Segments whose elements are fields of the part around them: one; several where they hold lists."""
        elsewhere = frozenset(name for name, _ in step.elsewhere)
        first = self._part_segment.write(step, use, holder.part, holder.path, elsewhere)
        for name, position in step.elsewhere:
            self._begin_text(first, use, name, position, holder, kept)
        made = [first]
        for name in step.lists:
            self._listed(made, use, name, holder, kept)
        for out in made if step.defaults else ():
            if not out.blank:
                self._part_segment.write_defaults(out, step)
        return [out for out in made if not out.blank or (use.mandatory and not step.lists)]

    def _begin_text(
        self,
        out: WrittenSegment,
        use: SegmentUse,
        name: str,
        position: int,
        holder: Holder,
        kept: Sequence[KeptSegment],
    ) -> None:
        """The first line of a text that segments further on hold line by line (that of a note) stands here where it is
        the only thing by which the segment satisfies its rules, or where it stood."""
        text = value_at(holder.part, name)
        self._begun.discard((id(holder.part), name))
        if not text:
            return
        line = text.partition("\n")[0]
        stood = any(position <= len(extra.elements) and extra.elements[position - 1] == line for extra in kept)
        if stood or self._needed(use, position, holder):
            out.put(position, line, f"{holder.path}{name}")
            self._begun.add((id(holder.part), name))

    @staticmethod
    def _needed(use: SegmentUse, position: int, holder: Holder) -> bool:
        """Whether a rule of the segment asks for this element, because the others of the rule have no value."""
        put = (use.mapping or NO_PLACEMENT).put
        for rule in use.segment.rules:
            others = [p for p in rule.positions if p != position]
            if rule.letter == "R" and position in rule.positions:
                return not any(p in put and value_at(holder.part, put[p].field) is not None for p in others)
        return False

    def _listed(
        self, made: list[WrittenSegment], use: SegmentUse, name: str, holder: Holder, kept: Sequence[KeptSegment]
    ) -> None:
        """A tuple of texts, or a text of several lines, over as many segments as it needs; over those that they stood
        in, where extras say so."""
        value = value_at(holder.part, name)
        texts = list(value) if isinstance(value, tuple) else (value.split("\n") if value else [])
        if (id(holder.part), name) in self._begun and not isinstance(value, tuple):
            texts = texts[1:]
        positions = [p for p, t in (use.mapping or NO_PLACEMENT).put.items() if t.field == name]
        for number, row in enumerate(list_rows_as_read(texts, positions, kept)):
            if number == len(made):
                made.append(WrittenSegment([use.segment.id]))
            for at, position in enumerate(row.positions, row.first):
                suffix = f"[{at}]" if isinstance(value, tuple) else ""
                made[number].put(position, texts[at], f"{holder.path}{name}{suffix}")
