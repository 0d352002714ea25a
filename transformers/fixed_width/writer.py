"""From a document to lines whose values stand at fixed places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from hub.core.context import Context
from hub.core.errors import MappingError
from hub.core.plugin import LINEAR, Options, WriterPlugin
from hub.core.ports import WriteContext, Written
from hub.documents.base import Document
from hub.mapping.column import WORDS, converter, formatter
from hub.mapping.encoding import LineEncoding
from hub.mapping.made_rows import check_names, checked_template, made_rows, plain_text
from hub.mapping.site_template import TEMPLATES, SiteTemplate

LONGEST_LINE = 1 << 20
RECORD = "record"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class FixedField(Options):
    """One value of a line, after the one before it."""

    name: str | None = Field(
        None,
        min_length=1,
        description="The key of the row's object; `record` is the record type. Without a name the place stays filled.",
    )
    width: int = Field(ge=1, le=LONGEST_LINE, description="Characters, of which each value has as many.")
    align: Literal["left", "right"] = Field("left", description="Where a shorter value stands.")
    pad: str = Field(" ", description="What fills the rest: a character. A zero stands after a number's sign.")
    type: str = Field("text", description=f"What the value is, and how it is written: {WORDS}.")

    @field_validator("pad")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value) != 1 or not value.isprintable():
            raise ValueError(f"{value!r} should be one character")
        return value

    @field_validator("type")
    @classmethod
    def _check_type(cls, value: str) -> str:
        converter(value)
        return value


class FixedWidthWriterOptions(Options):
    """What stands where."""

    rows: Annotated[str, AfterValidator(checked_template)] = Field(
        description="A template of routes/templates, named *.json.j2, that makes a JSON list of objects: a line each."
    )
    records: dict[str, tuple[FixedField, ...]] = Field(
        min_length=1,
        description="By record type: the fields of such a line, in their order. With one type a row needn't say it.",
    )
    encoding: LineEncoding = Field("utf-8", description="utf-8, windows-1252, cp037, ...")
    line_end: Literal["crlf", "lf", "none"] = Field("crlf", description="After each line: crlf, lf, or nothing.")

    @model_validator(mode="after")
    def _fits(self) -> FixedWidthWriterOptions:
        for record, fields in self.records.items():
            names = [field.name for field in fields if field.name is not None]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{twice!r} stands twice in the record {record!r}")
            for field in fields:
                self._can_be_written(field.pad)
        return self

    def _can_be_written(self, pad: str) -> None:
        try:
            pad.encode(self.encoding)
        except UnicodeEncodeError:
            raise ValueError(f"pad: {pad!r} can't be written in {self.encoding}") from None


class FieldPlace:
    """One field, ready to be written."""

    def __init__(self, field: FixedField, encoding: str) -> None:
        self.name, self._field, self._encoding = field.name, field, encoding
        self._format = formatter(field.type)

    def bytes(self, text: str) -> bytes:
        """As wide as the field. Raises ValueError."""
        field = self._field
        if text and field.type != "text":
            text = self._format(text)
        if _CONTROL.search(text) is not None:
            raise ValueError(f"found {text[:80]!r}, expected no line's end and no other control character")
        if len(text) > field.width:
            raise ValueError(f"found {text[:80]!r} with {len(text)} characters, expected at most {field.width}")
        try:
            return self._filled(text).encode(self._encoding)
        except UnicodeEncodeError as error:
            wrong = error.object[error.start : error.end]
            raise ValueError(f"{wrong[:80]!r} can't be written in {self._encoding}") from None

    def _filled(self, text: str) -> str:
        field = self._field
        if field.align == "left":
            return text.ljust(field.width, field.pad)
        if field.pad == "0" and field.type != "text":
            return text.zfill(field.width) if text else text.rjust(field.width)
        return text.rjust(field.width, field.pad)


class FixedWidthWriter:
    """Writes lines. A value that is too long, or that the encoding doesn't have, is an error and never cut or
    replaced."""

    def __init__(self, options: FixedWidthWriterOptions, template: SiteTemplate) -> None:
        self._options, self._template = options, template
        self._end = {"crlf": b"\r\n", "lf": b"\n", "none": b""}[options.line_end]
        self._records = {
            record: tuple(FieldPlace(field, options.encoding) for field in fields)
            for record, fields in options.records.items()
        }

    def write(self, document: Document, context: WriteContext) -> Written:
        """Raises MappingError, which names row, field and value."""
        rows = enumerate(made_rows(self._template, document, context), 1)
        body = b"".join(self._line(number, row) + self._end for number, row in rows)
        return Written(body, f"text/plain; charset={self._options.encoding}")

    def _line(self, number: int, row: Mapping[str, Any]) -> bytes:
        record = self._record_of(number, row)
        places, values = self._records[record], {**row, RECORD: record}
        named = tuple(place.name for place in places if place.name is not None)
        check_names(values, (*named, RECORD), number)
        made = []
        for place in places:
            try:
                text = plain_text(values[place.name], place.name, number) if place.name is not None else ""
                made.append(place.bytes(text))
            except (ValueError, TypeError) as error:
                raise MappingError(f"row {number}, field {place.name}: {error}") from None
        return b"".join(made)

    def _record_of(self, number: int, row: Mapping[str, Any]) -> str:
        if RECORD not in row and len(self._records) == 1:
            return next(iter(self._records))
        record = row.get(RECORD)
        if not isinstance(record, str) or record not in self._records:
            known = ", ".join(self._records)
            raise MappingError(f"row {number}: found the record type {str(record)[:40]!r}, expected {known}")
        return record


def _build(name: str, options: FixedWidthWriterOptions, context: Context) -> FixedWidthWriter:
    return FixedWidthWriter(options, SiteTemplate(options.rows, context.text, context.work))


WRITER = WriterPlugin(
    name="fixed_width",
    options=FixedWidthWriterOptions,
    summary="Writes a document as lines whose values stand at fixed places, which a template of the site makes.",
    example=(
        "rows: legacy-lines.json.j2\nrecords:\n  H:\n    - {name: record, width: 1}\n    - {name: number, width: 10}\n "
        "   - {name: wanted, width: 8, type: date %Y%m%d}\n  L:\n    - {name: record, width: 1}\n    - {name: item,"
        ' width: 14}\n    - {name: quantity, width: 7, align: right, pad: "0", type: integer}\nencoding: windows-1252\n'
    ),
    build=_build,
    files={"rows": TEMPLATES},
    bounded=lambda options: LINEAR,
)
