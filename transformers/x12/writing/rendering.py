"""A canonical document as the segments of a transaction, from the declaration that reads them.

What the document's fields hold goes where the declaration says; what reading kept in `extras` goes back where it stood.
No check is made here but what the text of a value needs: whoever calls reads the result back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hub.core.errors import MappingError
from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.declarations.declaration import (
    Loop,
    Placement,
    SegmentUse,
)
from transformers.x12.declarations.element_text import text_of
from transformers.x12.declarations.fields import present
from transformers.x12.declarations.homes import Homes
from transformers.x12.declarations.nodes import in_order, tree_nodes
from transformers.x12.declarations.place import Home
from transformers.x12.writing.extras import Extras, KeptSegment
from transformers.x12.writing.field_segments import FieldSegments
from transformers.x12.writing.holder import Holder
from transformers.x12.writing.merging import Merging, merge
from transformers.x12.writing.part_segment import PartSegment
from transformers.x12.writing.writing_plan import NO_PLACEMENT, WritingPlan, WritingStep
from transformers.x12.writing.written_segment import WrittenSegment, kept_elements


def render(document: Document, plan: WritingPlan) -> list[WrittenSegment]:
    """The segments between ST and SE. Raises MappingError, which names the field."""
    return _Rendering(document, plan).run()


class _Rendering:
    def __init__(self, document: Document, plan: WritingPlan) -> None:
        self._document = document
        self._part_segment = PartSegment(document)
        self._field_segments = FieldSegments(self._part_segment)
        self._plan = plan
        self._extras = Extras(document.extras)
        self._counts: dict[str, int] = {}
        self._known: dict[tuple[int, frozenset[str]], list[WritingStep]] = {}
        self._placed: dict[tuple[int, int, str], Sequence[Home]] = {}

    def run(self) -> list[WrittenSegment]:
        structure = self._plan.declaration.structure
        top = Holder(self._document, "", "", "", structure, present(self._document))
        found = self._steps(self._plan.steps, top)
        if left := self._extras.left():
            raise MappingError(
                f"extras[{left.number}] ({left.segment or 'a segment without an id'} in {left.within or 'the header'})"
                f" has no place in a {self._plan.declaration.set}"
            )
        return found

    # --- order -------------------------------------------------------------------------------------------------------

    def _steps(self, steps: Sequence[WritingStep], holder: Holder) -> list[WrittenSegment]:
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
                    inner = Holder(part, path, within, within, entry.structure, present(part))
                    found += self._steps(step.steps, inner)
        return found

    def _chosen(self, steps: Sequence[WritingStep], holder: Holder) -> Sequence[WritingStep]:
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

    def _plain_loop(self, step: WritingStep, loop: Loop, holder: Holder) -> Iterator[WrittenSegment]:
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

    def _instance(self, loop: str, holder: Holder) -> str:
        """The place of the next instance of a loop."""
        if self._extras.none:
            return ""
        key = f"{holder.within}/{loop}" if holder.within else loop
        self._counts[key] = self._counts.get(key, 0) + 1
        return f"{key}[{self._counts[key]}]"

    def _tree(self, group: Sequence[WritingStep], holder: Holder) -> Iterator[WrittenSegment]:
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
            inner = Holder(node.part, f"{node.path}.", within, within, loop.structure, present(node.part))
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

    def _parts(self, to: str, step: WritingStep, holder: Holder) -> Iterator[tuple[str, Part]]:
        """The parts of a field that are written here: of several places one that prefers it, else the first that holds
        all that the part has."""
        parts = getattr(holder.part, to)
        places = self._places(parts, step.homes, holder) if len(step.homes) > 1 and parts else None
        for number, part in enumerate(parts):
            if places is None or places[number] is step.entry:
                yield f"{holder.path}{to}[{number}].", part

    def _places(self, parts: Sequence[Part], among: Homes, holder: Holder) -> Sequence[Home]:
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

    def _use(self, step: WritingStep, use: SegmentUse, holder: Holder) -> list[WrittenSegment]:
        kept = self._extras.take(use.segment.id, holder.within) if step.last or use.mapping is None else []
        if use.mapping is not None and use.to is None and not step.last:
            return self._first_of_several(step, use, use.mapping, holder)
        if use.mapping is None:
            return [
                WrittenSegment([use.segment.id, *kept_elements(extra)], {0: f"extras[{extra.number}]"})
                for extra in kept
            ]
        if use.to is not None:
            made = [self._part_segment.write(step, use, part, path) for path, part in self._parts(use.to, step, holder)]
            for out in made if step.defaults else ():
                self._part_segment.write_defaults(out, step)
        else:
            made = self._field_segments.write(step, use, holder, kept)
            made = made or [WrittenSegment([use.segment.id]) for _ in kept[:1]]  # of which the fields hold nothing
        merge(kept, made, use)
        return made if use.mandatory or not kept else [out for out in made if not out.blank]

    def _first_of_several(
        self, step: WritingStep, use: SegmentUse, mapping: Placement, holder: Holder
    ) -> list[WrittenSegment]:
        """A segment behind which others of its kind stand that no field holds: the first one that was kept may be this
        one."""
        first = self._extras.first(use.segment.id, holder.within)
        own = first if first is not None and _kept_beside_fields(first, mapping) else None
        made = self._field_segments.write(step, use, holder, [own] if own else [])
        if own is not None and Merging(use).put(own, made, whole=True) is not None:
            self._extras.take_first(use.segment.id, holder.within)
        return made


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
