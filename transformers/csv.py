"""CSV: the reader makes documents of rows through a template, the writer rows of a document.

The reader's template (*.json.j2) sees `rows`, the rows of one document, `body`, the first of them, `row`, its number, and `name`, what
the body was called. Values are by the name of their column: `{{ body.order_number }}`, `{{ body["Order No"] }}`.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from hub.core.errors import DecodeError, MappingError
from hub.core.message import EMPTY
from hub.core.plugin import Options, Plugin
from hub.core.ports import Body, Reading, WriteContext, Written
from hub.documents.base import Document
from hub.mapping.canonical import Canonical, CanonicalOptions, Found, kinds_of
from hub.mapping.column import Columns, ColumnTypes
from hub.mapping.grouping import Row, documents
from hub.mapping.json_text import parse_json
from hub.mapping.lines import lines
from hub.mapping.site_template import TEMPLATES, SiteTemplate

LONGEST_LINE = 1 << 20
MOST_COLUMNS = 10_000


class Dialect(Options):
    """How values are told apart."""

    delimiter: str = Field(",", description='Between values: `,`, `;`, `|`; a tab is "\\t".')
    quote: str = Field(
        '"', description="Around values that hold a delimiter or a line's end; doubled, it stands for itself."
    )
    escape: str | None = Field(None, description="Before a quote that is part of a value, where it isn't doubled.")
    encoding: str = Field("utf-8", description="utf-8, windows-1252, iso-8859-15, ...")

    @field_validator("delimiter", "quote", "escape")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in "\r\n\0 "):
            raise ValueError(f"{value!r} should be one character")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            stateless = codecs.lookup(value)._is_text_encoding and not value.lower().startswith(("utf-16", "utf-32"))
        except LookupError:
            stateless = False
        if not stateless:
            raise ValueError(f"there is no encoding {value!r} of lines; say utf-8, windows-1252, iso-8859-15")
        return value

    def dialect(self) -> dict[str, Any]:
        """For the functions of the module csv."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote,
            "escapechar": self.escape,
            "doublequote": self.escape is None,
        }


class CsvReaderOptions(Dialect, CanonicalOptions):
    """What stands in the rows."""

    columns: tuple[str, ...] | None = Field(None, description="The names of the columns, where no line says them.")
    skip: int = Field(0, ge=0, description="Lines before everything else that say nothing.")
    types: ColumnTypes = {}
    group: tuple[str, ...] = Field(
        (),
        description="Rows that stand together and are equal in these columns are one document; without it each row is one.",
    )

    @model_validator(mode="after")
    def _makes_documents(self) -> CsvReaderOptions:
        if self.map is None:
            raise ValueError("say by which template documents are made of the rows: map: orders.json.j2")
        for name in (*self.types, *self.group):
            if self.columns is not None and name not in self.columns:
                raise ValueError(f"{name!r} is not among `columns`")
        return self


