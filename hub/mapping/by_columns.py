"""Documents straight from rows: which column each field has, said in the options, without a template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import Field, model_validator

from hub.documents.codec import document_class
from hub.mapping.canonical import BodyItem, CanonicalOptions
from hub.mapping.field_path import known_field, known_list

Fields = Mapping[str, str]
Values = Mapping[str, Any]


class RowsOptions(CanonicalOptions):
    """How documents are made of rows: through a template, or by their columns."""

    to: dict[str, str | dict[str, str]] = Field(
        {},
        description=(
            "Without a template: each field, as a path, with its column: `number: Order`, `totals.amount: Sum`; for a"
            " list the fields of its items, one for each row that has all of these columns: `lines: {quantity: Qty,"
            " products.VN: Item}`. An empty value is left out."
        ),
    )

    @model_validator(mode="after")
    def _one_way(self) -> RowsOptions:
        if (self.map is None) == (not self.to):
            raise ValueError(
                "say by which template documents are made of the rows, map: orders.json.j2, or which columns their"
                " fields have, to: {number: Order}"
            )
        fields = document_class(self.document).model_fields
        for path, column in self.to.items():
            inside = column if isinstance(column, dict) else None
            known = known_field(path) if inside is None else known_list(path)
            if path.partition(".")[0] not in fields or not known:
                what = "field" if inside is None else "list"
                raise ValueError(f"to: {self.document} has no {what} {path!r}")
            wrong = next((item for item in inside or () if not known_field(item, path)), None)
            if wrong is not None or inside == {}:
                raise ValueError(
                    f"to: the items of {path!r} have no field {wrong!r}" if wrong else f"to: {path} is empty"
                )
        return self

    @property
    def mapped_columns(self) -> tuple[str, ...]:
        """The columns that `to` names, each once."""
        found = [
            one for column in self.to.values() for one in (column.values() if isinstance(column, dict) else (column,))
        ]
        return tuple(dict.fromkeys(found))


class ByColumns:
    """Makes the canonical JSON of the rows of one document."""

    def __init__(self, document: str, to: Mapping[str, str | dict[str, str]]) -> None:
        self._document = document
        self._head = [(path.split("."), column) for path, column in to.items() if isinstance(column, str)]
        self._lists = [
            (path, [(item.split("."), column) for item, column in items.items()], frozenset(items.values()))
            for path, items in to.items()
            if isinstance(items, dict)
        ]

    def found(self, found: Iterable[BodyItem]) -> Iterator[BodyItem]:
        """Each with its JSON."""
        for one in found:
            yield BodyItem(one.names, self.json(one.names["rows"])) if one.error is None else one

    def json(self, rows: Sequence[Values]) -> bytes:
        first = rows[0]
        made: dict[str, Any] = {"document": self._document}
        for way, column in self._head:
            value = first[column] if column in first else next((row[column] for row in rows if column in row), None)
            if value is not None and value != "":
                _put(made, way, value)
        for path, items, columns in self._lists:
            made[path] = [_item(items, row) for row in rows if columns.issubset(row)]
        return orjson.dumps(made, default=str)


def _item(fields: Sequence[tuple[Sequence[str], str]], row: Values) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for way, column in fields:
        value = row[column]
        if value is not None and value != "":
            if len(way) == 1:
                made[way[0]] = value
            else:
                _put(made, way, value)
    return made


def _put(made: dict[str, Any], way: Sequence[str], value: Any) -> None:
    for key in way[:-1]:
        made = made.setdefault(key, {})
    made[way[-1]] = value


def by_columns(options: RowsOptions) -> Callable[[Iterable[BodyItem]], Iterable[BodyItem]]:
    """For a reader: what it does with what it found, before documents are made of it."""
    return ByColumns(options.document, options.to).found if options.to else lambda found: found
