"""The segment of one part: each field in the element that the declaration gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from hub.core.errors import MappingError
from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.declarations.declaration import Pairs, Period, Segment, SegmentUse, SubPart, Target
from transformers.x12.declarations.element_text import NoText, dated_texts, in_window, text_of
from transformers.x12.declarations.period import PERIOD_FIELDS, period_text
from transformers.x12.declarations.place import value_at
from transformers.x12.validation.totals import CountedElement, counted
from transformers.x12.writing.writing_plan import NO_PLACEMENT, Put, WritingStep, put_of
from transformers.x12.writing.written_segment import WrittenSegment


class PartSegment:
    """Writes the parts of one document. Raises MappingError, which names the field."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def write(
        self, step: WritingStep, use: SegmentUse, part: Part, path: str, skip: frozenset[str] = frozenset()
    ) -> WrittenSegment:
        """The segment of one part; `skip` are fields that stand elsewhere."""
        mapping = use.mapping or NO_PLACEMENT
        named = step.named if not skip else {p: name for p, name in step.named.items() if name not in skip}
        out = WrittenSegment([use.segment.id], named=named, path=path)
        elements = out.elements
        for put in step.single:
            value: Any = part
            for name in put.names:
                value = getattr(value, name)
                if value is None:
                    break
            if value is None or (skip and put.field in skip):
                continue
            if (put.century or put.dated) and value.__class__ is date:
                _put_date(out, put, value)
                continue
            if value.__class__ is not str or put.codes:
                value = self._text(put, value, use.segment, path)
            while len(elements) <= put.position:
                elements.append("")
            elements[put.position] = value
        if mapping.period is not None:
            _put_period(out, mapping.period, use, part)
        if mapping.components:
            self._components(out, use, part, path)
        if mapping.pairs is not None:
            self._pairs(out, use, mapping.pairs, part, path)
        if mapping.parts:
            for name in dict.fromkeys(sub.to for sub in mapping.parts):
                homes = [s for s in mapping.parts if s.to == name]
                self._sub_parts(out, use, homes, getattr(part, name), f"{path}{name}")
        for one in step.counted:
            self._count(out, one)
        return out

    def write_defaults(self, out: WrittenSegment, step: WritingStep) -> None:
        for position, default in step.defaults:
            if position >= len(out.elements) or not out.elements[position]:
                out.put(position, default, f"the agreement's default for {out.id}{position:02}")

    def _count(self, out: WrittenSegment, element: CountedElement) -> None:
        """What an element counts or adds is never copied: it is written as it is, where there is anything to say."""
        value = counted(self._document, element)
        if value is not None and (value or not out.blank):
            out.put(element.element, f"{value:f}", element.path)

    def _text(self, put: Put, value: Any, segment: Segment, path: str, field: str | None = None) -> str:
        """A value as the text of its element. `field` names it where its own name isn't that of the put."""
        if put.codes and value.__class__ is str:
            text = put.codes.get(value, value)
        else:
            try:
                text = text_of(put.element, value, put.target)
            except NoText as error:
                raise MappingError(f"{field or path + put.field}: {error} ({segment.id}{put.position:02})") from None
        if put.codes and len(text) > put.element.max:
            raise MappingError(
                f"{field or path + put.field}: {text[:40]!r} is no code of element {put.element.number}, and no word "
                f"for one{_near(text, put.target)} ({segment.id}{put.position:02})"
            )
        return text

    def _components(self, out: WrittenSegment, use: SegmentUse, part: Part, path: str) -> None:
        for (position, component), target in (use.mapping or NO_PLACEMENT).components.items():
            element = use.segment.elements[position - 1].element.components[component - 1].element
            text = text_of(element, value_at(part, target.field), target)
            if not text:
                continue
            first = out.elements[position] if position < len(out.elements) else ""
            parts = first[0] if isinstance(first, list) else [first]
            parts += [""] * (component - len(parts))
            parts[component - 1] = text
            out.put(position, [parts], out.field_at(position) or f"{path}{target.field}")

    def _pairs(self, out: WrittenSegment, use: SegmentUse, pairs: Pairs, part: Part, path: str) -> None:
        ids: Mapping[str, str] = getattr(part, pairs.target.field)
        room = (pairs.last - pairs.first + 1) // 2
        if len(ids) > room:
            raise MappingError(f"{path}{pairs.target.field}: {len(ids)} ids, and {use.segment.id} has room for {room}")
        if not pairs.target.words and len(out.elements) <= pairs.first:
            out.elements += [""] * (pairs.first - len(out.elements))
            for pair in ids.items():
                out.elements += pair
            out.pairs, out.ids = pairs.first, pairs.target.field
            return
        for number, (qualifier, value) in enumerate(ids.items()):
            position = pairs.first + 2 * number
            field_path = f"{path}{pairs.target.field}.{qualifier}"
            put = put_of(use, position, pairs.target)
            out.put(position, self._text(put, qualifier, use.segment, path, field_path), field_path)
            out.put(position + 1, value, field_path)

    def _sub_parts(
        self, out: WrittenSegment, use: SegmentUse, homes: Sequence[SubPart], parts: Sequence[Part], path: str
    ) -> None:
        if len(parts) > len(homes):
            raise MappingError(f"{path}: {len(parts)} of them, and {use.segment.id} has room for {len(homes)}")
        for number, (home, part) in enumerate(zip(homes, parts, strict=False)):
            for position, target in home.put.items():
                own = f"{path}[{number}].{target.field}"
                value = getattr(part, target.field)
                put = put_of(use, position, target)
                out.put(position, "" if value is None else self._text(put, value, use.segment, path, own), own)


def _put_date(out: WrittenSegment, put: Put, value: date) -> None:
    """A date of six digits with its century: in an element of its own always, in a composite where the date needs
    it."""
    century, text = dated_texts(value)
    field = f"{out.path}{put.field}"
    if put.century:
        out.put(put.position, text, field)
        out.put(put.century, century, field)
    else:
        out.put(put.position, text if in_window(value) else [[text, century]], field)


def _put_period(out: WrittenSegment, period: Period, use: SegmentUse, part: Part) -> None:
    """A date that isn't written in the segment's own elements: a range, or one that came in another format."""
    values = part.__dict__
    if values["until"] is None and values["format"] is None and not period.alone:
        return
    date, time, until, code = (values[name] for name in PERIOD_FIELDS)
    if not until and not code and date is None and time is None:
        return
    own = {target.field: position for position, target in (use.mapping or NO_PLACEMENT).put.items()}
    try:
        code, text = period_text(code, date, time, until)
    except NoText as error:
        field = "until" if until else "format" if code else "date"
        raise MappingError(f"{out.path}{field}: {error} ({out.id}{period.text:02})") from None
    for position in {own[name] for name in ("date", "time") if name in own}:
        for each in (position, *(c.century for c in use.segment.centuries if c.date == position)):
            if each < len(out.elements):
                out.elements[each] = ""
    out.put(period.format, code, f"{out.path}format")
    out.put(period.text, text, f"{out.path}date")


def _near(text: str, target: Target) -> str:
    near = get_close_matches(text.lower().replace("-", "_").replace(" ", "_"), list(target.words.values()), 1)
    return f" (did you mean {near[0]}?)" if near else ""
