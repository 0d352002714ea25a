"""A transaction set as data for people: what its declaration says, with what an overlay changed marked, and where each
element lives in the canonical document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.documents import DOCUMENTS
from hub.documents.base import Part
from transformers.x12.declarations.declaration import (
    Element,
    ElementUse,
    Loop,
    Placement,
    SegmentUse,
    SetDeclaration,
    Target,
)
from transformers.x12.declarations.fields import shapes


@dataclass(frozen=True, slots=True)
class ElementRow:
    """An element in its place; `field` is where it lives, empty where it is kept in the extras. `changed`: what an
    overlay says of it."""

    position: int
    number: str
    name: str
    type: str
    min: int
    max: int
    usage: str
    repeat: int = 1
    codes: tuple[str, ...] = ()
    verified: bool = False
    default: str | None = None
    field: str = ""
    components: tuple[ElementRow, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment in its place. `max` 0 is any number."""

    id: str
    name: str
    usage: str
    max: int
    depth: int
    field: str
    mapped: bool
    open: bool
    elements: tuple[ElementRow, ...]
    rules: tuple[str, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopRow:
    """A loop; its rows follow, one deeper. `when`: what chooses it."""

    id: str
    usage: str
    max: int
    depth: int
    field: str
    when: str
    tree: bool
    changed: tuple[str, ...] = ()


Row = SegmentRow | LoopRow


@dataclass(frozen=True, slots=True)
class SetDescription:
    set: str
    release: str
    name: str
    group: str
    document: str
    source: str
    rows: tuple[Row, ...]


def describe(declaration: SetDeclaration, standard: SetDeclaration | None = None) -> SetDescription:
    """The rows of a set from top to bottom. `standard`: the same set without the overlay, against which changes are
    marked."""
    rows = list(_Describing(declaration).run())
    if standard is not None and standard != declaration:
        rows = list(_marked(rows, list(_Describing(standard).run())))
    d = declaration
    return SetDescription(d.set, d.release, d.name, d.group, d.document, d.source, tuple(rows))


class _Describing:
    def __init__(self, declaration: SetDeclaration) -> None:
        self._declaration = declaration

    def run(self) -> Iterator[Row]:
        yield from self._rows(self._declaration.structure, 0, DOCUMENTS[self._declaration.document], "")

    def _rows(
        self, structure: Sequence[SegmentUse | Loop], depth: int, part: type[Part] | None, path: str
    ) -> Iterator[Row]:
        """`part` is what holds the fields here, `path` its place in the document."""
        for entry in structure:
            if isinstance(entry, Loop):
                inner, own = _into(part, path, entry.to) if entry.to else (part, path)
                when = f"{entry.id}{entry.when[0]:02} is {' or '.join(sorted(entry.when[1]))}" if entry.when else ""
                shown = own.rstrip(".") if entry.to else ""
                yield LoopRow(entry.id, _usage(entry), entry.max, depth, shown, when, entry.tree is not None)
                yield from self._rows(entry.structure, depth + 1, inner, own)
            else:
                yield self._segment(entry, depth, part, path)

    @staticmethod
    def _segment(use: SegmentUse, depth: int, part: type[Part] | None, path: str) -> SegmentRow:
        own = _into(part, path, use.to)[1] if use.to else path
        fields = _fields(use.mapping, own)
        elements = tuple(_element(n, each, fields) for n, each in enumerate(use.segment.elements, 1))
        rules = tuple(map(str, use.segment.rules))
        return SegmentRow(
            id=use.segment.id,
            name=use.segment.name,
            usage=_usage(use),
            max=use.max,
            depth=depth,
            field=own.rstrip(".") if use.to else "",
            mapped=use.mapping is not None,
            open=use.segment.open,
            elements=elements,
            rules=rules,
        )


def _usage(entry: SegmentUse | Loop) -> str:
    return "M" if entry.mandatory else "O"


def _into(part: type[Part] | None, path: str, field_path: str) -> tuple[type[Part] | None, str]:
    """The part that a field holds, and its path: `lines[].` where there are many, `freight.` where there is one."""
    for name in field_path.split("."):
        shape = shapes(part).get(name) if part is not None else None
        part = shape.part if shape else None
        path += f"{name}[]." if shape is not None and shape.kind == "parts" else f"{name}."
    return part, path


def _fields(mapping: Placement | None, path: str) -> Mapping[tuple[int, int], str]:
    """By element and component, where it lives."""
    if mapping is None:
        return {}
    found = {(position, 1): _field(target, path) for position, target in mapping.put.items()}
    found |= {place: _field(target, path) for place, target in mapping.components.items()}
    if mapping.pairs is not None:
        own = _field(mapping.pairs.target, path)
        for position in range(mapping.pairs.first, mapping.pairs.last + 1):
            value = (position - mapping.pairs.first) % 2
            found[position, 1] = f"{own}.* (value)" if value else f"{own}.* (key)"
    if mapping.period is not None:
        found[mapping.period.format, 1] = f"{path}format"
        found[mapping.period.text, 1] = f"{path}date, {path}time, {path}until"
    for part in mapping.parts:
        found |= {(position, 1): _field(target, f"{path}{part.to}[].") for position, target in part.put.items()}
    return found | dict.fromkeys(((position, 1) for position in mapping.drop), "(follows from other elements)")


def _field(target: Target, path: str) -> str:
    return f"{path}{target.field}" + ("[]" if target.how == "append" else "")


def _element(position: int, use: ElementUse, fields: Mapping[tuple[int, int], str], part: int = 1) -> ElementRow:
    element: Element = use.element
    components = tuple(_component(position, n, each, fields) for n, each in enumerate(element.components, 1))
    return ElementRow(
        position=position,
        number=element.number,
        name=element.name,
        type=element.type,
        min=element.min,
        max=element.max,
        usage="X" if use.forbidden else "M" if use.mandatory else "O",
        repeat=use.repeat,
        codes=tuple(sorted(element.codes)),
        verified=element.verified,
        default=use.default,
        field=fields.get((position, part), "") if not components else "",
        components=components,
    )


def _component(position: int, number: int, use: ElementUse, fields: Mapping[tuple[int, int], str]) -> ElementRow:
    row = _element(position, use, fields, number)
    return replace(row, position=number, repeat=1, verified=False, default=None, components=())


def folded(rows: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    """The rows without those of a loop that holds what the one of the same name right before it holds: that loop is
    said to be the same (True)."""
    at = 0
    before: tuple[str, int, Sequence[Row]] | None = None
    while at < len(rows):
        row = rows[at]
        at += 1
        if not isinstance(row, LoopRow):
            yield row, False
            continue
        end = next((n for n in range(at, len(rows)) if rows[n].depth <= row.depth), len(rows))
        block = (row.id, row.depth, rows[at:end])
        same = block == before
        before = block
        yield row, same
        if same:
            at = end
        else:
            yield from folded(block[2])
            at = end


# --- what an overlay changed -----------------------------------------------------------------------------------------


def _marked(rows: Sequence[Row], standard: Sequence[Row]) -> Iterator[Row]:
    """The rows with what is otherwise in the standard; rows that the overlay took out stand where they were."""
    at = 0
    for row in rows:
        found = next((n for n in range(at, len(standard)) if _place(standard[n]) == _place(row)), None)
        if found is None:
            yield _changed(row, ("added",))
            continue
        yield from (_changed(gone, ("not used between us",), "X") for gone in standard[at:found])
        at = found + 1
        yield _compared(row, standard[found])
    yield from (_changed(gone, ("not used between us",), "X") for gone in standard[at:])


def _place(row: Row) -> tuple[object, ...]:
    return type(row), row.id, row.depth, row.field, row.when if isinstance(row, LoopRow) else ""


def _changed(row: Row, changed: tuple[str, ...], usage: str | None = None) -> Row:
    return replace(row, changed=changed, usage=usage or row.usage)


def _compared(row: Row, standard: Row) -> Row:
    changed = []
    if row.usage != standard.usage:
        changed.append(f"usage {standard.usage} -> {row.usage}")
    if row.max != standard.max:
        changed.append(f"max {standard.max or 'many'} -> {row.max or 'many'}")
    if isinstance(row, SegmentRow) and isinstance(standard, SegmentRow):
        pairs = zip(row.elements, standard.elements, strict=True)
        row = replace(row, elements=tuple(_element_compared(mine, theirs) for mine, theirs in pairs))
    return replace(row, changed=tuple(changed))


def _element_compared(row: ElementRow, standard: ElementRow) -> ElementRow:
    changed = []
    if row.usage != standard.usage:
        changed.append(f"usage {standard.usage} -> {row.usage}")
    if (row.min, row.max) != (standard.min, standard.max):
        changed.append(f"length {standard.min}-{standard.max} -> {row.min}-{row.max}")
    if row.codes != standard.codes:
        added, removed = set(row.codes) - set(standard.codes), set(standard.codes) - set(row.codes)
        only = removed or not standard.codes
        changed.append(f"codes only {', '.join(row.codes)}" if only else f"codes added: {', '.join(sorted(added))}")
    if row.default != standard.default:
        changed.append(f"default {row.default}")
    return replace(row, changed=tuple(changed))
