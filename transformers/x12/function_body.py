"""The body of the function that takes one use of a segment: its elements checked, and put where they live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub.documents.base import Part
from transformers.x12.declaration import ElementUse, Loop, Pairs, Placement, Rule, Target, Use
from transformers.x12.fields import field_shape
from transformers.x12.grammar import State
from transformers.x12.snippets import append_part, defaults, new_part, rule_line

if TYPE_CHECKING:
    from transformers.x12.generate import Source

MAX_DEPTH = 20
"""Levels of a tree (HL) within each other."""

FEW = 5
"""Elements that a long segment mostly has at most."""


def _numeric(kind: str) -> bool:
    return kind == "R" or (kind[0] == "N" and len(kind) == 2)


def _fits(shape: str, kind: str) -> bool:
    """Whether a field of that shape can hold an element of that type."""
    match shape:
        case "text" | "texts":
            return kind != "B"
        case "number":
            return _numeric(kind)
        case "whole":
            return kind == "N0"
        case "date":
            return kind == "DT"
        case _:
            return False


PARTS = "_parts"
"""How the memory of a function's parts is called, behind the function's name."""

MOST_PARTS = 1000
"""Parts of one use of a segment that are remembered by their text."""


def _placed(structure: Sequence[Use | Loop]) -> bool:
    """Whether anything in the structure is put into the part around it."""
    return any(
        entry.to is not None or (_placed(entry.structure) if isinstance(entry, Loop) else entry.mapping is not None)
        for entry in structure
    )


class FunctionBody:
    """The body of one function."""

    def __init__(self, source: Source, state: State) -> None:
        assert state.use is not None  # noqa: S101
        self._source = source
        self._state = state
        self._use: Use = state.use
        self._segment = state.use.segment
        self._mapping = state.use.mapping or Placement()
        self._loop: Loop | None = source.grammar.loops[state.path[-1]].loop if state.opens else None
        self._level, self._cls = source.object(state.path)
        self._values: dict[int, str] = {}
        self._assigned: set[str] = set()
        self._duplicates = False

    def lines(self) -> list[str]:
        opens = self._loop is not None and self._loop.to is not None and not self._leaf
        out = [f"nonlocal o{self._level}"] if opens else []
        out += self._count()
        if self._segment.open:
            return [*out, "e = s.split(separator)", *self._open_object({}), self._extra()]
        if self._leaf:
            return [*out, *self._remembered()]
        return [*out, "e = s.split(separator)", *self._elements(), *self._pairs(), *self._place()]

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
        build = [*self._elements(), *self._pairs()]
        fields = self._fields(cls, build)
        build += new_part("part_", "d", cls, fields, self._source)
        keep = [f"if len({parts}) > {MOST_PARTS}: {parts}.clear()", f"{parts}[s] = part_"]
        if tests := self._kept_whole():
            build += [f"if {tests}: {self._extra()}", "elif len(warnings) == noted:", *("    " + k for k in keep)]
        else:
            build += ["if len(warnings) == noted:", *("    " + k for k in keep)]
        return [
            f"part_ = {parts}.get(s)",
            "if part_ is None:",
            "    e = s.split(separator); noted = len(warnings)",
            *("    " + line for line in build),
            *append_part(holder, to, "part_", many=most == 0 or most > 8),
        ]

    def _part_class(self, to: str) -> type[Part]:
        shape = field_shape(self._cls, to)
        if shape.kind != "parts" or shape.part is None:
            raise ValueError(f"{self._cls.__name__}.{to} doesn't hold parts")
        return shape.part

    # --- how often, where --------------------------------------------------------------------------------------------

    def _count(self) -> list[str]:
        out = []
        if self._loop is not None:
            own, first, last = self._source.counters[f"L{self._state.path[-1]}"]
            out.append(f"c[{own}] += 1")
            if self._loop.max > 1:
                out.append(f"if c[{own}] > {self._loop.max}: raise Refused")
            if last > first:
                zeros = self._source.constant("Z", (0,) * (last - first))
                out.append(f"c[{first}:{last}] = {zeros}")
        elif self._use.max > 1:
            own, _, _ = self._source.counters[f"U{self._state.number}"]
            out += [f"c[{own}] += 1", f"if c[{own}] > {self._use.max}: raise Refused"]
        return out

    def _extra(self) -> str:
        loops = self._source.grammar.loops
        within = tuple((loops[n].loop.id, self._source.counters[f"L{n}"][0]) for n in self._state.path)
        if self._segment.open:
            return f"extra(e, {within!r}, all_compound)"
        compounds = tuple(
            p for p, use in enumerate(self._segment.elements, 1) if use.element.type == "C" or use.repeat > 1
        )
        return f"extra(e, {within!r}, {compounds!r})"

    # --- elements ----------------------------------------------------------------------------------------------------

    def _elements(self) -> list[str]:
        """Takes the elements apart and checks them. Long segments are mostly short: what only the elements beyond the
        first few need is done where there are such."""
        size = len(self._segment.elements) + 1
        low, high = self._checks()
        tail = self._tail
        if tail:
            names = ", ".join(f"a{i}" for i in range(1, tail.first))
            return [
                "n = len(e); ids = None",
                *self._few_pairs(tail, names),
                "if ids is None:",
                f"    if n > {size}: n = {size}; e = excess(e, {size})",
                f"    if n < {tail.first}: e += pads[{tail.first} - n]",
                f"    _, {names}, *p = e",
                *("    " + line for line in self._many_pairs(tail)),
                *low,
            ]
        names = ", ".join(f"a{i}" for i in range(1, size))
        full = [
            f"if n != {size}: e = e + pads[{size} - n] if n < {size} else excess(e, {size})",
            f"_, {names}{',' if size == 1 else ''} = e",
        ]
        few = self._few
        if few == size - 1:
            return ["n = len(e)", *full, *low]
        blank = " = ".join(f"a{i}" for i in range(few + 1, size))
        values = [v for p, v in self._values.items() if p > few and v.startswith("v")]
        return [
            "n = len(e)",
            f"if n <= {few + 1}:",
            f"    if n <= {few}: e += pads[{few + 1} - n]",
            f"    _, {', '.join(f'a{i}' for i in range(1, few + 1))} = e",
            f"    {blank} = ''",
            *([f"    {' = '.join(values)} = None"] if values else []),
            "else:",
            *("    " + line for line in (*full, *high)),
            *low,
        ]

    @property
    def _few(self) -> int:
        """How many elements a segment mostly has at most."""
        uses = self._segment.elements
        last = max((p for p, use in enumerate(uses, 1) if use.mandatory), default=0)
        whole = self._tail or self._mapping.components or len(uses) <= FEW + 1
        return len(uses) if whole else max(FEW, last)

    @property
    def _tail(self) -> Pairs | None:
        """Pairs that go on to the end of the segment, all of the same kind: handled as a list."""
        pairs = self._mapping.pairs
        if pairs is None or pairs.last != len(self._segment.elements) or pairs.last - pairs.first <= 7:
            return None
        uses = self._segment.elements[pairs.first - 1 :]
        same = all(use.element == uses[n % 2].element for n, use in enumerate(uses))
        plain = not any(use.mandatory or use.forbidden for use in uses[2:])
        return pairs if same and plain and uses[0].mandatory == uses[1].mandatory else None

    def _checks(self) -> tuple[list[str], list[str]]:
        """Checks of the first elements, and of those beyond them."""
        few = self._few
        found: tuple[list[str], list[str]] = ([], [])
        refused: tuple[list[str], list[str]] = ([], [])
        for position, use in enumerate(self._segment.elements, 1):
            if self._tail and position >= self._tail.first:
                break
            name, element, part = f"a{position}", use.element, position > few
            if use.mandatory:
                refused[part].append(f"not {name}")
            words = self._words(position)
            if use.forbidden:
                refused[part].append(name)
                self._values[position] = name
            elif element.type == "C" or use.repeat > 1:
                found[part].extend(self._compound(position, use))
                self._values[position] = f"v{position}"
            elif element.type in ("AN", "ID") and not element.codes and not words:
                if element.min == element.max and element.min > 1:
                    refused[part].append(f"{name} and len({name}) != {element.max}")
                else:
                    refused[part].append(f"len({name}) > {element.max}")
                    if element.min > 1:
                        refused[part].append(f"0 < len({name}) < {element.min}")
                self._values[position] = name
            else:
                memory = self._source.memory(element, words if element.type == "ID" else None)
                found[part].append(f"v{position} = {memory}[{name}]")
                self._values[position] = f"v{position}"
        for rule in self._segment.rules:
            if not (self._tail and rule.positions[0] >= self._tail.first):
                found[self._beyond(rule)].append(rule_line(rule))
        for lines, tests in zip(found, refused, strict=True):
            if tests:
                lines.insert(0, f"if {' or '.join(tests)}: raise Refused")
        return found

    def _compound(self, position: int, use: ElementUse) -> list[str]:
        """Lines for a composite, or for an element that may be repeated: a repeated one has no value, and is kept whole."""
        name, element = f"a{position}", use.element
        if element.type == "C":
            words = {c: t.words for (p, c), t in self._mapping.components.items() if p == position}
            words[1] = self._words(position)
            whole = self._source.composite(element, words)
            first = self._source.memory(element.components[0].element, words[1])
            if any(p == position for p, _ in self._mapping.components):
                out = [f"r{position} = {whole}({name}, component)", f"v{position} = r{position}[0]"]
            elif any(c.mandatory for c in element.components[1:]):
                out = [f"v{position} = {whole}({name}, component)[0]"]
            else:
                out = [f"v{position} = {first}[{name}] if component not in {name} else {whole}({name}, component)[0]"]
            one = f"lambda t: {whole}(t, component)"
        else:
            memory = self._source.memory(element, self._words(position) if element.type == "ID" else None)
            out, one = [f"v{position} = {memory}[{name}]"], f"{memory}.__getitem__"
        if use.repeat == 1:
            return out
        return [
            f"if repetition in {name}: v{position} = repeated({name}, repetition, {one}, {use.repeat})",
            "else:",
            *("    " + line for line in out),
        ]

    def _beyond(self, rule: Rule) -> bool:
        """Whether the rule can only be broken when there is an element beyond the first few."""
        few = self._few
        match rule.letter:
            case "P":
                return all(p > few for p in rule.positions)
            case "E":
                return sum(p <= few for p in rule.positions) < 2
            case "R":
                return False
            case _:
                return rule.positions[0] > few

    def _words(self, position: int) -> Mapping[str, str]:
        target = self._mapping.put.get(position)
        for part in self._mapping.parts:
            target = target or part.put.get(position)
        pairs = self._mapping.pairs
        if target is None and pairs and pairs.first <= position <= pairs.last and (position - pairs.first) % 2 == 0:
            target = pairs.target
        return target.words if target else {}

    def _few_pairs(self, tail: Pairs, names: str) -> list[str]:
        """Straight lines for a segment with one to four pairs that are as they should be; what isn't is left to the way for
        any number of them."""
        qualifier, value = (use.element for use in self._segment.elements[tail.first - 1 : tail.first + 1])
        memory = self._source.memory(qualifier)
        out = []
        for count in range(1, 5):
            pairs = [(f"q{n}", f"w{n}") for n in range(1, count + 1)]
            low = f"{value.min} <= " if value.min > 1 else ""
            tests = [f"{q} and {w} and {low}len({w}) <= {value.max} and {memory}[{q}]" for q, w in pairs]
            out += [
                f"{'if' if count == 1 else 'elif'} n == {tail.first + 2 * count}:",
                f"    _, {names}, {', '.join(f'{q}, {w}' for q, w in pairs)} = e",
                f"    if {' and '.join(tests)}:",
                f"        ids = Identifiers({{{', '.join(f'{q}: {w}' for q, w in pairs)}}}); x = False",
                *([f"        if len(ids) != {count}: ids = None"] if count > 1 else []),
            ]
        return out

    def _many_pairs(self, tail: Pairs) -> list[str]:
        """Lines for any number of pairs, with gaps, and with a qualifier that comes twice."""
        qualifier = self._segment.elements[tail.first - 1]
        value = self._segment.elements[tail.first].element
        memory = self._source.memory(qualifier.element)
        return [
            *(["if not p or not p[0]: raise Refused"] if qualifier.mandatory else []),
            "x = False",
            "if p:",
            "    if len(p) & 1: p.append('')",
            "    q = p[::2]",
            "    ids = Identifiers(zip(q, p[1::2]))",
            "    if '' in p or len(ids) != len(q): ids, x = untidy(p)",
            "    for k, v in ids.items():",
            f"        {memory}[k]",
            f"        if not {value.min} <= len(v) <= {value.max}: raise Refused",
            "else: ids = NO_IDS",
        ]

    # --- places ------------------------------------------------------------------------------------------------------

    def _pairs(self) -> list[str]:
        pairs = self._mapping.pairs
        if pairs is None:
            return []
        if self._tail:
            return []  # taken apart with the elements
        positions = range(pairs.first, pairs.last, 2)
        if len(positions) == 1:
            q, v = pairs.first, pairs.first + 1
            return [f"x = False; ids = Identifiers(((({self._values[q]}), a{v}),)) if a{q} else NO_IDS"]
        listed = ", ".join(f"({self._values[q]}, a{q + 1})" for q in positions)
        return [
            f"ids, x = few(({listed},)) if a{pairs.first} or a{pairs.first + 2} or a{pairs.first + 4} else (NO_IDS, False)"
        ]

    def _place(self) -> list[str]:
        if self._use.mapping is None:
            return [*self._open_object({}), self._extra()]
        out: list[str] = []
        if self._loop is not None and self._loop.to:
            out += self._open_object(self._fields(self._cls, out))
        else:
            out += self._set(self._cls)
        if tests := self._kept_whole():
            out.append(f"if {tests}: {self._extra()}")
        return out

    def _kept_whole(self) -> str:
        """The test for what has no place in the document: then the segment is kept whole too."""
        unplaced = self._unplaced()
        tests = [f"a{p}" for p in unplaced]
        if self._mapping.pairs is not None:
            tests.append("x")
        return " or ".join(tests + self._partly_placed(unplaced))

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
        mapping = self._mapping
        placed = set(mapping.put) | mapping.drop
        for part in mapping.parts:
            placed |= set(part.put)
        if mapping.pairs:
            placed |= set(range(mapping.pairs.first, mapping.pairs.last + 1))
        return [p for p in range(1, len(self._segment.elements) + 1) if p not in placed]

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
        return fields

    def _sub_part(self, cls: type[Part], to: str, put: Mapping[int, Target]) -> list[str]:
        shape = field_shape(cls, to)
        if shape.part is None:
            raise ValueError(f"{cls.__name__}.{to} doesn't hold parts")
        fields = {t.field: self._value(shape.part, t, p) for p, t in put.items()}
        out = [] if to in self._assigned else [f"{to} = ()"]
        self._assigned.add(to)
        made = new_part("part_", "d", shape.part, fields, self._source)
        return [*out, f"if a{min(put)}:", *("    " + line for line in made), f"    {to} += (part_,)"]

    def _value(self, cls: type[Part], target: Target, position: int) -> str:
        """The expression for an element as the value of a field; refuses a declaration that doesn't fit the model."""
        shape = field_shape(cls, target.field)
        use = self._segment.elements[position - 1]
        first = use.element.component
        kind = (first or use.element).type
        place = f"{self._segment.id}{position:02}: {cls.__name__}.{target.field}"
        if not _fits(shape.kind, kind):
            raise ValueError(f"{place} can't hold an element of type {kind}")
        value = self._values[position]
        if shape.kind in ("text", "texts"):
            if first is None and (kind == "DT" or _numeric(kind)):
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
        if shape.required or not _fits(shape.kind, kind):
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
                default = self._source.constant("D", shape.default)
                blank = self._source.constant("B", defaults(shape.part))
                part = self._source.constant("P", shape.part)
                out += [
                    f"{variable} = o{self._level}[{owner!r}]",
                    f"if {variable} is {default}: {variable} = o{self._level}[{owner!r}] = unchecked({part}, {blank}.copy())",
                    f"{variable} = {variable}.__dict__",
                ]
                objects[owner] = (variable, shape.part)
            variable, holder = objects[owner]
            value = self._value(holder, Target(name, target.how, target.words), position)
            if target.how == "append":
                out.append(f"if a{position}: {variable}[{name!r}] += ({self._values[position]},)")
            elif target.how == "join":
                out.append(
                    f"{variable}[{name!r}] = {variable}[{name!r}] + '\\n' + a{position} if {variable}[{name!r}] else a{position}"
                )
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
        out = new_part("part_", variable, self._cls, fields, self._source)
        if loop.tree is None:
            return [*out, *append_part(f"o{self._level - 1}", loop.to, "part_", many=loop.max == 0 or loop.max > 8)]
        tree = loop.tree
        return [
            *out,
            f"if a{tree.id} in nodes or (a{tree.parent} and a{tree.parent} not in nodes): raise Refused",
            f"holder, depth = nodes[a{tree.parent}] if a{tree.parent} else (o{self._level - 1}, 0)",
            f"if depth >= {MAX_DEPTH}: raise Refused",
            f"nodes[a{tree.id}] = ({variable}, depth + 1)",
            f"f = {tree.children!r} if depth else {loop.to!r}",
            *append_part("holder", None, "part_", many=True),
        ]
