"""A transaction set as text."""

from __future__ import annotations

from collections.abc import Iterator

from hub.cli.x12.lines import line, show
from transformers.x12.declarations.code_names import code_name
from transformers.x12.declarations.description import ElementRow, LoopRow, SegmentRow, SetDescription, folded
from transformers.x12.declarations.set_page import SAME, length, many, rule_text, shown_codes

NAMES = 48
"""Codes of an element that are shown with their names; of a longer list only the codes."""


class SetView:
    """Prints a description; what an overlay changed is marked with `>`."""

    def __init__(self, partner: str | None) -> None:
        self._partner = partner
        self._shown: dict[str, tuple[ElementRow, ...]] = {}

    def print(self, description: SetDescription) -> None:
        d = description
        show(
            line(0, (f"{d.set} {d.name}", "bold"), f"release {d.release}", f"group {d.group}", f"document {d.document}")
        )
        if self._partner:
            show(line(0, (f"as it is between {self._partner} and us; > marks what the agreement changes", "yellow")))
        show(line(0, (f"source: {d.source}", "dim"), whole=True))
        for row, same in folded(d.rows):
            if isinstance(row, LoopRow):
                self._loop(row, SAME if same else "")
            else:
                self._segment(row)

    @staticmethod
    def _loop(row: LoopRow, note: str) -> None:
        more = (row.when, note, "nested by its ids" if row.tree else "", f"in {row.field}" if row.field else "")
        show(line(row.depth, (f"loop {row.id}", "magenta"), *_use(row.usage, row.max), *more, *_changes(row.changed)))

    def _segment(self, row: SegmentRow) -> None:
        where = f"in {row.field}" if row.field else "" if row.mapped else "kept in extras"
        show(line(row.depth, (row.id, "bold cyan"), row.name, *_use(row.usage, row.max), where, *_changes(row.changed)))
        if row.open:
            show(line(row.depth + 1, ("its elements aren't declared: they are kept as they come", "dim")))
        if self._shown.get(row.id) == row.elements and row.elements:
            show(line(row.depth + 1, ("elements as above", "dim")))
            return
        self._shown[row.id] = row.elements
        for element in row.elements if row.usage != "X" else ():
            self._element(row.id, element, row.depth + 1)
        for rule in row.rules if row.usage != "X" else ():
            show(line(row.depth + 1, (f"{rule}: {rule_text(row.id, rule)}", "dim")))

    def _element(self, segment: str, row: ElementRow, depth: int, part: str = "") -> None:
        place = f"{segment}{row.position:02}" if not part else f"{part}-{row.position}"
        repeat = f"up to {row.repeat} times" if row.repeat > 1 else ""
        default = f"default {row.default}" if row.default else ""
        where = (f"-> {row.field}", "green") if row.field else ""
        form = f"{row.type:<2} {length(row):<6}"
        name = f"{row.name:<38}" if row.field or row.changed else row.name
        id = (f"{place:<8}", "cyan")
        show(line(depth, id, row.usage, form, name, repeat, default, where, *_changes(row.changed)))
        for text in _codes(row):
            show(line(depth + 5, (text, "dim"), whole=True))
        for component in row.components:
            self._element(segment, component, depth + 1, place)


def _use(usage: str, most: int) -> tuple[str, str]:
    return {"M": "mandatory", "O": "optional", "X": "not used"}[usage], f"max {many(most)}" if most != 1 else ""


def _changes(changed: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return ((f"> {'; '.join(changed)}", "yellow"),) if changed else ()


def _codes(row: ElementRow) -> Iterator[str]:
    if not row.codes:
        return
    kind = "" if row.verified else " (another code is a warning)"
    named = [f"{code} {code_name(row.number, code)}".strip() for code in row.codes]
    yield f"codes{kind}: {', '.join(named) if len(named) <= NAMES else shown_codes(row.codes)}"
