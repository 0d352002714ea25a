"""The order of segments as an automaton: which segment may follow which, with usage, loops and their choice worked out.

A state is where the reader stands: after a certain use of a segment. Its transitions map a key to the next state. The
key is the segment id, or id, `*` and code where the value of an element chooses the loop. A mandatory segment that is
missing needs no check of its own: without it there is no transition to what stands behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from transformers.x12.declarations.declaration import Loop, SegmentUse, SetDeclaration

END = "SE"


@dataclass(slots=True)
class GrammarState:
    """After `use`, in the loops `path` (outermost first). `opens`: `use` is the first segment of the innermost of them.
    `counter` numbers the things of which there is a maximum above one, or of which the instance matters."""

    number: int
    use: SegmentUse | None
    path: tuple[int, ...] = ()
    opens: bool = False
    repeats: bool = False
    next: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """A loop with its place: number, the loop around it (or -1)."""

    number: int
    loop: Loop
    parent: int


@dataclass(slots=True)
class Grammar:
    """The automaton of a set. State 0 stands before the first segment. `choosers`: by segment id, the element whose
    value chooses the loop."""

    declaration: SetDeclaration
    states: list[GrammarState] = field(default_factory=list)
    loops: list[LoopPlace] = field(default_factory=list)
    choosers: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _EntryPlace:
    """An entry of the structure, where it stands among its siblings."""

    entry: SegmentUse | Loop
    siblings: list[_EntryPlace]
    index: int
    parent: _EntryPlace | None
    state: int = -1
    loop: int = -1
    children: list[_EntryPlace] = field(default_factory=list)


def grammar(declaration: SetDeclaration) -> Grammar:
    """The automaton. Raises ValueError where a segment would have two meanings in one place of one loop."""
    made = Grammar(declaration, [GrammarState(0, None)])
    top = _places(made, declaration.structure, None)
    made.states[0].next = _after(made, top, -1, None)
    for place in _all(top):
        if isinstance(place.entry, SegmentUse):
            made.states[place.state].next = _follow(made, place)
    return made


def _places(made: Grammar, structure: tuple[SegmentUse | Loop, ...], parent: _EntryPlace | None) -> list[_EntryPlace]:
    siblings: list[_EntryPlace] = []
    path = _path(parent)
    for index, entry in enumerate(structure):
        place = _EntryPlace(entry, siblings, index, parent)
        siblings.append(place)
        if isinstance(entry, Loop):
            place.loop = len(made.loops)
            made.loops.append(LoopPlace(place.loop, entry, parent.loop if parent else -1))
            if entry.when:
                made.choosers[entry.id] = entry.when[0]
            place.children = _places(made, entry.structure, place)
        else:
            place.state = len(made.states)
            opens = parent is not None and index == 0
            made.states.append(GrammarState(place.state, entry, path, opens, entry.max != 1))
    return siblings


def _path(place: _EntryPlace | None) -> tuple[int, ...]:
    path: tuple[int, ...] = ()
    while place is not None:
        path = (place.loop, *path)
        place = place.parent
    return path


def _all(places: list[_EntryPlace]) -> list[_EntryPlace]:
    return [p for place in places for p in (place, *_all(place.children))]


def _follow(made: Grammar, place: _EntryPlace) -> dict[str, int]:
    """What may stand after a use of a segment."""
    found: dict[str, int] = {}
    if isinstance(place.entry, SegmentUse) and place.entry.max != 1:
        _add(found, made, place)
    for key, state in _after(made, place.siblings, place.index, place.parent).items():
        found.setdefault(key, state)
    return found


def _after(made: Grammar, siblings: list[_EntryPlace], index: int, parent: _EntryPlace | None) -> dict[str, int]:
    found: dict[str, int] = {}
    while True:
        if not _forward(found, made, siblings, index):
            return found
        if parent is None:
            found.setdefault(END, -1)
            return found
        loop = parent.entry
        assert isinstance(loop, Loop)  # noqa: S101
        if loop.max != 1:
            _add(found, made, parent)
        if loop.group:
            for other in parent.siblings:
                if isinstance(other.entry, Loop) and other.entry.group == loop.group:
                    _add(found, made, other)
        siblings, index, parent, group = parent.siblings, parent.index, parent.parent, loop.group
        if group:
            index = max(p.index for p in siblings if isinstance(p.entry, Loop) and p.entry.group == group)


def _forward(found: dict[str, int], made: Grammar, siblings: list[_EntryPlace], index: int) -> bool:
    """Adds what may stand behind `index` among the siblings. False when a mandatory one bars the way further."""
    barred: str | None = None
    for place in siblings[index + 1 :]:
        group = place.entry.group if isinstance(place.entry, Loop) else None
        if barred is not None and group != barred:
            return False
        _add(found, made, place)
        if place.entry.mandatory:
            if group is None:
                return False
            barred = group
    return barred is None


def _add(found: dict[str, int], made: Grammar, place: _EntryPlace) -> None:
    entry = place.entry
    if isinstance(entry, SegmentUse):
        found.setdefault(entry.segment.id, place.state)
        return
    state = place.children[0].state
    if entry.when:
        for code in entry.when[1]:
            found.setdefault(f"{entry.id}*{code}", state)
    elif entry.id in made.choosers:
        found.setdefault(f"{entry.id}*", state)
    else:
        found.setdefault(entry.id, state)
