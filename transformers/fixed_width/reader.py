"""From lines whose values stand at fixed places to documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from hub.core.context import Context
from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.plugin import LINEAR, ReaderPlugin
from hub.core.ports import Body, Reading
from hub.mapping.by_columns import RowsOptions, by_columns
from hub.mapping.canonical import BodyItem, Canonical, kinds_of
from hub.mapping.column import Columns, ColumnTypes
from hub.mapping.encoding import LineEncoding
from hub.mapping.grouping import Row, documents
from hub.mapping.lines import lines
from hub.mapping.site_template import TEMPLATES

LONGEST_LINE = 1 << 20
Places = dict[str, tuple[int, int]]


class FixedWidthReaderOptions(RowsOptions):
    """What stands where."""

    record: tuple[int, int] = Field(
        (1, 1), description="First and last character, from 1, of a line's record type; of use with more than one."
    )
    records: dict[str, Places] = Field(
        min_length=1,
        description="By record type: the values of such a line, each with its first and last character, from 1.",
    )
    begins: str = Field(
        description="The record type with which a document begins; the lines up to the next one belong to it."
    )
    ignore: tuple[str, ...] = Field((), description="Record types that say nothing: a file's head and trailer.")
    types: ColumnTypes = {}
    encoding: LineEncoding = Field("utf-8", description="utf-8, windows-1252, cp037, ...")

    @model_validator(mode="after")
    def _fits(self) -> FixedWidthReaderOptions:
        if self.begins not in self.records:
            raise ValueError(f"{self.begins!r} is not among `records`")
        for name, (first, last) in (
            ("record", self.record),
            *(p for one in self.records.values() for p in one.items()),
        ):
            if not 1 <= first <= last <= LONGEST_LINE:
                raise ValueError(f"{name} should stand from its first character to its last, counted from 1")
        columns = {name for places in self.records.values() for name in places}
        unknown = next((name for name in self.mapped_columns if name not in columns), None)
        if unknown is not None:
            raise ValueError(f"to: {unknown!r} is not among the values of `records`")
        return self


class FixedWidthReader:
    """Reads lines as they come. Errors say row, column and value; a document with a bad line is refused whole."""

    def __init__(self, options: FixedWidthReaderOptions, canonical: Canonical) -> None:
        self._options, self._canonical, self._columns = options, canonical, Columns(options.types)
        self._mapped = by_columns(options)

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading for each document, with the positions 1, 2, ..."""
        return self._canonical.readings(self._mapped(self._read_items(body)), headers, split=True)

    def _read_items(self, body: Body) -> Iterator[BodyItem]:
        yield from documents(self._rows(body))

    def _rows(self, body: Body) -> Iterator[Row]:
        ordinal, options = 0, self._options
        for number, line in lines(body.chunks(), LONGEST_LINE):
            if line is None:
                yield Row(number, {}, None, DecodeError(f"row {number} has more than {LONGEST_LINE} bytes"))
                continue
            try:
                text = line.decode(options.encoding).rstrip("\r\n")
            except UnicodeDecodeError as error:
                wrong = DecodeError(f"row {number}: the byte at {error.start} is not {options.encoding}")
                yield Row(number, {}, None, wrong)
                continue
            if not text.strip():
                continue
            kind = cut(text, options.record).strip()
            if kind in options.ignore:
                continue
            ordinal += kind == options.begins
            yield self._row(number, kind, text, ordinal)

    def _row(self, number: int, kind: str, text: str, ordinal: int) -> Row:
        places = self._options.records.get(kind)
        if places is None:
            known = ", ".join((*self._options.records, *self._options.ignore))
            wrong = DecodeError(f"row {number}: found the record type {kind[:40]!r}, expected {known}")
            return Row(number, {}, (ordinal,), wrong)
        if ordinal == 0:
            wrong = DecodeError(f"row {number}: found {kind!r} before the first {self._options.begins!r}")
            return Row(number, {}, (ordinal,), wrong)
        values: dict[str, Any] = {name: cut(text, place).strip() for name, place in places.items()}
        try:
            return Row(number, {"record": kind, **self._columns.values(values)}, (ordinal,))
        except ValueError as error:
            return Row(number, {}, (ordinal,), DecodeError(f"row {number}, {error}"))


def cut(text: str, place: tuple[int, int]) -> str:
    return text[place[0] - 1 : place[1]]


def _build(name: str, options: FixedWidthReaderOptions, context: Context) -> FixedWidthReader:
    return FixedWidthReader(options, Canonical.of(options, context))


READER = ReaderPlugin(
    name="fixed_width",
    options=FixedWidthReaderOptions,
    summary=(
        "Reads lines whose values stand at fixed places, of one record type or several, by their columns or through a"
        " template of the site."
    ),
    example=(
        "document: order@1\nmap: legacy-order.json.j2\nbegins: H\nrecords:\n  H: {number: [2, 11], wanted: [12, 19]}\n"
        "  L: {item: [2, 15], quantity: [16, 22]}\nignore: [T]\ntypes: {quantity: integer, wanted: date %Y%m%d}\n"
    ),
    build=_build,
    files={"map": TEMPLATES},
    documents=kinds_of,
    bounded=lambda options: 0 if options.map else LINEAR,
)
