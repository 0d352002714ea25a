"""What a declaration says of writing, worked out once: for each entry of a structure the fields that it writes, and
where of several places a part goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from hub.core.agreement import OverlayRule
from hub.documents import Document
from hub.documents.base import Extra
from transformers.x12.declarations.catalogue import set_declaration
from transformers.x12.declarations.declaration import (
    Century,
    Element,
    Loop,
    Placement,
    Segment,
    SegmentUse,
    SetDeclaration,
    Target,
    walk,
)
from transformers.x12.declarations.homes import Homes, homes
from transformers.x12.declarations.overlay import overlaid
from transformers.x12.declarations.place import joined_fields
from transformers.x12.validation.totals import CountedElement, counted_in

NO_PLACEMENT = Placement()
NO_HOMES = Homes(())


@dataclass(frozen=True, slots=True)
class Put:
    """An element and the field that it holds; `names`: the field's path taken apart. `codes`: by word, the code.
    `century`: of a date of six digits, the element for its century. `dated`: the element is a composite of a date and
    its century."""

    position: int
    field: str
    names: tuple[str, ...]
    element: Element
    target: Target
    codes: Mapping[str, str]
    century: int = 0
    dated: bool = False


@dataclass(frozen=True, slots=True)
class WritingStep:
    """An entry of a structure. `reads`: the fields of the part around it of which it writes anything; where all of them
    have their defaults and `always` is False it writes nothing but extras. `defaults`: by element, what an agreement
    writes where a document has no value. `last`: no further use of the segment follows.
    `homes`: all places of its parts. `single`: elements that hold one value, `named` their fields by position. `lists`:
    the fields that it holds over several segments. `elsewhere`: fields (and the element here) that segments further on
    hold line by line. `counted`: elements that count or add. `steps`: of a loop, what is in it. `group`: the loops of a
    tree."""

    entry: SegmentUse | Loop
    reads: frozenset[str]
    always: bool = False
    last: bool = True
    homes: Homes = NO_HOMES
    single: tuple[Put, ...] = ()
    named: Mapping[int, str] = field(default_factory=dict)
    defaults: tuple[tuple[int, str], ...] = ()
    lists: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, int], ...] = ()
    counted: tuple[CountedElement, ...] = ()
    steps: tuple[WritingStep, ...] = ()
    group: tuple[WritingStep, ...] = ()


@dataclass(frozen=True, slots=True)
class WritingPlan:
    """A set with a partner's rules, and its steps. `pairs`: by segment, the first element of those that are pairs of
    qualifier and id."""

    declaration: SetDeclaration
    steps: tuple[WritingStep, ...]
    pairs: Mapping[str, int]

    def writable(self, document: Document) -> Document:
        """The document without the qualifiers that came without an id: nothing can be said with them."""
        left = tuple(extra for extra in document.extras if not self._says_nothing(extra))
        return document if len(left) == len(document.extras) else document.model_copy(update={"extras": left})

    def _says_nothing(self, extra: Extra) -> bool:
        first = self.pairs.get(extra.segment)
        said = [number for number, text in enumerate(extra.elements, 1) if text]
        if first is None or not said:
            return False
        return all(n >= first and (n - first) % 2 == 0 and n + 1 not in said for n in said)


@lru_cache(maxsize=256)
def writing_plan(name: str, release: str, rules: tuple[OverlayRule, ...] = ()) -> WritingPlan:
    """Raises KeyError for a set without a declaration, WrongRule for a rule that doesn't fit it."""
    declaration = overlaid(set_declaration(name, release), rules)
    pairs = {
        use.segment.id: use.mapping.pairs.first
        for use in walk(declaration.structure)
        if use.mapping is not None and use.mapping.pairs is not None
    }
    return WritingPlan(declaration, _steps(declaration.structure, declaration.structure), pairs)


