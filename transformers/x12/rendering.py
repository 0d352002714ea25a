"""A canonical document as the segments of a transaction, from the declaration that reads them.

What the document's fields hold goes where the declaration says; what reading kept in `extras` goes back where it stood. No
check is made here but what the text of a value needs: whoever calls reads the result back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import count
from typing import Any

from hub.core.errors import MappingError
from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.declaration import Loop, Placement, Segment, SetDeclaration, SubPart, Target, Use
from transformers.x12.extras import Extras
from transformers.x12.homes import home_of, homes, value_at
from transformers.x12.rendered import Rendered, kept_elements, merge
from transformers.x12.texts import NoText, text_of


def render(document: Document, declaration: SetDeclaration) -> list[Rendered]:
    """The segments between ST and SE. Raises MappingError, which names the field."""
    return _Rendering(document, declaration).run()


@dataclass(frozen=True, slots=True)
class _Holder:
    """The part whose fields are written, its path for people, its place among the loops (`PO1[3]`), and all the structure
    in which its fields have places."""

    part: Part
    path: str
    within: str
    structure: Sequence[Use | Loop]


class _Rendering:
    def __init__(self, document: Document, declaration: SetDeclaration) -> None:
        self._document = document
        self._declaration = declaration
        self._extras = Extras(document.extras)
        self._counts: dict[str, int] = {}

    def run(self) -> list[Rendered]:
        top = _Holder(self._document, "", "", self._declaration.structure)
        found = list(self._structure(self._declaration.structure, top))
        if left := self._extras.left():
            raise MappingError(
                f"extras[{left.number}] ({left.segment} in {left.within or 'the header'}) has no place in a "
                f"{self._declaration.set}"
            )
        return found

    # --- order -------------------------------------------------------------------------------------------------------

    def _structure(self, structure: Sequence[Use | Loop], holder: _Holder) -> Iterator[Rendered]:
        groups: set[str] = set()
        for number, entry in enumerate(structure):
            if isinstance(entry, Use):
                again = any(isinstance(e, Use) and e.segment.id == entry.segment.id for e in structure[number + 1 :])
                yield from self._use(entry, holder, last=not again)
            elif entry.group is None:
                yield from self._loop(entry, holder)
            elif entry.group not in groups:
                groups.add(entry.group)
                loops = [e for e in structure if isinstance(e, Loop) and e.group == entry.group]
                yield from self._tree(loops, holder)

    def _loop(self, loop: Loop, holder: _Holder) -> Iterator[Rendered]:
        if loop.to is None:
            yield from self._plain_loop(loop, holder)
            return
        for path, part in self._parts(loop.to, loop, holder):
            within = self._instance(loop.id, holder)
            yield from self._structure(loop.structure, _Holder(part, path, within, loop.structure))

    def _plain_loop(self, loop: Loop, holder: _Holder) -> Iterator[Rendered]:
        """A loop that makes no part: what is in it are fields of the part around it, once, or extras, any number of times."""
        instances = max(1, self._extras.instances(loop.id, holder.within))
        for _ in range(instances):
            within = self._instance(loop.id, holder)
            found = list(self._structure(loop.structure, replace(holder, within=within)))
            if all(out.blank for out in found):
                continue
            if found and (found[0].id != loop.id or found[0].blank):
                inner = next(out for out in found if not out.blank)
                position = next(p for p, text in enumerate(inner.elements) if p and text)
                raise MappingError(
                    f"{inner.field(position)}: {inner.id} stands in the loop {loop.id}, of which the document has nothing"
                )
            yield from found

    def _instance(self, loop: str, holder: _Holder) -> str:
        """The place of the next instance of a loop."""
        key = f"{holder.within}/{loop}" if holder.within else loop
        self._counts[key] = self._counts.get(key, 0) + 1
        return f"{key}[{self._counts[key]}]"

    def _tree(self, loops: Sequence[Loop], holder: _Holder) -> Iterator[Rendered]:
        """Loops nested by ids: in the order of their ids where these count up, else parents before their children."""
        to, tree = loops[0].to, loops[0].tree
        assert to is not None  # noqa: S101 - the loader has checked it
        assert tree is not None  # noqa: S101 - a group is a tree
        field = (loops[0].trigger.mapping or Placement()).put[tree.id].field
        parts = getattr(holder.part, to)
        numbers = _numbers(parts, tree.children, field)
        nodes = list(_nodes(parts, f"{holder.path}{to}", "", tree.children, numbers))
        if _count_up(nodes):
            nodes.sort(key=lambda node: int(node.id))
        for node in nodes:
            loop = self._loop_for(loops, node.part, node.path)
            within = self._instance(loop.id, holder)
            first, *rest = self._structure(loop.structure, _Holder(node.part, f"{node.path}.", within, loop.structure))
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
            target = (loop.trigger.mapping or Placement()).put[position]
            element = loop.trigger.segment.elements[position - 1].element
            if text_of(element, getattr(part, target.field), target) in codes:
                return loop
        if other is None:
            raise MappingError(f"{path}: no loop of the {self._declaration.set} is for it")
        return other

    # --- parts -------------------------------------------------------------------------------------------------------

    def _parts(self, to: str, home: Use | Loop, holder: _Holder) -> Iterator[tuple[str, Part]]:
        """The parts of a field that are written here: of several places one that prefers it, else the first that holds all
        that the part has."""
        among = homes(to, holder.structure)
        for number, part in enumerate(getattr(holder.part, to)):
            if home_of(part, among) is home:
                yield f"{holder.path}{to}[{number}].", part

    def _use(self, use: Use, holder: _Holder, *, last: bool) -> Iterator[Rendered]:
        kept = self._extras.take(use.segment.id, holder.within) if last or use.mapping is None else []
        if use.mapping is None:
            for extra in kept:
                yield Rendered([use.segment.id, *kept_elements(extra)], {0: f"extras[{extra.number}]"})
            return
        if use.to is not None:
            made = [self._segment(use, part, path) for path, part in self._parts(use.to, use, holder)]
            for out in made:
                self._defaults(out, use.segment)
        else:
            made = self._fields(use, holder)
        for extra in kept:
            merge(extra, made, use)
        yield from made

    def _segment(self, use: Use, part: Part, path: str, skip: frozenset[str] = frozenset()) -> Rendered:
        """The segment of one part; `skip` are fields that stand elsewhere."""
        mapping = use.mapping or Placement()
        out = Rendered([use.segment.id])
        for position, target in mapping.put.items():
            if target.how == "set" and target.field not in skip:
                self._put(out, use.segment, position, target, value_at(part, target.field), f"{path}{target.field}")
        self._components(out, use, part, path)
        self._pairs(out, use, part, path)
        for name in dict.fromkeys(sub.to for sub in mapping.parts):
            self._sub_parts(out, use, [s for s in mapping.parts if s.to == name], getattr(part, name), f"{path}{name}")
        for position, name in use.counts.items():
            if (position >= len(out.elements) or not out.elements[position]) and (count := _count(getattr(part, name))):
                out.put(position, str(count), f"{path}{name}")
        return out

    def _put(self, out: Rendered, segment: Segment, position: int, target: Target, value: Any, path: str) -> None:
        element = segment.elements[position - 1].element
        element = element.component or element
        try:
            text = text_of(element, value, target)
            if target.words and len(text) > element.max:
                raise NoText(
                    f"{text[:40]!r} is no code of element {element.number}, and no word for one{_near(text, target)}"
                )
            out.put(position, text, path)
        except NoText as error:
            raise MappingError(f"{path}: {error} ({segment.id}{position:02})") from None

    def _components(self, out: Rendered, use: Use, part: Part, path: str) -> None:
        for (position, component), target in (use.mapping or Placement()).components.items():
            element = use.segment.elements[position - 1].element.components[component - 1].element
            text = text_of(element, value_at(part, target.field), target)
            if not text:
                continue
            first = out.elements[position] if position < len(out.elements) else ""
            parts = first[0] if isinstance(first, list) else [first]
            parts += [""] * (component - len(parts))
            parts[component - 1] = text
            out.put(position, [parts], out.fields.get(position, f"{path}{target.field}"))

    def _pairs(self, out: Rendered, use: Use, part: Part, path: str) -> None:
        pairs = (use.mapping or Placement()).pairs
        if pairs is None:
            return
        ids: Mapping[str, str] = getattr(part, pairs.target.field)
        room = (pairs.last - pairs.first + 1) // 2
        if len(ids) > room:
            raise MappingError(f"{path}{pairs.target.field}: {len(ids)} ids, and {use.segment.id} has room for {room}")
        for number, (qualifier, value) in enumerate(ids.items()):
            position = pairs.first + 2 * number
            field_path = f"{path}{pairs.target.field}.{qualifier}"
            self._put(out, use.segment, position, pairs.target, qualifier, field_path)
            out.put(position + 1, value, field_path)

    def _sub_parts(self, out: Rendered, use: Use, homes: Sequence[SubPart], parts: Sequence[Part], path: str) -> None:
        if len(parts) > len(homes):
            raise MappingError(f"{path}: {len(parts)} of them, and {use.segment.id} has room for {len(homes)}")
        for number, (home, part) in enumerate(zip(homes, parts, strict=False)):
            for position, target in home.put.items():
                own = f"{path}[{number}].{target.field}"
                self._put(out, use.segment, position, target, getattr(part, target.field), own)

    def _defaults(self, out: Rendered, segment: Segment) -> None:
        for position, use in enumerate(segment.elements, 1):
            if use.default is not None and (position >= len(out.elements) or not out.elements[position]):
                out.put(position, use.default, f"the agreement's default for {segment.id}{position:02}")

    def _fields(self, use: Use, holder: _Holder) -> list[Rendered]:
        """Segments whose elements are fields of the part around them: one; several where they hold lists."""
        mapping = use.mapping or Placement()
        lists = list(dict.fromkeys(t.field for t in mapping.put.values() if t.how != "set"))
        first = self._segment(use, holder.part, holder.path, self._elsewhere(use, holder))
        made = [first]
        for name in lists:
            self._listed(made, use, name, holder)
        for out in made:
            if not out.blank:
                self._defaults(out, use.segment)
        return [out for out in made if not out.blank or (use.mandatory and not lists)]

    def _elsewhere(self, use: Use, holder: _Holder) -> frozenset[str]:
        """Fields that segments further on hold line by line (the text of a note): unless they are the only thing by which
        this segment satisfies its rules."""
        mapping = use.mapping or Placement()
        joined = {
            t.field
            for entry in holder.structure
            if isinstance(entry, Use) and entry is not use and entry.mapping
            for t in entry.mapping.put.values()
            if t.how == "join"
        }
        found = {t.field: p for p, t in mapping.put.items() if t.how == "set" and t.field in joined}
        return frozenset(name for name, position in found.items() if not self._needed(use, position, holder))

    @staticmethod
    def _needed(use: Use, position: int, holder: _Holder) -> bool:
        """Whether a rule of the segment asks for this element, because the others of the rule have no value."""
        put = (use.mapping or Placement()).put
        for rule in use.segment.rules:
            others = [p for p in rule.positions if p != position]
            if rule.letter == "R" and position in rule.positions:
                return not any(p in put and value_at(holder.part, put[p].field) is not None for p in others)
        return False

    def _listed(self, made: list[Rendered], use: Use, name: str, holder: _Holder) -> None:
        """A tuple of texts, or a text of several lines, over as many segments as it needs."""
        value = value_at(holder.part, name)
        texts = list(value) if isinstance(value, tuple) else (value.split("\n") if value else [])
        if not isinstance(value, tuple) and self._stands_before(use, name, holder):
            texts = []
        positions = [p for p, t in (use.mapping or Placement()).put.items() if t.field == name]
        for number, text in enumerate(texts):
            row, column = divmod(number, len(positions))
            while len(made) <= row:
                made.append(Rendered([use.segment.id]))
            suffix = f"[{number}]" if isinstance(value, tuple) else ""
            made[row].put(positions[column], text, f"{holder.path}{name}{suffix}")

    def _stands_before(self, use: Use, name: str, holder: _Holder) -> bool:
        """Whether an earlier segment holds the text whole."""
        for entry in holder.structure:
            if entry is use or not isinstance(entry, Use) or not entry.mapping:
                continue
            for position, target in entry.mapping.put.items():
                if target.field == name and target.how == "set" and self._needed(entry, position, holder):
                    return True
        return False


def _count(parts: Sequence[Any]) -> int:
    """How many there are, with those within them (levels of a ship notice)."""
    return sum(1 + _count(getattr(part, "levels", ())) for part in parts)


def _near(text: str, target: Target) -> str:
    near = get_close_matches(text.lower().replace("-", "_").replace(" ", "_"), list(target.words.values()), 1)
    return f" (did you mean {near[0]}?)" if near else ""


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a tree: its path, its own id and its parent's."""

    part: Part
    path: str
    id: str
    parent: str


