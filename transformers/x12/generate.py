"""Python source from a grammar: one function per use of a segment, straight-line, with nothing left to interpret.

Each function checks the elements of its segment (presence, type, length, codes, rules) and puts them where they live. What
it can't take it refuses without saying why (`Refused`); `diagnose` then looks at the whole transaction again, slowly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.documents.base import Document, Part
from transformers.x12.declaration import Element, Loop, Placement, Rule, Target, Use
from transformers.x12.fields import field_shape, shapes
from transformers.x12.grammar import Grammar, State

MAX_DEPTH = 20
"""Levels of a tree (HL) within each other."""

FEW = 5
"""Elements that a long segment mostly has at most."""


class Source:
    """Collects the source of a set's functions, and the constants that they use (`constants`, by name)."""

    def __init__(self, grammar: Grammar, document: type[Document]) -> None:
        self.grammar = grammar
        self.constants: dict[str, Any] = {}
        self.memories: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
        self.functions: dict[str, str] = {}
        self.handlers: list[str] = []
        self._document = document
        self._objects: dict[tuple[int, ...], tuple[int, type[Part]]] = {}
        self.counters = _number_counters(grammar)
        for state in grammar.states:
            self.handlers.append(self._handler(state) if state.use else "")

    @property
    def depth(self) -> int:
        """How many objects are open within each other, the document not counted."""
        return max((level for level, _ in self._objects.values()), default=0)

    def constant(self, prefix: str, value: Any) -> str:
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        return name

    def memory(self, element: Element, words: Mapping[str, str] | None = None) -> str:
        """The name of the memory that checks and converts an element."""
        key = (element.number, tuple(sorted((words or {}).items())))
        return self.memories.setdefault(key, f"m{element.number}_{len(self.memories)}")

    def object(self, path: tuple[int, ...]) -> tuple[int, type[Part]]:
        """The object that segments in these loops belong to: its level and its class."""
        if path in self._objects:
            return self._objects[path]
        if not path:
            return 0, self._document
        level, cls = self.object(path[:-1])
        loop = self.grammar.loops[path[-1]].loop
        if loop.to:
            shape = field_shape(cls, loop.to)
            if shape.kind != "parts" or shape.part is None:
                raise ValueError(f"{cls.__name__}.{loop.to} doesn't hold parts")
            level, cls = level + 1, shape.part
        self._objects[path] = (level, cls)
        return level, cls

    def _handler(self, state: State) -> str:
        """The name of the function for a state; uses that come out the same share one."""
        body = "\n".join("    " + line for line in _Body(self, state).lines())
        if body in self.functions:
            return self.functions[body]
        name = f"h{state.number}"
        self.functions[body] = name
        return name

    def text(self) -> Iterator[str]:
        for body, name in self.functions.items():
            yield f"def {name}(e):\n{body}"


def _number_counters(grammar: Grammar) -> dict[str, tuple[int, int, int]]:
    """For each loop (`L3`) and counted use (`U17`): its counter, and the range of those of what stands in it. Counters are
    numbered depth first, so that a loop that begins anew resets one range."""
    found: dict[str, tuple[int, int, int]] = {}
    uses: dict[tuple[int, ...], list[State]] = {}
    for state in grammar.states:
        if state.use is not None and state.use.max > 1:
            uses.setdefault(state.path, []).append(state)
    counter = 0

    def number(path: tuple[int, ...]) -> None:
        nonlocal counter
        for state in uses.get(path, ()):
            found[f"U{state.number}"] = (counter, 0, 0)
            counter += 1
        for place in grammar.loops:
            if place.parent == (path[-1] if path else -1):
                own = counter
                counter += 1
                number((*path, place.number))
                found[f"L{place.number}"] = (own, own + 1, counter)

    number(())
    found["all"] = (counter, 0, counter)
    return found