def _steps(structure: Sequence[SegmentUse | Loop], around: Sequence[SegmentUse | Loop]) -> tuple[WritingStep, ...]:
    """`around`: the structure in which the fields of the part have places; a loop that makes no part is in it."""
    found: list[WritingStep] = []
    groups: set[str] = set()
    for number, entry in enumerate(structure):
        if isinstance(entry, SegmentUse):
            again = any(isinstance(e, SegmentUse) and e.segment.id == entry.segment.id for e in structure[number + 1 :])
            found.append(_use(entry, around, last=not again))
        elif entry.group is None:
            found.append(_loop(entry, around))
        elif entry.group not in groups:
            groups.add(entry.group)
            loops = [e for e in structure if isinstance(e, Loop) and e.group == entry.group]
            group = tuple(_loop(loop, around) for loop in loops)
            found.append(WritingStep(entry, group[0].reads, group=group))
    return tuple(found)


def _loop(loop: Loop, around: Sequence[SegmentUse | Loop]) -> WritingStep:
    if loop.to is not None:
        inner = _steps(loop.structure, loop.structure)
        return WritingStep(loop, frozenset({loop.to}), homes=Homes(homes(loop.to, around)), steps=inner)
    inner = _steps(loop.structure, around)
    return WritingStep(loop, frozenset().union(*(step.reads for step in inner)), steps=inner)


def _use(use: SegmentUse, around: Sequence[SegmentUse | Loop], *, last: bool) -> WritingStep:
    if use.mapping is None:
        return WritingStep(use, frozenset(), last=last)
    puts = [_put(use, position, target) for position, target in use.mapping.put.items()]
    single = tuple(put for put in puts if put.target.how == "set")
    named = {put.position: put.field for put in single}
    if use.to is not None:
        among = Homes(homes(use.to, around))
        reads, defaults = frozenset({use.to}), _defaults(use)
        return WritingStep(use, reads, last=last, homes=among, single=single, named=named, defaults=defaults)
    lists = tuple(dict.fromkeys(put.field for put in puts if put.target.how != "set"))
    return WritingStep(
        use,
        _reads(use, use.mapping),
        always=use.mandatory and not lists,
        last=last,
        single=single,
        named=named,
        defaults=_defaults(use),
        lists=lists,
        elsewhere=tuple(_elsewhere(use, use.mapping, around)),
        counted=tuple(counted_in(use)),
    )


def _defaults(use: SegmentUse) -> tuple[tuple[int, str], ...]:
    return tuple((n, one.default) for n, one in enumerate(use.segment.elements, 1) if one.default is not None)


def put_of(use: SegmentUse, position: int, target: Target) -> Put:
    """An element of a use and the field that it holds. Made once for each use and position."""
    key = (id(use), position, target.field)
    known = _PUTS.get(key)
    if known is not None and known[0] is use:
        return known[1]
    if len(_PUTS) >= MOST_PUTS:
        _PUTS.clear()
    made = _put(use, position, target)
    _PUTS[key] = (use, made)
    return made


MOST_PUTS = 20_000
_PUTS: dict[tuple[int, int, str], tuple[SegmentUse, Put]] = {}


def _put(use: SegmentUse, position: int, target: Target) -> Put:
    element = use.segment.elements[position - 1].element
    codes: dict[str, str] = {}
    for code, word in target.words.items():
        codes.setdefault(word, code)
    return Put(
        position,
        target.field,
        tuple(target.field.split(".")),
        element.component or element,
        target,
        codes,
        next((c.century for c in _centuries(use.segment) if c.date == position), 0),
        element.dated,
    )


def _centuries(segment: Segment) -> list[Century]:
    """Those that are written: not those that an agreement forbids."""
    return [each for each in segment.centuries if not segment.elements[each.century - 1].forbidden]


def _reads(use: SegmentUse, mapping: Placement) -> frozenset[str]:
    targets = [*mapping.put.values(), *mapping.components.values(), *([mapping.pairs.target] if mapping.pairs else [])]
    roots = {target.field.partition(".")[0] for target in targets}
    counted = (path for element in counted_in(use) if not element.adds for path in element.of)
    return frozenset(roots | {part.to for part in mapping.parts} | {path.partition(".")[0] for path in counted})


def _elsewhere(use: SegmentUse, mapping: Placement, around: Sequence[SegmentUse | Loop]) -> list[tuple[str, int]]:
    joined = joined_fields([entry for entry in around if entry is not use])
    return [(t.field, position) for position, t in mapping.put.items() if t.how == "set" and t.field in joined]
