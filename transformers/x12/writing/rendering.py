"""A canonical document as the segments of a transaction, from the declaration that reads them.

What the document's fields hold goes where the declaration says; what reading kept in `extras` goes back where it stood.
No check is made here but what the text of a value needs: whoever calls reads the result back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from hub.core.errors import MappingError
from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.declarations.declaration import (
    Loop,
    Pairs,
    Period,
    Placement,
    Segment,
    SegmentUse,
    SubPart,
    Target,
)
from transformers.x12.declarations.element_text import NoText, dated_texts, in_window, text_of
from transformers.x12.declarations.fields import present
from transformers.x12.declarations.homes import Homes
from transformers.x12.declarations.nodes import in_order, tree_nodes
from transformers.x12.declarations.period import PERIOD_FIELDS, period_text
from transformers.x12.declarations.place import Home, value_at
from transformers.x12.validation.totals import CountedElement, counted
from transformers.x12.writing.extras import Extras, KeptSegment
from transformers.x12.writing.list_rows import list_rows_as_read
from transformers.x12.writing.merging import Merging, merge
from transformers.x12.writing.writing_plan import NO_PLACEMENT, Put, WritingPlan, WritingStep, put_of
from transformers.x12.writing.written_segment import WrittenSegment, kept_elements


def render(document: Document, plan: WritingPlan) -> list[WrittenSegment]:
    """The segments between ST and SE. Raises MappingError, which names the field."""
    return _Rendering(document, plan).run()


@dataclass(frozen=True, slots=True)
class _Holder:
    """The part whose fields are written, its path for people, its place among the loops (`PO1[3]`; nothing where the
    document has no extras), the place that is written now (a loop in it that makes no part), all the structure in which
    its fields have places, and which of its fields have a value."""

    part: Part
    path: str
    place: str
    within: str
    structure: Sequence[SegmentUse | Loop]
    present: frozenset[str]


class _Rendering:
    def __init__(self, document: Document, plan: WritingPlan) -> None:
        self._document = document
        self._plan = plan
        self._extras = Extras(document.extras)
        self._counts: dict[str, int] = {}
        self._known: dict[tuple[int, frozenset[str]], list[WritingStep]] = {}
        self._placed: dict[tuple[int, int, str], Sequence[Home]] = {}
        self._begun: set[tuple[int, str]] = set()

    def run(self) -> list[WrittenSegment]:
        structure = self._plan.declaration.structure
        top = _Holder(self._document, "", "", "", structure, present(self._document))
        found = self._steps(self._plan.steps, top)
        if left := self._extras.left():
            raise MappingError(
                f"extras[{left.number}] ({left.segment or 'a segment without an id'} in {left.within or 'the header'})"
                f" has no place in a {self._plan.declaration.set}"
            )
        return found

    # --- order -------------------------------------------------------------------------------------------------------

    def _steps(self, steps: Sequence[WritingStep], holder: _Holder) -> list[WrittenSegment]:
        found: list[WrittenSegment] = []
        for step in self._chosen(steps, holder):
            entry = step.entry
            if isinstance(entry, SegmentUse):
                found += self._use(step, entry, holder)
            elif step.group:
                found += self._tree(step.group, holder)
            elif entry.to is None:
                found += self._plain_loop(step, entry, holder)
            else:
                for path, part in self._parts(entry.to, step, holder):
                    within = self._instance(entry.id, holder)
                    inner = _Holder(part, path, within, within, entry.structure, present(part))
                    found += self._steps(step.steps, inner)
        return found

    def _chosen(self, steps: Sequence[WritingStep], holder: _Holder) -> Sequence[WritingStep]:
        """The steps that write anything of the part. Parts with the same fields have the same ones."""
        if not self._extras.none:
            return [step for step in steps if self._writes(step, holder.present) or self._kept(step, holder.within)]
        key = (id(steps), holder.present)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = [step for step in steps if self._writes(step, holder.present)]
        return found

    @staticmethod
    def _writes(step: WritingStep, present: frozenset[str]) -> bool:
        return step.always or not step.reads.isdisjoint(present)

    def _kept(self, step: WritingStep, within: str) -> bool:
        """Whether extras may stand there. A place in a plain loop that holds nothing counts as an instance of it."""
        if isinstance(step.entry, SegmentUse):
            return self._extras.stand_at(step.entry.segment.id, within)
        return step.entry.to is None

    def _plain_loop(self, step: WritingStep, loop: Loop, holder: _Holder) -> Iterator[WrittenSegment]:
        """A loop that makes no part: what is in it are fields of the part around it, once, or extras, any number of
        times."""
        instances = max(1, self._extras.instances(loop.id, holder.within))
        for _ in range(instances):
            within = self._instance(loop.id, holder)
            found = self._steps(step.steps, replace(holder, within=within))
            if all(out.blank for out in found):
                continue
            if found and (found[0].id != loop.id or found[0].blank):
                inner = next(out for out in found if not out.blank)
                position = next(p for p, text in enumerate(inner.elements) if p and text)
                raise MappingError(
                    f"{inner.field(position)}: {inner.id} stands in the loop {loop.id}, of which the document has"
                    " nothing"
                )
            yield from found

    def _instance(self, loop: str, holder: _Holder) -> str:
        """The place of the next instance of a loop."""
        if self._extras.none:
            return ""
        key = f"{holder.within}/{loop}" if holder.within else loop
        self._counts[key] = self._counts.get(key, 0) + 1
        return f"{key}[{self._counts[key]}]"

    def _tree(self, group: Sequence[WritingStep], holder: _Holder) -> Iterator[WrittenSegment]:
        """Loops nested by ids: in the order in which they stood."""
        loops = [step.entry for step in group if isinstance(step.entry, Loop)]
        to, tree = loops[0].to, loops[0].tree
        assert to is not None  # noqa: S101 - the loader has checked it
        assert tree is not None  # noqa: S101 - a group is a tree
        field = (loops[0].trigger.mapping or NO_PLACEMENT).put[tree.id].field
        nodes = tree_nodes(getattr(holder.part, to), f"{holder.path}{to}", tree.children, field)
        kept = self._extras.in_loop(loops[0].id, holder.place, loops[0].id)
        for node in in_order(nodes, [str(one.elements[0]) for one in kept if one.in_fields]):
            loop = self._loop_for(loops, node.part, node.path)
            steps = next(step.steps for step in group if step.entry is loop)
            within = self._instance(loop.id, holder)
            inner = _Holder(node.part, f"{node.path}.", within, within, loop.structure, present(node.part))
            first, *rest = self._steps(steps, inner)
            first.put(tree.id, node.id, f"{node.path}.{field}")
            first.put(tree.parent, node.parent, node.path)
            if len(loop.trigger.segment.elements) > tree.parent + 1:
                first.put(tree.parent + 2, "1" if getattr(node.part, tree.children) else "0", node.path)
            yield first
            yield from rest

    def _loop_for(self, loops: Sequence[Loop], part: Part, path: str) -> Loop:
        other = next((loop for loop in loops if loop.when is None), None)
        for loop in loops:
            if loop.when is None:
                continue
            position, codes = loop.when
            target = (loop.trigger.mapping or NO_PLACEMENT).put[position]
            element = loop.trigger.segment.elements[position - 1].element
            if text_of(element, getattr(part, target.field), target) in codes:
                return loop
        if other is None:
            raise MappingError(f"{path}: no loop of the {self._plan.declaration.set} is for it")
        return other

    # --- parts -------------------------------------------------------------------------------------------------------

    def _parts(self, to: str, step: WritingStep, holder: _Holder) -> Iterator[tuple[str, Part]]:
        """The parts of a field that are written here: of several places one that prefers it, else the first that holds
        all that the part has."""
        parts = getattr(holder.part, to)
        places = self._places(parts, step.homes, holder) if len(step.homes) > 1 and parts else None
        for number, part in enumerate(parts):
            if places is None or places[number] is step.entry:
                yield f"{holder.path}{to}[{number}].", part

    def _places(self, parts: Sequence[Part], among: Homes, holder: _Holder) -> Sequence[Home]:
        """The place of each part: where extras say that it stood, else the one that is best for it."""
        key = (id(parts), id(among.places[0].home), holder.place)
        known = self._placed.get(key)
        if known is not None:
            return known
        if self._extras.none and len(parts) == 1:
            places = self._placed[key] = [among.of(parts[0])]
            return places
        found: list[Home | None] = [None] * len(parts)
        for place in among.places if not self._extras.none else ():
            stood = self._extras.in_loop(place.use.segment.id, holder.place, _loop_around(place.home, holder.structure))
            backwards = place is not among.places[0]  # parts stand in the order of their places
            free = range(len(parts))[:: -1 if backwards else 1]
            for kept in reversed(stood) if backwards else stood:
                steps = (at for at, n in enumerate(free) if found[n] is None and place.stood(parts[n], kept.elements))
                if (at := next(steps, None)) is not None:
                    found[free[at]], free = place.home, free[at + 1 :]
        places = self._placed[key] = among.with_room(parts, found)
        return places

    def _use(self, step: WritingStep, use: SegmentUse, holder: _Holder) -> list[WrittenSegment]:
        kept = self._extras.take(use.segment.id, holder.within) if step.last or use.mapping is None else []
        if use.mapping is not None and use.to is None and not step.last:
            return self._first_of_several(step, use, use.mapping, holder)
        if use.mapping is None:
            return [
                WrittenSegment([use.segment.id, *kept_elements(extra)], {0: f"extras[{extra.number}]"})
                for extra in kept
            ]
        if use.to is not None:
            made = [self._segment(step, use, part, path) for path, part in self._parts(use.to, step, holder)]
            for out in made if step.defaults else ():
                self._defaults(out, step)
        else:
            made = self._fields(step, use, holder, kept)
            made = made or [WrittenSegment([use.segment.id]) for _ in kept[:1]]  # of which the fields hold nothing
        merge(kept, made, use)
        return made if use.mandatory or not kept else [out for out in made if not out.blank]

    def _first_of_several(
        self, step: WritingStep, use: SegmentUse, mapping: Placement, holder: _Holder
    ) -> list[WrittenSegment]:
        """A segment behind which others of its kind stand that no field holds: the first one that was kept may be this
        one."""
        first = self._extras.first(use.segment.id, holder.within)
        own = first if first is not None and _kept_beside_fields(first, mapping) else None
        made = self._fields(step, use, holder, [own] if own else [])
        if own is not None and Merging(use).put(own, made, whole=True) is not None:
            self._extras.take_first(use.segment.id, holder.within)
        return made

    def _segment(
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

    def _defaults(self, out: WrittenSegment, step: WritingStep) -> None:
        for position, default in step.defaults:
            if position >= len(out.elements) or not out.elements[position]:
                out.put(position, default, f"the agreement's default for {out.id}{position:02}")

    def _fields(
        self, step: WritingStep, use: SegmentUse, holder: _Holder, kept: Sequence[KeptSegment]
    ) -> list[WrittenSegment]:
        """Segments whose elements are fields of the part around them: one; several where they hold lists."""
        first = self._segment(step, use, holder.part, holder.path, frozenset(name for name, _ in step.elsewhere))
        for name, position in step.elsewhere:
            self._begin_text(first, use, name, position, holder, kept)
        made = [first]
        for name in step.lists:
            self._listed(made, use, name, holder, kept)
        for out in made if step.defaults else ():
            if not out.blank:
                self._defaults(out, step)
        return [out for out in made if not out.blank or (use.mandatory and not step.lists)]

    def _begin_text(
        self,
        out: WrittenSegment,
        use: SegmentUse,
        name: str,
        position: int,
        holder: _Holder,
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
    def _needed(use: SegmentUse, position: int, holder: _Holder) -> bool:
        """Whether a rule of the segment asks for this element, because the others of the rule have no value."""
        put = (use.mapping or NO_PLACEMENT).put
        for rule in use.segment.rules:
            others = [p for p in rule.positions if p != position]
            if rule.letter == "R" and position in rule.positions:
                return not any(p in put and value_at(holder.part, put[p].field) is not None for p in others)
        return False

    def _listed(
        self, made: list[WrittenSegment], use: SegmentUse, name: str, holder: _Holder, kept: Sequence[KeptSegment]
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


def _loop_around(home: Home, structure: Sequence[Home]) -> str:
    """The loop in which the segment of a place stands; empty where it is the part's own place."""
    if isinstance(home, Loop):
        return home.id
    plain = (entry for entry in structure if isinstance(entry, Loop) and entry.to is None)
    return next((entry.id for entry in plain if any(each is home for each in entry.structure)), "")


def _kept_beside_fields(kept: KeptSegment, mapping: Placement) -> bool:
    """Whether a segment that was kept whole can be one of which fields hold a part: it says more than they can, or
    where it stood."""
    more = (
        not mapping.places(number) or not isinstance(text, str) for number, text in enumerate(kept.elements, 1) if text
    )
    return kept.in_fields or any(more)


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