class CsvReader:
    """Reads rows as they come. Errors say row (the line it ends on), column and value."""

    def __init__(self, options: CsvReaderOptions, canonical: Canonical) -> None:
        self._options, self._canonical, self._columns = options, canonical, Columns(options.types)

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading for each document, with the positions 1, 2, ..."""
        return self._canonical.readings(self._found(body), headers, split=True)

    def _found(self, body: Body) -> Iterator[Found]:
        try:
            yield from documents(self._rows(body))
        except DecodeError as error:
            yield Found({}, error=error)

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
        twice = next((name for name in names if names.count(name) > 1), None) if len(names) <= MOST_COLUMNS else ""
        if twice is not None:
            raise DecodeError(f"row {number}: the column {twice[:80]!r} stands twice, or there are too many")
        wanted = [*self._options.group, *self._options.types]
        missing = next((name for name in wanted if name not in names), None)
        if missing is not None:
            raise DecodeError(f"row {number}: there is no column {missing!r}; found {', '.join(names)[:200]}")

    def _row(self, number: int, names: tuple[str, ...], cells: list[str] | DecodeError) -> Row:
        if isinstance(cells, DecodeError):
            return Row(number, {}, None if self._options.group else (number,), cells)
        values: dict[str, Any] = dict(zip(names, cells, strict=False))
        group = self._options.group
        key = tuple(values.get(name) for name in group) if group else (number,)
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

    def _text(self, body: Body) -> _Lines:
        return _Lines(body, self._options.encoding, self._options.skip)


class _Lines:
    """The lines of a body as texts. After one that is none it goes on with the next."""

    def __init__(self, body: Body, encoding: str, skip: int) -> None:
        self._lines, self._encoding, self._skip, self.number = lines(body.chunks(), LONGEST_LINE), encoding, skip, 0

    def __iter__(self) -> _Lines:
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


class CsvWriterOptions(Dialect):
    """Which rows, and how."""

    rows: str = Field(
        description="A template of routes/templates, named *.json.j2, that makes a JSON list of objects: a row each."
    )
    columns: tuple[str, ...] = Field(
        min_length=1, description="The columns in their order; a row must have each, and no other."
    )
    header: bool = Field(True, description="Whether the first line names the columns.")
    line_end: Literal["crlf", "lf"] = Field("crlf", description="crlf as RFC 4180 says, or lf.")

    @field_validator("rows")
    @classmethod
    def _makes_json(cls, value: str) -> str:
        if not value.endswith(".json.j2"):
            raise ValueError(f"{value!r} makes no JSON by its name; it should end in .json.j2")
        return value


class CsvWriter:
    """Writes rows. A value that begins as a spreadsheet's formula would goes out as it is: what a document says is not ours to change."""

    def __init__(self, options: CsvWriterOptions, template: SiteTemplate) -> None:
        self._options, self._template = options, template

    def write(self, document: Document, context: WriteContext) -> Written:
        """Raises MappingError, which names row and column."""
        made = _Text()
        end = "\r\n" if self._options.line_end == "crlf" else "\n"
        writer = csv.writer(made, lineterminator=end, **self._options.dialect())
        try:
            if self._options.header:
                writer.writerow(self._options.columns)
            for number, row in enumerate(rows_of(self._template, document, context), 1):
                writer.writerow(cells_of(row, self._options.columns, number))
            body = "".join(made.pieces).encode(self._options.encoding)
        except UnicodeEncodeError as error:
            raise MappingError(
                f"{error.object[error.start : error.end]!r} can't be written in {self._options.encoding}"
            ) from None
        except csv.Error as error:
            raise MappingError(f"can't be written as CSV: {error}") from None
        return Written(body, f"text/csv; charset={self._options.encoding}")


class _Text:
    def __init__(self) -> None:
        self.pieces: list[str] = []

    def write(self, text: str) -> None:
        self.pieces.append(text)


def rows_of(template: SiteTemplate, document: Document, context: WriteContext) -> list[Any]:
    """The list that the template makes. Raises MappingError."""
    names = {"key": context.key, "document_id": context.document_id, "now": context.now}
    text = template.render({"document": document, "facts": context.facts, **names})
    try:
        rows = parse_json(text)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise MappingError(f"the output of {template.name} isn't JSON: {error}") from None
    if not isinstance(rows, list):
        raise MappingError(f"the output of {template.name} should be a list of rows")
    return rows


def cells_of(row: Any, columns: tuple[str, ...], number: int) -> list[str]:
    if not isinstance(row, dict):
        raise MappingError(f"row {number} should be an object with the columns' values")
    other = next((name for name in row if name not in columns), None) or next(
        (c for c in columns if c not in row), None
    )
    if other is not None:
        there = "is not among the columns" if other in row else "is missing"
        raise MappingError(f"row {number}: {other!r} {there}")
    return [plain_cell(row[name], name, number) for name in columns]


def plain_cell(value: Any, name: str, number: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise MappingError(f"row {number}, column {name}: found a list or an object, expected one value")
    return str(value) if isinstance(value, str | int) else format(value, "f")


PLUGINS = (
    Plugin(
        name="csv",
        kind="reader",
        options=CsvReaderOptions,
        summary="Reads rows of values: each, or those with the same key, are a document through a template of the site.",
        example='document: order@1\nmap: web-orders.json.j2\ndelimiter: ";"\nencoding: windows-1252\ngroup: [order_number]\n'
        'types: {quantity: integer, price: decimal comma, wanted: "date %d.%m.%Y"}\n',
        build=lambda name, options, context: CsvReader(options, Canonical.of(options, context)),
        files={"map": TEMPLATES},
        documents=kinds_of,
    ),
    Plugin(
        name="csv",
        kind="writer",
        options=CsvWriterOptions,
        summary="Writes a document as rows of values, which a template of the site makes.",
        example='rows: order-rows.json.j2\ncolumns: [order, line, item, quantity, price]\ndelimiter: ";"\n',
        build=lambda name, options, context: CsvWriter(options, SiteTemplate(options.rows, context.text)),
        files={"rows": TEMPLATES},
    ),
)
