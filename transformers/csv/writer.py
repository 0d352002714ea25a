"""From a document to rows of values."""

from __future__ import annotations

import csv
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hub.core.errors import MappingError
from hub.core.plugin import LINEAR, WriterPlugin
from hub.core.ports import WriteContext, Written
from hub.documents.base import Document
from hub.mapping.made_rows import check_names, checked_template, made_rows, plain_text
from hub.mapping.site_template import TEMPLATES, SiteTemplate
from transformers.csv.dialect import Dialect


class CsvWriterOptions(Dialect):
    """Which rows, and how."""

    rows: Annotated[str, AfterValidator(checked_template)] = Field(
        description="A template of routes/templates, named *.json.j2, that makes a JSON list of objects: a row each."
    )
    columns: tuple[str, ...] = Field(
        min_length=1, description="The columns in their order; a row must have each, and no other."
    )
    header: bool = Field(True, description="Whether the first line names the columns.")
    line_end: Literal["crlf", "lf"] = Field("crlf", description="crlf as RFC 4180 says, or lf.")


class CsvWriter:
    """Writes rows. A value that begins as a spreadsheet's formula would goes out as it is: what a document says is not
    ours to change."""

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
            for number, row in enumerate(made_rows(self._template, document, context), 1):
                check_names(row, self._options.columns, number)
                writer.writerow([plain_text(row[name], name, number) for name in self._options.columns])
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


WRITER = WriterPlugin(
    name="csv",
    options=CsvWriterOptions,
    summary="Writes a document as rows of values, which a template of the site makes.",
    example='rows: order-rows.json.j2\ncolumns: [order, line, item, quantity, price]\ndelimiter: ";"\n',
    build=lambda name, options, context: CsvWriter(options, SiteTemplate(options.rows, context.text, context.work)),
    files={"rows": TEMPLATES},
    bounded=lambda options: LINEAR,
)
