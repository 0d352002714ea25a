"""Code tables of the site: CSV files of config/tables that say one code in the words of another."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.errors import ConfigError
from hub.core.options.nearest import did_you_mean

TABLES = "config/tables"

_NONE = object()


def table_file(name: str) -> str:
    """The file of the table `uom`: uom.csv."""
    return name if name.endswith(".csv") else f"{name}.csv"


@dataclass(frozen=True, slots=True)
class CodeTable:
    """`rows` by their first column; each row by the names of its columns. The second column is the answer unless
    another is asked for."""

    name: str
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, name: str, text: str) -> CodeTable:
        """The first line names the columns. Raises ConfigError, which names the line."""
        place = f"{TABLES}/{table_file(name)}"
        lines = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
        rows: dict[str, Mapping[str, str]] = {}
        try:
            columns = tuple(column.strip() for column in next(lines, []))
            if len(columns) < 2 or len(set(columns)) != len(columns) or "" in columns:
                raise ConfigError(f"{place}: line 1 should name two columns or more, each once")
            for cells in lines:
                if not cells:
                    continue
                values = [cell.strip() for cell in cells]
                if len(values) != len(columns):
                    raise ConfigError(
                        f"{place}: line {lines.line_num} has {len(values)} values, expected {len(columns)}"
                    )
                if values[0] in rows:
                    raise ConfigError(f"{place}: line {lines.line_num}: {values[0]!r} stands there twice")
                rows[values[0]] = dict(zip(columns, values, strict=True))
        except csv.Error as error:
            raise ConfigError(f"{place}: line {lines.line_num}: {error}") from None
        return cls(name, columns, rows)

    def find(self, key: Any, column: str | None = None, default: Any = _NONE) -> Any:
        """Raises LookupError for a key that isn't there, unless there is a default, and for an unknown column
        always."""
        wanted = self.columns[1] if column is None else column
        if wanted not in self.columns:
            raise LookupError(f"the table {self.name} has no column {wanted!r}; it has {', '.join(self.columns)}")
        row = self.rows.get(str(key))
        if row is not None:
            return row[wanted]
        if default is not _NONE:
            return default
        near = did_you_mean(str(key), self.rows)
        raise LookupError(f"the table {self.name} has no {str(key)[:80]!r}" + (f" ({near})" if near else ""))
