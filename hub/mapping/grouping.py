"""Rows that make one document together: those that stand together and have the same values in the key columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.core.errors import DecodeError
from hub.mapping.canonical import BodyItem

MOST_ROWS = 100_000
"""Rows of one document."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the body, its values, or what is wrong with it. `key` None: it can't be said to which
    document it belongs."""

    number: int
    values: dict[str, Any]
    key: tuple[Any, ...] | None = None
    error: DecodeError | None = None


def documents(rows: Iterable[Row]) -> Iterator[BodyItem]:
    """One for each run of rows with the same key, in their order. A document with a bad row is refused whole, never
    made of the rest; a row of which nobody can say where it belongs spoils the documents on both of its sides. What
    stands behind a bad row of a document is not held."""
    held: list[Row] = []
    torn: DecodeError | None = None
    before: DecodeError | None = None
    count = 0
    for row in rows:
        if row.key is None:
            torn = torn or row.error
            continue
        if held and row.key != held[0].key:
            yield _make_item(held, before or torn, count)
            before, torn, held, count = torn, None, [], 0
        elif not held:
            before, torn = torn, None
        count += 1
        if count <= MOST_ROWS and (not held or held[-1].error is None):
            held.append(row)
    if held:
        yield _make_item(held, before or torn, count)
    elif torn is not None:
        yield BodyItem({}, error=torn)


def _make_item(rows: list[Row], torn: DecodeError | None, count: int) -> BodyItem:
    first = rows[0]
    error = next((row.error for row in rows if row.error is not None), None) or torn
    if error is None and count > MOST_ROWS:
        error = DecodeError(f"row {first.number}: a document of {count} rows, more than {MOST_ROWS}")
    return BodyItem({"body": first.values, "rows": [row.values for row in rows], "row": first.number}, error=error)
