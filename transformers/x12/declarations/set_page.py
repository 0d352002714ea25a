"""A transaction set as a page of markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from transformers.x12.declarations.code_names import code_name
from transformers.x12.declarations.description import ElementRow, LoopRow, Row, SegmentRow, SetDescription, folded

SAME = "holds what the loop before holds"


def many(most: int) -> str:
    return str(most) if most else "many"


def length(row: ElementRow) -> str:
    if row.type == "C":
        return ""
    return str(row.min) if row.min == row.max else f"{row.min}-{row.max}"


def rule_text(segment: str, rule: str) -> str:
    """A rule as a sentence: `C0807` of CUR is "with CUR08 also CUR07"."""
    first, *others = (f"{segment}{rule[at : at + 2]}" for at in range(1, len(rule), 2))
    listed = ", ".join(others)
    match rule[0]:
        case "P":
            return f"{first}, {listed}: all of them or none"
        case "R":
            return f"at least one of {first}, {listed}"
        case "E":
            return f"at most one of {first}, {listed}"
        case "C":
            return f"with {first} also {listed}"
        case _:
            return f"with {first} also at least one of {listed}" if len(others) > 1 else f"with {first} also {listed}"


def shown_codes(codes: Iterable[str]) -> str:
    return ", ".join(codes)


def set_page(
    description: SetDescription, other: SetDescription | None = None, *, segments: bool = False
) -> Iterator[str]:
    """The lines of a page. `other`: the same set in a later release, whose differences are noted. `segments`: with the
    elements of every segment; else with links to `segments.md`."""
    d = description
    releases = d.release if other is None else f"{d.release} and {other.release}"
    yield f"# {d.set} {d.name}\n"
    kind = f"[`{d.document}`](../documents.md)" if not segments else f"`{d.document}`"
    yield f"Release{'s' if other else ''} {releases}; functional group `{d.group}`; canonical document {kind}.\n"
    yield f"Source: {d.source}\n"
    yield "| segment | | usage | max | lives in |" + (" release |" if other else " agreement |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for row, note in _noted(d.rows, other.rows if other else None, d.release, other.release if other else ""):
        yield _line(row, note or "; ".join(row.changed), linked=not segments)
    yield ""
    if segments:
        found: dict[str, SegmentRow] = {}
        for row in d.rows:
            if isinstance(row, SegmentRow):
                found.setdefault(row.id, row)
        for segment in found.values():
            yield from segment_section(segment)


def _noted(rows: Sequence[Row], later: Sequence[Row] | None, release: str, after: str) -> Iterator[tuple[Row, str]]:
    """The rows of both releases in their order, each with the release it stands in where that is only one."""
    rows, same = _folded(rows)
    if later is None:
        yield from ((row, same.get(n, "")) for n, row in enumerate(rows))
        return
    later, _ = _folded(later)
    keys, other = [_key(row) for row in rows], [_key(row) for row in later]
    for kind, a, b, c, d in SequenceMatcher(None, keys, other, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from ((rows[n], same.get(n, "")) for n in range(a, b))
            continue
        yield from ((row, release) for row in rows[a:b])
        yield from ((row, after) for row in later[c:d])


def _folded(rows: Sequence[Row]) -> tuple[list[Row], dict[int, str]]:
    """The rows, and by their index the notes of those that are as the loop before."""
    found = list(folded(rows))
    return [row for row, _ in found], {n: SAME for n, (_, same) in enumerate(found) if same}


def _key(row: Row) -> tuple[object, ...]:
    return type(row), row.id, row.depth, row.usage, row.max, row.field, row.when if isinstance(row, LoopRow) else ""


def _line(row: Row, note: str, *, linked: bool) -> str:
    indent = "&nbsp;&nbsp;" * row.depth
    if isinstance(row, LoopRow):
        more = ", ".join(part for part in (row.when, "nested by its ids" if row.tree else "") if part)
        return f"| {indent}loop **{row.id}** | {more} | {row.usage} | {many(row.max)} | {_code(row.field)} | {note} |"
    name = f"[{row.id}](segments.md#{row.id.lower()})" if linked else f"[{row.id}](#{row.id.lower()})"
    return f"| {indent}{name} | {row.name} | {row.usage} | {many(row.max)} | {', '.join(_lives(row))} | {note} |"


def _lives(row: SegmentRow) -> Iterator[str]:
    """The part that the segment makes, or the fields that it fills."""
    if not row.mapped:
        yield "extras"
    elif row.field:
        yield _code(row.field)
    else:
        yield from dict.fromkeys(
            _code(e.field.partition(" (")[0]) for e in row.elements if e.field and e.field[0] != "("
        )


def segment_section(row: SegmentRow, later: SegmentRow | None = None, release: str = "") -> Iterator[str]:
    """The elements of a segment. `later`: as it is from `release` on."""
    yield f"## {row.id}\n"
    yield f"{row.name}\n"
    if row.open:
        yield "Its elements aren't declared: they are kept as they come.\n"
        return
    yield "| | element | | usage | type | length | codes |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    after = later.elements if later is not None else row.elements
    for number in range(max(len(row.elements), len(after))):
        mine = row.elements[number] if number < len(row.elements) else None
        theirs = after[number] if number < len(after) else None
        yield from _element_lines(row.id, mine, theirs, release)
    rules = [f"`{rule}` {rule_text(row.id, rule)}" for rule in row.rules]
    yield "\n" + (f"Rules: {'; '.join(rules)}.\n" if rules else "")


def _element_lines(segment: str, row: ElementRow | None, later: ElementRow | None, release: str) -> Iterator[str]:
    shown = row or later
    assert shown is not None  # noqa: S101 - one of the two is there
    place = f"{segment}{shown.position:02}"
    size = length(shown)
    if row is not None and later is not None and length(later) != size:
        size += f" ({length(later)} in {release})"
    note = f" (only {release})" if row is None else ""
    repeat = f", up to {shown.repeat} times" if shown.repeat > 1 else ""
    codes = _codes(shown)
    yield f"| {place} | {shown.number} | {shown.name}{note}{repeat} | {shown.usage} | {shown.type} | {size} | {codes} |"
    for part in shown.components:
        yield (
            f"| {place}-{part.position} | {part.number} | {part.name} | {part.usage} | {part.type} | {length(part)} |"
            f" {_codes(part)} |"
        )


def _codes(row: ElementRow) -> str:
    if not row.codes:
        return ""
    return (
        f"[{'codes' if row.verified else 'codes, others warn'}](codes.md#{row.number})"
        if len(row.codes) > 6
        else ", ".join(row.codes)
    )


def code_section(row: ElementRow) -> Iterator[str]:
    """The list of codes of one element."""
    yield f"## {row.number}\n"
    kind = "Another code is an error." if row.verified else "Not verified: another code is a warning."
    yield f"{row.name}. {kind}\n"
    yield "; ".join(f"`{code}` {code_name(row.number, code)}".strip() for code in row.codes) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
