"""Which bytes gave which field: derived by reading a transaction again, slowly, along the same declaration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hub.core.agreement import Agreement, Charset
from hub.core.ports import FieldOrigin
from transformers.x12.compiled.compiled import CompiledSet, compiled_set
from transformers.x12.declarations.catalogue import known_sets, release_of
from transformers.x12.declarations.declaration import Loop, Period, Placement, SegmentUse, Target
from transformers.x12.declarations.element_value import WrongElement
from transformers.x12.declarations.overlay import WrongRule
from transformers.x12.declarations.period import RANGE, parse_period, parts
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.segment_bytes import SegmentBytes, segment_bytes
from transformers.x12.reading.leniency import Understood
from transformers.x12.reading.levels import NOTHING, STRUCTURE_AT, Nesting, nesting
from transformers.x12.reading.transaction import NOBODY, accepts_errors, read_transaction
from transformers.x12.validation.diagnose import next_state


@dataclass(frozen=True, slots=True)
class _Placed:
    """An element with its place."""

    position: int
    element: int
    raw: bytes
    text: str
    start: int
    end: int


def lineage(event: Event, delimiters: Delimiters, version: str, agreement: Agreement = NOBODY) -> list[FieldOrigin]:
    """The origin of every field that the transaction gives, in the order of its bytes; as far as it can be read. A
    field that several segments give (the lines of a note) has several. Nothing for a set without a declaration."""
    segments = segment_bytes(event, delimiters)
    name = segments[0].data.split(delimiters.element)[1].strip().decode("latin-1") if segments else ""
    if name not in known_sets():
        return []
    release, rules = release_of(agreement.read_version(name, version))[0], agreement.overlays.get(name, ())
    left = (
        read_transaction(event, delimiters, version, None, agreement).understood if accepts_errors(agreement) else None
    )
    try:
        compiled = compiled_set(name, release, rules, understood=left is not None)
    except WrongRule:  # the rules were others when it was read
        compiled = compiled_set(name, release)
    return list(_Tracing(compiled, event, delimiters, agreement.charset, left).run())


class _Tracing:
    """`left`: what was read of a transaction that was taken with its errors; None: all of it."""

    def __init__(
        self,
        compiled: CompiledSet,
        event: Event,
        delimiters: Delimiters,
        charset: Charset,
        left: Understood | None = None,
    ) -> None:
        self._grammar = compiled.grammar
        self._event = event
        self._delimiters = delimiters
        self._pieces = segment_bytes(event, delimiters)
        text = b"".join(piece.data for piece in self._pieces if not piece.binary)
        self._characters = character_set(text, delimiters, charset)
        self._counts: dict[str, int] = {}
        self._holders: dict[tuple[int, ...], str] = {(): ""}
        self._nodes: dict[str, str] = {}
        self._parents = self._nesting(compiled.declaration.set).parents
        self._left = dict(zip(left.positions, left.segments, strict=True)) if left is not None else None

    def _nesting(self, name: str) -> Nesting:
        if name not in STRUCTURE_AT:
            return NOTHING
        wanted = tuple(id.encode() + self._delimiters.element for id in ("HL", STRUCTURE_AT[name][0]))
        found = [
            piece.data.decode("latin-1").split(self._delimiters.element.decode("latin-1"))
            if piece.data.startswith(wanted)
            else ()
            for piece in self._pieces
        ]
        return nesting(name, found)

    def run(self) -> Iterator[FieldOrigin]:
        state = 0
        for position, piece in enumerate(self._pieces, 1):
            if position == 1 or (self._left is not None and position not in self._left):
                continue
            placed = self._elements(position, piece)
            if self._left is not None:
                placed = list(_readable(placed, self._left[position].split(self._delimiters.element.decode("latin-1"))))
            target = next_state(self._grammar, state, [p.text for p in placed])
            if target is None or target < 0:
                continue
            state = target
            yield from self._segment(state, placed)

    def _elements(self, position: int, piece: SegmentBytes) -> list[_Placed]:
        out, at = [], piece.start
        for number, raw in enumerate(piece.data.split(self._delimiters.element)):
            kept = raw.rstrip(b" ")
            text = kept.decode("latin-1") if piece.binary else self._characters.decode(kept)
            out.append(_Placed(position, number, kept, text, self._event.at(at), self._event.at(at + len(kept))))
            at += len(raw) + 1
        return out

    # --- places ------------------------------------------------------------------------------------------------------

    def _segment(self, number: int, placed: Sequence[_Placed]) -> Iterator[FieldOrigin]:
        state = self._grammar.states[number]
        use = state.use
        assert use is not None  # noqa: S101 - only state 0 has none
        if state.opens:
            self._open(state.path, placed)
        if use.mapping is None:
            return
        holder = self._holder(state.path)
        if use.to is not None:
            holder = self._next(f"{holder}{use.to}")
        yield from self._fields(use, use.mapping, holder, placed)

    def _holder(self, path: tuple[int, ...]) -> str:
        while path not in self._holders:
            path = path[:-1]
        return self._holders[path]

    def _next(self, field: str) -> str:
        count = self._counts.get(field, 0)
        self._counts[field] = count + 1
        return f"{field}[{count}]."

    def _open(self, path: tuple[int, ...], placed: Sequence[_Placed]) -> None:
        """A loop begins: what it makes is the holder of what stands in it."""
        loop = self._grammar.loops[path[-1]].loop
        if loop.to is None:
            return
        for known in [p for p in self._holders if len(p) > len(path) and p[: len(path)] == path]:
            del self._holders[known]
        self._holders[path] = (
            self._node(loop, placed) if loop.tree else self._next(f"{self._holder(path[:-1])}{loop.to}")
        )

    def _node(self, loop: Loop, placed: Sequence[_Placed]) -> str:
        assert loop.tree is not None  # noqa: S101 - the caller has looked
        assert loop.to is not None  # noqa: S101 - a tree makes parts
        own, parent = _text(placed, loop.tree.id), _text(placed, loop.tree.parent)
        parent = parent or self._parents.get(placed[0].position, "")
        above = self._nodes.get(parent) if parent else None
        self._nodes[own] = self._next(loop.to if above is None else f"{above}{loop.tree.children}")
        return self._nodes[own]

    # --- fields ------------------------------------------------------------------------------------------------------

    def _fields(
        self, use: SegmentUse, mapping: Placement, holder: str, placed: Sequence[_Placed]
    ) -> Iterator[FieldOrigin]:
        for position, target in mapping.put.items():
            components = use.segment.elements[position - 1].element.components if not use.segment.open else ()
            yield from self._put(target, holder, use, placed, position, 1 if components else None)
            for each in use.segment.centuries:
                if each.date == position and _text(placed, position):
                    yield from self._put(target, holder, use, placed, each.century, None)
            if components and use.segment.elements[position - 1].element.dated:
                yield from self._put(target, holder, use, placed, position, 2)
        for (position, component), target in mapping.components.items():
            yield from self._put(target, holder, use, placed, position, component)
        if mapping.period:
            yield from self._period(mapping, mapping.period, holder, use, placed)
        if mapping.pairs:
            yield from self._pairs(mapping, holder, use, placed)
        for part in mapping.parts:
            if _text(placed, min(part.put)):
                inner = self._next(f"{holder}{part.to}")
                for position, target in part.put.items():
                    yield from self._put(target, inner, use, placed, position, None)

    def _put(
        self,
        target: Target,
        holder: str,
        use: SegmentUse,
        placed: Sequence[_Placed],
        position: int,
        component: int | None,
    ) -> Iterator[FieldOrigin]:
        if position >= len(placed) or not placed[position].text:
            return
        place = placed[position]
        text, start, end = place.text, place.start, place.end
        repeats = not use.segment.open and use.segment.elements[position - 1].repeat > 1
        if repeats and self._delimiters.repetition and self._delimiters.repetition in place.raw:
            return  # a repeated element has no value, and is kept whole
        if component is not None and self._delimiters.component:
            parts = place.raw.split(self._delimiters.component)
            if component > len(parts) or not parts[component - 1]:
                return
            start += sum(len(part) + 1 for part in parts[: component - 1])
            text = self._characters.decode(parts[component - 1])
            end = start + len(parts[component - 1])
            component = component if len(parts) > 1 else None
        field = f"{holder}{target.field}"
        if target.how == "append":
            field = self._next(field).removesuffix(".")
        yield FieldOrigin(field, use.segment.id, place.position, position, component, start, end, text)

    def _period(
        self, mapping: Placement, period: Period, holder: str, use: SegmentUse, placed: Sequence[_Placed]
    ) -> Iterator[FieldOrigin]:
        code, text = _text(placed, period.format), _text(placed, period.text)
        if any(_text(placed, p) for p, target in mapping.put.items() if target.field in ("date", "time")):
            return
        try:
            found = parse_period(code, text)
        except WrongElement:
            return
        if found is None:
            return
        for name, (first, end) in parts(code).items():
            place, said = placed[period.text], text[first:end]
            start = place.start + first
            position = (place.position, period.text)
            yield FieldOrigin(f"{holder}{name}", use.segment.id, *position, None, start, start + len(said), said)
        if code != RANGE:
            yield from self._put(Target("format"), holder, use, placed, period.format, None)

    def _pairs(
        self, mapping: Placement, holder: str, use: SegmentUse, placed: Sequence[_Placed]
    ) -> Iterator[FieldOrigin]:
        assert mapping.pairs is not None  # noqa: S101 - the caller has looked
        target, seen = mapping.pairs.target, set()
        for position in range(mapping.pairs.first, mapping.pairs.last, 2):
            qualifier, value = _text(placed, position), _text(placed, position + 1)
            if not qualifier or not value or qualifier in seen:
                continue
            seen.add(qualifier)
            place = placed[position + 1]
            field = f"{holder}{target.field}.{target.words.get(qualifier, qualifier)}"
            yield FieldOrigin(field, use.segment.id, place.position, position + 1, None, place.start, place.end, value)


def _readable(placed: Sequence[_Placed], elements: Sequence[str]) -> Iterator[_Placed]:
    """The elements of a segment, without those that could not be read."""
    for number, one in enumerate(placed):
        yield one if number < len(elements) and elements[number] else replace(one, raw=b"", text="")


def _text(placed: Sequence[_Placed], position: int) -> str:
    return placed[position].text if position < len(placed) else ""
