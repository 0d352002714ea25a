"""From rows of values to documents."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.plugin import LINEAR, ReaderPlugin
from hub.core.ports import Body, Reading
from hub.mapping.by_columns import RowsOptions, by_columns
from hub.mapping.canonical import BodyItem, Canonical, kinds_of
from hub.mapping.column import Columns, ColumnTypes
from hub.mapping.grouping import Row, documents
from hub.mapping.lines import lines
from hub.mapping.repeated import repeated
from hub.mapping.site_template import TEMPLATES
from transformers.csv.dialect import Dialect

LONGEST_LINE = 1 << 20
MOST_COLUMNS = 10_000


class CsvReaderOptions(Dialect, RowsOptions):
    """What stands in the rows."""

    columns: tuple[str, ...] | None = Field(None, description="The names of the columns, where no line says them.")
    skip: int = Field(0, ge=0, description="Lines before everything else that say nothing.")
    types: ColumnTypes = {}
    group: tuple[str, ...] = Field(
        (),
        description=(
            "Rows that stand together and are equal in these columns are one document; without it each row is one."
        ),
    )

    @model_validator(mode="after")
    def _columns_are_there(self) -> CsvReaderOptions:
        for name in (*self.types, *self.group, *self.mapped_columns):
            if self.columns is not None and name not in self.columns:
                raise ValueError(f"{name!r} is not among `columns`")
        return self


class CsvReader:
    """Reads rows as they come. Errors say row (the line it ends on), column and value."""

    def __init__(self, options: CsvReaderOptions, canonical: Canonical) -> None:
        self._options, self._canonical, self._columns = options, canonical, Columns(options.types)
        self._mapped = by_columns(options)
        self._wanted = (*options.group, *options.types, *options.mapped_columns)

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading for each document, with the positions 1, 2, ..."""
        return self._canonical.readings(self._mapped(self._read_items(body)), headers, split=True)

    def _read_items(self, body: Body) -> Iterator[BodyItem]:
        try:
            yield from documents(self._rows(body))
        except DecodeError as error:
            yield BodyItem({}, error=error)

    def _rows(self, body: Body) -> Iterator[Row]:
        rows = self._cells(body)
        names = self._options.columns
        if names is None:
            number, header = next(rows, (0, None))
            if header is None:
                return
            if isinstance(header, DecodeError):
                raise header
            names = tuple(cell.strip() for cell in header)
            self._check_names(names, number)
        for number, cells in rows:
            yield self._row(number, names, cells)

    def _check_names(self, names: tuple[str, ...], number: int) -> None:
        twice = repeated(names) if len(names) <= MOST_COLUMNS else ""
        if twice is not None:
            raise DecodeError(f"row {number}: the column {twice[:80]!r} stands twice, or there are too many")
        missing = next((name for name in self._wanted if name not in names), None)
        if missing is not None:
            raise DecodeError(f"row {number}: there is no column {missing!r}; found {', '.join(names)[:200]}")

    def _row(self, number: int, names: tuple[str, ...], cells: list[str] | DecodeError) -> Row:
        if isinstance(cells, DecodeError):
            return Row(number, {}, None if self._options.group else (number,), cells)
        values: dict[str, Any] = dict(zip(names, cells, strict=False))
        group = self._options.group
        key = tuple(map(values.get, group)) if group else (number,)
        if len(cells) != len(names):
            error = DecodeError(f"row {number} has {len(cells)} values, expected {len(names)}: {str(cells)[:200]}")
            return Row(number, {}, None if group else key, error)
        try:
            return Row(number, self._columns.values(values), key)
        except ValueError as error:
            return Row(number, {}, key, DecodeError(f"row {number}, {error}"))

    def _cells(self, body: Body) -> Iterator[tuple[int, list[str] | DecodeError]]:
        """Row number and cells, or why there are none. Empty lines count for nothing."""
        text = self._text(body)
        while True:
            rows = csv.reader(text, strict=True, **self._options.dialect())
            try:
                for cells in rows:
                    if cells:
                        yield text.number, cells
                return
            except csv.Error as error:
                yield text.number, DecodeError(f"row {text.number}: {error}")
            except DecodeError as error:
                yield text.number, error

    def _text(self, body: Body) -> _BodyLines:
        return _BodyLines(body, self._options.encoding, self._options.skip)


class _BodyLines:
    """The lines of a body as texts. After one that is none it goes on with the next."""

    def __init__(self, body: Body, encoding: str, skip: int) -> None:
        self._lines, self._encoding, self._skip, self.number = lines(body.chunks(), LONGEST_LINE), encoding, skip, 0

    def __iter__(self) -> _BodyLines:
        return self

    def __next__(self) -> str:
        while True:
            self.number, line = next(self._lines)
            if self.number > self._skip:
                break
        if line is None:
            raise DecodeError(f"row {self.number} has more than {LONGEST_LINE} bytes")
        if self.number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError as error:
            found = line[error.start : error.start + 1].hex()
            raise DecodeError(f"row {self.number}: the byte {found} at {error.start} is not {self._encoding}") from None


READER = ReaderPlugin(
    name="csv",
    options=CsvReaderOptions,
    summary=(
        "Reads rows of values: each, or those with the same key, are a document: by its columns, or through a template"
        " of the site."
    ),
    example=(
        "document: order@1\nto:\n  number: order_number\n  date: wanted\n  lines: {quantity: quantity, price: price,"
        ' products.VN: item}\ndelimiter: ";"\nencoding: windows-1252\ngroup: [order_number]\ntypes: {quantity: integer,'
        ' price: decimal comma, wanted: "date %d.%m.%Y"}\n'
    ),
    build=lambda name, options, context: CsvReader(options, Canonical.of(options, context)),
    files={"map": TEMPLATES},
    documents=kinds_of,
    bounded=lambda options: 0 if options.map else LINEAR,
)