class _Body:
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
        out = [f"nonlocal o{self._level}"] if self._loop and self._loop.to else []
        out += self._count()
        if self._segment.open:
            return [*out, *self._open_object({}), self._extra()]
        out += self._elements()
        built = self._pairs()
        out += built
        out += self._place()
        return out

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
        return f"extra(e, {within!r})"

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
                "n = len(e)",
                f"if n > {size}: n = {size}; e = excess(e, {size})",
                f"if n < {tail.first}: e += pads[{tail.first} - n]",
                f"_, {names}, *p = e",
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
        return len(uses) if self._tail or len(uses) <= FEW + 1 else max(FEW, last)

    @property
    def _tail(self) -> Any:
        """Pairs that go on to the end of the segment: handled as a list."""
        pairs = self._mapping.pairs
        return pairs if pairs and pairs.last == len(self._segment.elements) and pairs.last - pairs.first > 7 else None

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
            if element.type == "C":
                assert element.component is not None  # noqa: S101
                memory = self._source.memory(element.component)
                found[part].append(
                    f"v{position} = {memory}[{name}] if component not in {name} else part({name}, {memory})"
                )
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
                found[self._beyond(rule)].append(_rule_line(rule))
        for lines, tests in zip(found, refused, strict=True):
            if tests:
                lines.insert(0, f"if {' or '.join(tests)}: raise Refused")
        return found

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

    # --- places ------------------------------------------------------------------------------------------------------

    def _pairs(self) -> list[str]:
        pairs = self._mapping.pairs
        if pairs is None:
            return []
        if self._tail:
            qualifier = self._segment.elements[pairs.first - 1]
            value = self._segment.elements[pairs.first].element
            memory = self._source.memory(qualifier.element)
            out = ["if not p or not p[0]: raise Refused"] if qualifier.mandatory else []
            return [
                *out,
                "x = False",
                "if p:",
                "    if len(p) & 1: p.append('')",
                "    q = p[::2]",
                "    ids = Identifiers(zip(q, p[1::2]))",
                "    if len(ids) != len(q) or '' in ids: ids, x = untidy(p)",
                f"    for k, v in ids.items():\n            {memory}[k]\n            if not {value.min} <= len(v) <= {value.max}: raise Refused",
                "else: ids = NO_IDS",
            ]
        positions = range(pairs.first, pairs.last, 2)
        if len(positions) == 1:
            q, v = pairs.first, pairs.first + 1
            return [f"x = False; ids = Identifiers(((({self._values[q]}), a{v}),)) if a{q} else NO_IDS"]
        listed = ", ".join(f"({self._values[q]}, a{q + 1})" for q in positions)
        return [
            f"ids, x = few(({listed},)) if a{pairs.first} or a{pairs.first + 2} or a{pairs.first + 4} else (NO_IDS, False)"
        ]

    def _place(self) -> list[str]:
        cls = self._cls
        if self._use.mapping is None:
            return [*self._open_object({}), self._extra()]
        unplaced = self._unplaced()
        out: list[str] = []
        if self._loop is not None and self._loop.to:
            out += self._open_object(self._fields(cls, out))
        elif self._use.to:
            shape = field_shape(cls, self._use.to)
            if shape.kind != "parts" or shape.part is None:
                raise ValueError(f"{cls.__name__}.{self._use.to} doesn't hold parts")
            fields = self._fields(shape.part, out)
            out += _new("part_", "d", shape.part, fields, self._source)
            out += _append(f"o{self._level}", self._use.to, "part_", many=self._use.max == 0 or self._use.max > 8)
        else:
            out += self._set(cls)
        tests = [f"a{p}" for p in unplaced]
        if self._mapping.pairs is not None:
            tests.append("x")
        tests += [
            f"component in a{p}"
            for p, u in enumerate(self._segment.elements, 1)
            if u.element.type == "C" and p not in unplaced
        ]
        if tests:
            out.append(f"if {' or '.join(tests)}: {self._extra()}")
        return out

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
        made = _new("part_", "d", shape.part, fields, self._source)
        return [*out, f"if a{min(put)}:", *("    " + line for line in made), f"    {to} += (part_,)"]

    def _value(self, cls: type[Part], target: Target, position: int) -> str:
        """The expression for an element as the value of a field; refuses a declaration that doesn't fit the model."""
        shape = field_shape(cls, target.field)
        use = self._segment.elements[position - 1]
        kind = use.element.type
        fits = {
            "text": True,
            "texts": True,
            "number": kind in ("R", "N2", "N0"),
            "whole": kind == "N0",
            "date": kind == "DT",
        }
        place = f"{self._segment.id}{position:02}: {cls.__name__}.{target.field}"
        if not fits.get(shape.kind, False):
            raise ValueError(f"{place} can't hold an element of type {kind}")
        value = self._values[position]
        if shape.kind in ("text", "texts"):
            if kind in ("R", "N0", "N2", "DT"):
                value = f"a{position}"
            if shape.required and not use.mandatory and target.how == "set" and not self._sub_required(position):
                raise ValueError(f"{place} needs a value, and the element isn't mandatory")
            return f"{value} or None" if shape.optional and value == f"a{position}" else value
        if kind == "N0" and shape.kind == "number":
            return f"None if v{position} is None else Decimal(v{position})"
        return value

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
                blank = self._source.constant("B", _defaults(shape.part))
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
        out = _new("part_", variable, self._cls, fields, self._source)
        if loop.tree is None:
            return [*out, *_append(f"o{self._level - 1}", loop.to, "part_", many=loop.max == 0 or loop.max > 8)]
        tree = loop.tree
        return [
            *out,
            f"if a{tree.id} in nodes or (a{tree.parent} and a{tree.parent} not in nodes): raise Refused",
            f"holder, depth = nodes[a{tree.parent}] if a{tree.parent} else (o{self._level - 1}, 0)",
            f"if depth >= {MAX_DEPTH}: raise Refused",
            f"nodes[a{tree.id}] = ({variable}, depth + 1)",
            f"f = {tree.children!r} if depth else {loop.to!r}",
            *_append("holder", None, "part_", many=True),
        ]


