"""The body of the function that takes one use of a segment: its elements checked, and put where they live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.documents.base import PLACE, Part
from transformers.x12.compiled.element_lines import TWICE, ElementLines
from transformers.x12.compiled.place_tests import place_tests
from transformers.x12.compiled.snippets import append_part, defaults, new_part
from transformers.x12.compiled.source_names import SourceNames
from transformers.x12.declarations.declaration import Loop, Period, Placement, SegmentUse, Target
from transformers.x12.declarations.fields import field_shape, fits, numeric
from transformers.x12.declarations.grammar import GrammarState
from transformers.x12.declarations.period import RANGE
from transformers.x12.envelope.binary import LENGTH_AT

MAX_DEPTH = 20
"""Levels of a tree (HL) within each other."""


PARTS = "_parts"
"""How the memory of a function's parts is called, behind the function's name."""

LONGEST_TEXT = 200
"""Characters of a segment whose part is remembered."""

MOST_PARTS = 128
"""Parts of one use of a segment that are remembered by their text. Few: where no text comes twice, every one that is
kept costs a place in the processor's caches."""


def _placed(structure: Sequence[SegmentUse | Loop]) -> bool:
    """Whether anything in the structure is put into the part around it."""
    return any(
        entry.to is not None or (_placed(entry.structure) if isinstance(entry, Loop) else entry.mapping is not None)
        for entry in structure
    )


def out_of_step(segment: str, element: int) -> str:
    """The warning for ids of levels that are unique, which is what the standard asks for, and don't count up."""
    return f"{segment}{element:02} doesn't count the levels up by one from 1"


