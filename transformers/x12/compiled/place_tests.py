"""Tests of generated functions for what a writer would put in another place than the one where it stood."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from transformers.x12.compiled.source_names import SourceNames
from transformers.x12.declarations.declaration import Loop, Placement, SegmentUse
from transformers.x12.declarations.grammar import GrammarState
from transformers.x12.declarations.homes import Homes, homes
from transformers.x12.declarations.place import joined_fields


def place_tests(names: SourceNames, state: GrammarState, mapping: Placement) -> list[str]:
    """Expressions: one of them is true where the place of the segment, or of its elements, doesn't follow from what the
    document holds. `part_` is the part that was made of it, `x` says why pairs are kept, `y` that a list goes on in a
    segment of its own."""
    use = state.use
    assert use is not None  # noqa: S101 - only state 0 has none
    tests = ["x"] if mapping.pairs is not None else []
    joined = joined_fields([entry for entry in _structure(names, state.path) if entry is not use])
    for position, target in mapping.put.items():
        if target.how == "set" and target.field in joined:
            others = [p for r in use.segment.rules if r.letter == "R" for p in r.positions if p != position]
            tests.append(f"a{position}" + (f" and ({' or '.join(f'a{p}' for p in others)})" if others else ""))
    listed = sorted(position for position, target in mapping.put.items() if target.how == "append")
    tests += ["y"] if listed else []
    elements = use.segment.elements  # nobody may write a gap in place of a mandatory one
    for positions in (listed, [min(part.put) for part in mapping.parts]):
        tests += [f"a{later} and not a{p}" for p, later in pairwise(positions) if not elements[p - 1].mandatory]
    return tests + _one_of_many(names, state, use)


def _one_of_many(names: SourceNames, state: GrammarState, use: SegmentUse) -> list[str]:
    """The test whether a part is written to another of several places."""
    loop = names.grammar.loops[state.path[-1]].loop if state.opens else None
    here: SegmentUse | Loop | None = use if use.to else loop
    if here is None or here.to is None or (isinstance(here, Loop) and here.tree is not None):
        return []
    among = Homes(homes(here.to, _structure(names, state.path[:-1] if here is loop else state.path)))
    if not among.moves(here):
        return []
    return [f"{names.constant('W', partial(among.elsewhere, here))}(part_)"]


def _structure(names: SourceNames, path: tuple[int, ...]) -> Sequence[SegmentUse | Loop]:
    """The structure of the innermost of these loops that makes a part: the fields of the part have their places in
    it."""
    loops = [names.grammar.loops[number].loop for number in path]
    made = [loop for loop in loops if loop.to is not None]
    return made[-1].structure if made else names.grammar.declaration.structure