def _rule_line(rule: Rule) -> str:
    names = [f"a{p}" for p in rule.positions]
    first, rest = names[0], names[1:]
    match rule.letter:
        case "P":
            test = f"({' or '.join(names)}) and not ({' and '.join(names)})"
        case "R":
            test = f"not ({' or '.join(names)})"
        case "E":
            test = f"({' and '.join(names)})" if len(names) == 2 else f"one_of_many(({', '.join(names)}))"
        case "C":
            test = f"{first} and not ({' and '.join(rest)})"
        case _:
            test = f"{first} and not ({' or '.join(rest)})"
    return f"if {test}: raise Refused"


def _defaults(cls: type[Part]) -> dict[str, Any]:
    return {name: shape.default for name, shape in shapes(cls).items()}


def _new(part: str, values: str, cls: type[Part], fields: dict[str, str], source: Source) -> list[str]:
    """Lines that make a part, and bind it and the dictionary of its values."""
    known = shapes(cls)
    if missing := [n for n, s in known.items() if s.required and n not in fields]:
        raise ValueError(f"{cls.__name__}.{missing[0]} needs a value")
    if len(known) > 12 and len(fields) * 2 < len(known):
        blank = source.constant("B", _blank(source, cls))
        out = [f"{values} = {blank}.copy()", *(f"{values}[{n!r}] = {x}" for n, x in fields.items())]
    else:
        items = (f"{n!r}: {fields[n] if n in fields else _literal(s.default, source)}" for n, s in known.items())
        out = [f"{values} = {{{', '.join(items)}}}"]
    name = source.constant("P", cls)
    names = source.constant("F", _names(source, cls))
    return [
        *out,
        f"{part} = new({name}); set_dict({part}, {values}); set_fields({part}, {names}); set_extra({part}, None); set_private({part}, None)",
    ]


def _blank(source: Source, cls: type[Part]) -> dict[str, Any]:
    wanted = _defaults(cls)
    return next((v for v in source.constants.values() if isinstance(v, dict) and v == wanted), wanted)


def _names(source: Source, cls: type[Part]) -> set[str]:
    wanted = set(shapes(cls))
    return next((v for v in source.constants.values() if isinstance(v, set) and v == wanted), wanted)


def _literal(value: Any, source: Source) -> str:
    return repr(value) if value is None or value == () or isinstance(value, str) else source.constant("D", value)


def _append(holder: str, field: str | None, part: str, *, many: bool) -> list[str]:
    """Lines that add a part to a tuple: one of few grows as it is; one of many becomes a list, which the end turns into a
    tuple again."""
    name = "f" if field is None else repr(field)
    if not many:
        return [f"{holder}[{name}] += ({part},)"]
    return [
        f"w = {holder}[{name}]",
        f"if not w: {holder}[{name}] = ({part},)",
        "elif w.__class__ is list: w.append(" + part + ")",
        f"else: {holder}[{name}] = [*w, {part}]; lists.append(({holder}, {name}))",
    ]
