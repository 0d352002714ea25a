"""The part of a function that takes the elements of a segment apart and checks them."""

from __future__ import annotations

from collections.abc import Mapping

from transformers.x12.compiled.snippets import rule_line, tolerance_line
from transformers.x12.compiled.source_names import SourceNames
from transformers.x12.declarations.declaration import FULL_DATE, Element, ElementUse, Pairs, Placement, Rule, Segment

GAP, TWICE = 1, 2
"""Why pairs are kept whole too: one stands behind a gap, or a qualifier comes twice."""

FEW = 5
"""Elements that a long segment mostly has at most."""


class ElementLines:
    """Lines that bind the elements of `e` to `a1`, `a2`, ..., their values to what `values` says by position, and pairs
    of qualifier and id to `ids` (`x`: not all of them could be kept). They refuse what breaks the declaration."""

    def __init__(self, names: SourceNames, segment: Segment, mapping: Placement) -> None:
        self._names = names
        self._segment = segment
        self._mapping = mapping
        self.values: dict[int, str] = {}

    def lines(self) -> list[str]:
        return [*self._elements(), *self._pairs()]

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
        values = [v for p, v in self.values.items() if p > few and v.startswith("v")]
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
            if use.mandatory and not use.lenient:
                refused[part].append(f"not {name}")
            words = self._words(position)
            if use.forbidden:
                refused[part].append(name)
                self.values[position] = name
            elif element.type == "C" or use.repeat > 1:
                found[part].extend(self._compound(position, use))
                self.values[position] = f"v{position}"
            elif element.type in ("AN", "ID") and not element.codes and not words:
                refused[part].append(_size_test(name, element, use.mandatory))
                self.values[position] = name
            else:
                memory = self._names.memory(element, words if element.type == "ID" else None)
                found[part].append(f"v{position} = {memory}[{name}]")
                self.values[position] = f"v{position}"
        for rule in self._segment.rules:
            if not (self._tail and rule.positions[0] >= self._tail.first):
                found[self._beyond(rule)].append(rule_line(rule))
            if rule.tolerated:
                found[False].append(tolerance_line(rule, self._segment.id))
        for lines, tests in zip(found, refused, strict=True):
            if tests:
                lines.insert(0, f"if {' or '.join(tests)}: raise Refused")
        for each in self._segment.centuries:
            full = f"{self._names.memory(FULL_DATE)}[a{each.century} + a{each.date}]"
            found[False].append(f"if a{each.century} and a{each.date}: v{each.date} = {full}")
        return found

    def _compound(self, position: int, use: ElementUse) -> list[str]:
        """Lines for a composite, or for an element that may be repeated: a repeated one has no value, and is kept
        whole."""
        name, element, blank = f"a{position}", use.element, ""
        if element.type == "C":
            words = {c: t.words for (p, c), t in self._mapping.components.items() if p == position}
            words[1] = self._words(position)
            whole = self._names.composite(element, words)
            first = self._names.memory(element.components[0].element, words[1])
            if any(p == position for p, _ in self._mapping.components):
                out = [f"r{position} = {whole}({name}, component)", f"v{position} = r{position}[0]"]
                blank = f"; r{position} = {whole}('', component)"
            elif any(c.mandatory for c in element.components[1:]):
                out = [f"v{position} = {whole}({name}, component)[0]"]
            else:
                out = [f"v{position} = {first}[{name}] if component not in {name} else {whole}({name}, component)[0]"]
            one = f"lambda t: {whole}(t, component)"
        else:
            memory = self._names.memory(element, self._words(position) if element.type == "ID" else None)
            out, one = [f"v{position} = {memory}[{name}]"], f"{memory}.__getitem__"
        if use.repeat == 1:
            return out
        return [
            f"if repetition in {name}: v{position} = repeated({name}, repetition, {one}, {use.repeat}){blank}",
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

    def _pairs(self) -> list[str]:
        pairs = self._mapping.pairs
        if pairs is None:
            return []
        if self._tail:
            return []  # taken apart with the elements
        positions = range(pairs.first, pairs.last, 2)
        if len(positions) == 1:
            q, v = pairs.first, pairs.first + 1
            return [f"x = 0; ids = Identifiers(((({self.values[q]}), a{v}),)) if a{q} else NO_IDS"]
        listed = ", ".join(f"({self.values[q]}, a{q + 1})" for q in positions)
        return [
            f"ids, x = few(({listed},)) if {' or '.join(f'a{q}' for q in positions)} else (NO_IDS, 0)",
            *self._twice(pairs),
        ]

    def _twice(self, pairs: Pairs) -> list[str]:
        """A warning where an id that isn't a qualifier (a place of SDQ) stands twice: its second value isn't in the
        field."""
        if self._segment.elements[pairs.first - 1].element.type == "ID":
            return []
        warning = (
            f"{self._segment.id}: an id stands twice; {pairs.target.field} has its first value, and extras all of them"
        )
        return [f"if x == {TWICE}: warnings.append({warning!r})"]

    def _few_pairs(self, tail: Pairs, names: str) -> list[str]:
        """Straight lines for a segment with one to four pairs that are as they should be; what isn't is left to the way
        for any number of them."""
        qualifier, value = (use.element for use in self._segment.elements[tail.first - 1 : tail.first + 1])
        memory = self._names.memory(qualifier)
        out = []
        for count in range(1, 5):
            pairs = [(f"q{n}", f"w{n}") for n in range(1, count + 1)]
            low = f"{value.min} <= " if value.min > 1 else ""
            tests = [f"{q} and {w} and {low}len({w}) <= {value.max} and {memory}[{q}]" for q, w in pairs]
            out += [
                f"{'if' if count == 1 else 'elif'} n == {tail.first + 2 * count}:",
                f"    _, {names}, {', '.join(f'{q}, {w}' for q, w in pairs)} = e",
                f"    if {' and '.join(tests)}:",
                f"        ids = Identifiers({{{', '.join(f'{q}: {w}' for q, w in pairs)}}}); x = 0",
                *([f"        if len(ids) != {count}: ids = None"] if count > 1 else []),
            ]
        return out

    def _many_pairs(self, tail: Pairs) -> list[str]:
        """Lines for any number of pairs, with gaps, and with a qualifier that comes twice."""
        qualifier = self._segment.elements[tail.first - 1]
        value = self._segment.elements[tail.first].element
        memory = self._names.memory(qualifier.element)
        return [
            *(["if not p or not p[0]: raise Refused"] if qualifier.mandatory and not qualifier.lenient else []),
            "x = 0",
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


def _size_test(name: str, element: Element, mandatory: bool) -> str:
    """Whether a text is too long, or too short though it is there. Most elements that needn't be there aren't: so that
    is asked first."""
    if element.min < 2:
        return f"len({name}) > {element.max}" if mandatory else f"{name} and len({name}) > {element.max}"
    same = element.min == element.max
    size = f"len({name}) != {element.max}" if same else f"not {element.min} <= len({name}) <= {element.max}"
    return f"{name} and {size}"
