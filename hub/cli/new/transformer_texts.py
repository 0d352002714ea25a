"""A reader and a writer that work as they stand, with their contract tests, as templates
(`hub.cli.new.plugin_texts`)."""

from __future__ import annotations

READER = '''\
"""The reader `$name`: each line is an order, `number;product;quantity`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from hub.core.errors import DecodeError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Body, Reading
from hub.documents import Order
from hub.mapping.lines import lines


class ${Noun}Options(Options):
    """Whose orders they are."""

    partner: str = Field(min_length=1, description="The partner that the orders are from.")


class $Noun:
    """Line by line, so that memory is bounded by a line. One that can't be read spoils no other."""

    def __init__(self, partner: str) -> None:
        self._partner = partner

    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        for at, line in lines(body.chunks()):
            try:
                yield Reading((str(at),), self._order(line))
            except ValueError as error:
                yield Reading((str(at),), error=DecodeError(f"line {at}: {error}"))

    def _order(self, line: bytes | None) -> Order:
        if line is None:
            raise ValueError("too long")
        number, product, quantity = line.decode("utf-8").strip().split(";")
        ordered = {"number": "1", "products": {"VN": product}, "quantity": quantity}
        return Order.model_validate({"number": number, "partner": self._partner, "lines": [ordered]})


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(options.partner)


PLUGIN = Plugin(
    name="$name",
    kind="reader",
    options=${Noun}Options,
    summary="Reads orders, a line each: number;product;quantity.",
    example="partner: ACME\\n",
    build=build,
    documents=lambda options: ("order",),
)
'''

READER_TEST = '''\
"""What the hub promises about every reader, checked on `$name`."""

from pathlib import Path

from hub.app.plugin_contract import bears_garbage, installed, made, reads, reads_lazily, refuses

SAMPLE = b"104582;HAMMER-16;12\\n104583;NAIL-40;500\\n"


def test_the_declaration() -> None:
    refuses(installed("reader", "$name"), {"partner": ""})


def test_what_it_reads(tmp_path: Path) -> None:
    first, second, third = reads(made(installed("reader", "$name"), tmp_path), SAMPLE + b"no order\\n")
    assert [reading.document.number for reading in (first, second) if reading.document] == ["104582", "104583"]
    assert str(third.error).startswith("line 3: ")


def test_it_bears_garbage(tmp_path: Path) -> None:
    bears_garbage(made(installed("reader", "$name"), tmp_path), SAMPLE)


def test_it_reads_lazily(tmp_path: Path) -> None:
    reads_lazily(made(installed("reader", "$name"), tmp_path), SAMPLE)
'''

WRITER = '''\
"""The writer `$name`: an order becomes lines, `number;product;quantity`."""

from pydantic import Field

from hub.core.errors import MappingError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import WriteContext, Written
from hub.documents import Order
from hub.documents.base import Document


class ${Noun}Options(Options):
    """How the lines look."""

    separator: str = Field(";", min_length=1, max_length=1, description="What stands between the values.")


class $Noun:
    """Knows no clock and draws nothing: the same order gives the same bytes."""

    def __init__(self, separator: str) -> None:
        self._separator = separator

    def write(self, document: Document, context: WriteContext) -> Written:
        if not isinstance(document, Order):
            raise MappingError(f"document: only an order can be written, not a {document.kind}")
        rows = [(document.number, line.products.get("VN"), line.quantity) for line in document.lines]
        return Written("".join(f"{self._line(row)}\\n" for row in rows).encode(), "text/plain; charset=utf-8")

    def _line(self, row: tuple[object, ...]) -> str:
        for name, value in zip(("number", "products.VN", "quantity"), row, strict=True):
            if value is None or self._separator in str(value) or not str(value).isprintable():
                raise MappingError(f"{name}: {value!r} can't stand in a line")
        return self._separator.join(map(str, row))


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(options.separator)


PLUGIN = Plugin(
    name="$name",
    kind="writer",
    options=${Noun}Options,
    summary="Writes an order as lines: number;product;quantity.",
    example='separator: ";"\\n',
    build=build,
)
'''

WRITER_TEST = '''\
"""What the hub promises about every writer, checked on `$name`."""

from pathlib import Path

import pytest

from hub.app.plugin_contract import installed, made, refuses, writes
from hub.core.errors import MappingError
from hub.documents import Order

LINE = {"number": "1", "products": {"VN": "HAMMER-16"}, "quantity": "12"}


def test_the_declaration() -> None:
    refuses(installed("writer", "$name"), {"separator": "too long"})


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    order = Order.model_validate({"number": "104582", "partner": "ACME", "lines": [LINE]})
    assert writes(made(installed("writer", "$name"), tmp_path), order) == b"104582;HAMMER-16;12\\n"


def test_what_cannot_be_said_names_the_field(tmp_path: Path) -> None:
    order = Order.model_validate({"number": "1", "partner": "ACME", "lines": [{**LINE, "products": {}}]})
    with pytest.raises(MappingError, match=r"products\\.VN"):
        writes(made(installed("writer", "$name"), tmp_path), order)
'''