class FunctionBody:
    """The body of one function."""

    def __init__(self, names: SourceNames, state: GrammarState) -> None:
        assert state.use is not None  # noqa: S101
        self._names = names
        self._state = state
        self._use: SegmentUse = state.use
        self._segment = state.use.segment
        self._mapping = state.use.mapping or Placement()
        self._loop: Loop | None = names.grammar.loops[state.path[-1]].loop if state.opens else None
        self._level, self._cls = names.object(state.path)
        self._elements = ElementLines(names, self._segment, self._mapping)
        self._assigned: set[str] = set()
        self._needed: set[int] = set()

    def lines(self) -> list[str]:
        opens = self._loop is not None and self._loop.to is not None and not self._leaf
        out = [f"nonlocal o{self._level}"] if opens else []
        out += self._count()
        if self._segment.open:
            return [*out, *self._taken_apart(), *self._open_object({}), self._extra()]
        if self._leaf:
            return [*out, *self._remembered()]
        return [*out, *self._taken_apart(), *self._elements.lines(), *self._place()]

    def _taken_apart(self) -> list[str]:
        """The elements of the segment. Three characters of it have been looked at: an id may go on behind them."""
        name = self._segment.id
        if name in LENGTH_AT:
            return [f"e = s.split(separator, {LENGTH_AT[name] + 1})", f"if e[0] != {name!r} or lies(e): raise Refused"]
        return ["e = s.split(separator)", *([f"if e[0] != {name!r}: raise Refused"] if len(name) > 2 else [])]

    @property
    def _leaf(self) -> bool:
        """Whether the segment makes a part that nothing further is put into: the same text makes the same part."""
        if self._use.to:
            return True
        loop = self._loop
        return loop is not None and loop.to is not None and loop.tree is None and not _placed(loop.structure[1:])

    def _remembered(self) -> list[str]:
        """A part that has been made of the same text before is used again: it never changes."""
        parts = PARTS
        loop = self._loop if self._use.to is None else None
        to, most = (loop.to, loop.max) if loop else (self._use.to, self._use.max)
        holder = f"o{self._level - 1}" if loop else f"o{self._level}"
        cls = self._cls if loop else self._part_class(self._use.to or "")
        build = self._elements.lines()
        fields = self._fields(cls, build)
        self._names.needs[self._state.number] = frozenset(self._needed)
        build += new_part("part_", "d", cls, fields, self._names)
        keep = [f"if len({parts}) > {MOST_PARTS}: {parts}.clear()", f"{parts}[s] = part_"]
        if kept := self._keep():
            build += [
                *kept,
                f"elif len(warnings) == noted and len(s) < {LONGEST_TEXT}:",
                *("    " + k for k in keep),
            ]
        else:
            build += [f"if len(warnings) == noted and len(s) < {LONGEST_TEXT}:", *("    " + k for k in keep)]
        return [
            f"part_ = {parts}.get(s)",
            "if part_ is None:",
            *("    " + line for line in self._taken_apart()),
            "    noted = len(warnings)",
            *("    " + line for line in build),
            *append_part(holder, to, "part_", many=most == 0 or most > 8),
        ]

    def _part_class(self, to: str) -> type[Part]:
        shape = field_shape(self._cls, to)
        if shape.kind != "parts" or shape.part is None:
            raise ValueError(f"{self._cls.__name__}.{to} doesn't hold parts")
        return shape.part

    def _count(self) -> list[str]:
        out = []
        if self._loop is not None:
            own, first, last = self._names.counters[f"L{self._state.path[-1]}"]
            out.append(f"c[{own}] = count = c[{own}] + 1")
            if self._loop.max > 1:
                out.append(f"if count > {self._loop.max}: raise Refused")
            if last > first:
                zeros = self._names.constant("Z", (0,) * (last - first))
                out.append(f"c[{first}:{last}] = {zeros}")
        elif self._use.max > 1:
            own, _, _ = self._names.counters[f"U{self._state.number}"]
            out += [f"c[{own}] = count = c[{own}] + 1", f"if count > {self._use.max}: raise Refused"]
        return out

    def _extra(self, kept_for: str | None = None) -> str:
        loops = self._names.grammar.loops
        within = tuple((loops[n].loop.id, self._names.counters[f"L{n}"][0]) for n in self._state.path)
        if self._segment.open and self._segment.id not in LENGTH_AT:
            return f"extra(e, {within!r}, all_compound, {kept_for!r})"
        compounds = tuple(
            p for p, use in enumerate(self._segment.elements, 1) if use.element.type == "C" or use.repeat > 1
        )
        elements = f"without(e, {self._use.counted!r})" if self._use.counted else "e"
        return f"extra({elements}, {within!r}, {compounds!r}, {kept_for!r})"

    def _place(self) -> list[str]:
        if self._use.mapping is None:
            return [*self._open_object({}), self._extra()]
        out: list[str] = []
        if self._loop is not None and self._loop.to:
            out += self._open_object(self._fields(self._cls, out))
        else:
            out += self._set(self._cls)
        return [*out, *self._keep()]

    def _kept_whole(self) -> str:
        """The test for what has no place in the document: then the segment is kept whole too."""
        unplaced = self._unplaced()
        lone = [c for c in self._segment.centuries if c.date not in unplaced]
        tests = [f"a{p}" for p in unplaced if p not in [c.century for c in lone]]
        if self._mapping.period is not None:
            tests.append(f"a{self._mapping.period.format} and f is None")
        tests += [f"a{c.century} and not a{c.date}" for c in lone]
        for part in self._mapping.parts:  # none is made without the first of its elements
            first, *others = sorted(part.put)
            tests += [f"not a{first} and ({' or '.join(f'a{p}' for p in others)})"] if others else []
        if self._mapping.pairs is not None:
            tests.append(f"x == {TWICE}")
        return " or ".join(tests + self._partly_placed(unplaced))

    def _keep(self) -> list[str]:
        """Lines that keep the segment whole where the document doesn't hold all of it, or where its place doesn't
        follow from what the document holds. A line for the other case may go on with `elif`."""
        placed = " or ".join(place_tests(self._names, self._state, self._mapping))
        found = [(test, why) for test, why in ((self._kept_whole(), None), (placed, PLACE)) if test]
        words = ("if", "elif")
        return [f"{words[n]} {test}: {self._extra(why)}" for n, (test, why) in enumerate(found)]

    def _partly_placed(self, unplaced: list[int]) -> list[str]:
        """Tests for elements of which only a part has a place: further components, repetitions."""
        tests = []
        for position, use in enumerate(self._segment.elements, 1):
            if position in unplaced:
                continue
            if use.repeat > 1:
                tests.append(f"repetition in a{position}")
            if use.element.type == "C":
                placed = {c for p, c in self._mapping.components if p == position}
                rest = [c for c in range(2, len(use.element.components) + 1) if c not in placed]
                tests += (
                    [f"r{position}[{c - 1}] is not None" for c in rest] if placed else [f"component in a{position}"]
                )
        return tests

    def _unplaced(self) -> list[int]:
        return [p for p in range(1, len(self._segment.elements) + 1) if not self._mapping.places(p)]

    def _fields(self, cls: type[Part], out: list[str]) -> dict[str, str]:
        """Expressions for the fields of a new part."""
        fields = {target.field: self._value(cls, target, position) for position, target in self._mapping.put.items()}
        for (position, component), target in self._mapping.components.items():
            fields[target.field] = self._component(cls, target, position, component)
        if self._mapping.pairs:
            fields[self._mapping.pairs.target.field] = "ids"
        for part in self._mapping.parts:
            out += self._sub_part(cls, part.to, part.put)
            fields[part.to] = part.to
        return fields | (self._period(self._mapping.period, out) if self._mapping.period is not None else {})

    def _period(self, period: Period, out: list[str]) -> dict[str, str]:
        """Expressions for the fields of a date or period that is written in one text."""
        at = {target.field: position for position, target in self._mapping.put.items()}
        day = f"v{at['date']}" if "date" in at else "b"
        time = f"a{at['time']}" if "time" in at else "t"
        place = f"{self._segment.id}{period.text:02}"
        code, text = f"a{period.format}", f"a{period.text}"
        own = [f"{name} = {blank}" for name, blank in ((day, "None"), (time, "''")) if name in ("b", "t")]
        out += [
            *own,
            "u = f = None",
            f"if {code}: {day}, {time}, u, f = period({code}, {text}, {day}, {time}, {place!r}, warnings)",
        ]
        return {"date": day, "time": f"{time} or None", "until": "u", "format": f"None if f == {RANGE!r} else f"}

    def _sub_part(self, cls: type[Part], to: str, put: Mapping[int, Target]) -> list[str]:
        shape = field_shape(cls, to)
        if shape.part is None:
            raise ValueError(f"{cls.__name__}.{to} doesn't hold parts")
        fields = {t.field: self._value(shape.part, t, p) for p, t in put.items()}
        out = [] if to in self._assigned else [f"{to} = ()"]
        self._assigned.add(to)
        made = new_part("part_", "d", shape.part, fields, self._names)
        return [*out, f"if a{min(put)}:", *("    " + line for line in made), f"    {to} += (part_,)"]

    def _value(self, cls: type[Part], target: Target, position: int) -> str:
        """The expression for an element as the value of a field; refuses a declaration that doesn't fit the model."""
        value = self._strict_value(cls, target, position)
        use, shape = self._segment.elements[position - 1], field_shape(cls, target.field)
        if shape.required:
            self._needed.add(position)
            return f"needed({value})" if use.lenient else value
        blank = shape.kind == "text" and not shape.optional and target.how == "set"
        if blank and not (use.mandatory and not use.lenient) and (shape.default or value != f"a{position}"):
            return f"{value} or {shape.default!r}"
        return value

    def _strict_value(self, cls: type[Part], target: Target, position: int) -> str:
        shape = field_shape(cls, target.field)
        use = self._segment.elements[position - 1]
        first = use.element.component
        kind = (first or use.element).type
        place = f"{self._segment.id}{position:02}: {cls.__name__}.{target.field}"
        if not fits(shape.kind, kind):
            raise ValueError(f"{place} can't hold an element of type {kind}")
        value = self._elements.values[position]
        if shape.kind in ("text", "texts"):
            if first is None and (kind == "DT" or numeric(kind)):
                value = f"a{position}"
            if shape.required and not use.mandatory and target.how == "set" and not self._sub_required(position):
                raise ValueError(f"{place} needs a value, and the element isn't mandatory")
            return f"{value} or None" if shape.optional and value == f"a{position}" else value
        if kind == "N0" and shape.kind == "number":
            return f"None if v{position} is None else Decimal(v{position})"
        return value

    def _component(self, cls: type[Part], target: Target, position: int, component: int) -> str:
        """The expression for a component as the value of a field."""
        shape = field_shape(cls, target.field)
        kind = self._segment.elements[position - 1].element.components[component - 1].element.type
        place = f"{self._segment.id}{position:02}.{component}: {cls.__name__}.{target.field}"
        if shape.required or not fits(shape.kind, kind):
            raise ValueError(f"{place} can't hold a component of type {kind}")
        value = f"r{position}[{component - 1}]"
        as_text = shape.kind == "text" and kind not in ("AN", "ID", "TM")
        return f"None if {value} is None else str({value})" if as_text else value

    def _sub_required(self, position: int) -> bool:
        return any(position == min(part.put) for part in self._mapping.parts)

    def _set(self, cls: type[Part]) -> list[str]:
        """Elements that are fields of the object around the segment, or of a part in it."""
        out: list[str] = []
        objects: dict[str, tuple[str, type[Part]]] = {"": (f"o{self._level}", cls)}
        for position, target in self._mapping.put.items():
            owner, _, name = target.field.rpartition(".")
            if owner not in objects:
                shape = field_shape(cls, owner)
                if shape.part is None:
                    raise ValueError(f"{cls.__name__}.{owner} isn't a part")
                variable = f"s_{owner}"
                default = self._names.constant("D", shape.default)
                blank = self._names.constant("B", defaults(shape.part))
                part = self._names.constant("P", shape.part)
                out += [
                    f"{variable} = o{self._level}[{owner!r}]",
                    (
                        f"if {variable} is {default}: {variable} = o{self._level}[{owner!r}] = unchecked({part},"
                        f" {blank}.copy())"
                    ),
                    f"{variable} = {variable}.__dict__",
                ]
                objects[owner] = (variable, shape.part)
            variable, holder = objects[owner]
            value = self._value(holder, Target(name, target.how, target.words), position)
            if target.how == "append":
                if not any(line.startswith("y = ") for line in out):
                    there, room = f"len({variable}[{name!r}])", len(self._mapping.put)
                    again = f"extras and extras[-1].segment == {self._segment.id!r}"
                    out.append(f"y = {there} and ({there} % {room} or {again})")
                out.append(f"if a{position}: {variable}[{name!r}] += ({self._elements.values[position]},)")
            elif target.how == "join":
                joined = f"{variable}[{name!r}] + '\\n' + a{position} if {variable}[{name!r}] else a{position}"
                out.append(f"if a{position}: {variable}[{name!r}] = {joined}")
            else:
                out.append(f"{variable}[{name!r}] = {value}")
        if self._mapping.pairs:
            out.append(f"o{self._level}[{self._mapping.pairs.target.field!r}] = ids")
        return out

    def _open_object(self, fields: dict[str, str]) -> list[str]:
        """A new object for the loop that this segment opens, where the loop has one."""
        loop = self._loop
        if loop is None or not loop.to:
            return []
        variable = f"o{self._level}"
        out = new_part("part_", variable, self._cls, fields, self._names)
        if loop.tree is None:
            return [*out, *append_part(f"o{self._level - 1}", loop.to, "part_", many=loop.max == 0 or loop.max > 8)]
        tree = loop.tree
        return [
            *out,
            f"if a{tree.id} in nodes or (a{tree.parent} and a{tree.parent} not in nodes): raise Refused",
            f"holder, depth = nodes[a{tree.parent}] if a{tree.parent} else (o{self._level - 1}, 0)",
            f"if depth >= {MAX_DEPTH}: raise Refused",
            f"nodes[a{tree.id}] = ({variable}, depth + 1)",
            (
                f"if a{tree.id}.lstrip('0') != str(len(nodes)):"
                f" warnings.append({out_of_step(self._segment.id, tree.id)!r})"
            ),
            f"f = {tree.children!r} if depth else {loop.to!r}",
            *append_part("holder", None, "part_", many=True),
        ]