def _nodes(parts: Sequence[Part], path: str, parent: str, children: str, numbers: Iterator[str]) -> Iterator[_Node]:
    """A tree's parts, parents before their children. `numbers`: their ids, in this order."""
    for number, part in enumerate(parts):
        node = _Node(part, f"{path}[{number}]", next(numbers), parent)
        yield node
        yield from _nodes(getattr(part, children), f"{node.path}.{children}", node.id, children, numbers)


def _numbers(parts: Sequence[Part], children: str, field: str) -> Iterator[str]:
    """The ids of a tree's parts: their own; those without one are numbered, by numbers that nobody else has."""
    own = [getattr(part, field) for part in _in_order(parts, children)]
    taken = {str(id).lstrip("0") for id in own if id is not None}
    free = (str(number) for number in count(1) if str(number) not in taken)
    return iter([str(id) if id is not None else next(free) for id in own])


def _in_order(parts: Sequence[Part], children: str) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _in_order(getattr(part, children), children)


def _count_up(nodes: Sequence[_Node]) -> bool:
    """Whether all ids are numbers, and every child's is greater than its parent's: then their order is that of the ids."""
    if not all(node.id.isdecimal() and len(node.id) < 10 for node in nodes):
        return False
    return all(not node.parent or int(node.parent) < int(node.id) for node in nodes)
