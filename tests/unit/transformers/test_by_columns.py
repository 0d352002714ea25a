"""Documents of rows without a template: each field says its column."""

from __future__ import annotations

import tracemalloc
from datetime import date
from decimal import Decimal

import pytest

from hub.core.ports import BytesBody
from tests.unit.transformers.reading import Repeated, built, said
from transformers import csv, fixed_width

TO = (
    "to: {number: Order, partner: Customer, date: Wanted, totals.amount: Sum, lines: {quantity: Qty, price: Price,"
    " products.VN: Item}}"
)
ROWS = f"""{{document: order@1, delimiter: ";", group: [Order], {TO},
 types: {{Qty: integer, Price: decimal comma, Sum: decimal, Wanted: "date %d.%m.%Y"}}}}"""
HEAD = "Order;Customer;Wanted;Sum;Qty;Price;Item;Remark\n"
LINES = """{document: order@1, begins: H, ignore: [T], records: {H: {number: [2, 6], wanted: [7, 14]}, L: {item: [2, 6], qty: [7, 9]},
 S: {sum: [2, 9]}}, types: {qty: integer, wanted: date %Y%m%d, sum: implied 2},
 to: {number: number, date: wanted, totals.amount: sum, lines: {quantity: qty, products.VN: item}}}"""  # noqa: E501


def read(text: str, options: str = ROWS) -> list[tuple[str, str]]:
    return said(list(built(csv.PLUGINS[0], options).read(BytesBody((HEAD + text).encode()))))


def test_rows_become_a_document_and_its_lines() -> None:
    text = "7;ACME;02.03.2026;20.5;2;9,50;H-1;x\n7;;;;1;;;\n8;ACME;;;3;1;H-2;\n"
    first, second = built(csv.PLUGINS[0], ROWS).read(BytesBody((HEAD + text).encode()))
    order = first.document
    assert (order.number, order.partner, order.date) == ("7", "ACME", date(2026, 3, 2))
    assert order.totals.amount == Decimal("20.5")
    assert [(line.quantity, line.price, dict(line.products)) for line in order.lines] == [
        (2, Decimal("9.50"), {"VN": "H-1"}),
        (1, None, {}),
    ]
    assert (second.document.number, second.document.date, second.position) == ("8", None, ("2",))


def test_lines_of_several_record_types_become_a_document() -> None:
    body = b"HA1   20260302\nLH-1   12\nLH-2    3\nS00002050\nHA2\nT\n"
    first, second = built(fixed_width.PLUGINS[0], LINES).read(BytesBody(body))
    assert (first.document.number, first.document.date) == ("A1", date(2026, 3, 2))
    assert first.document.totals.amount == Decimal("20.50")
    assert [(line.quantity, dict(line.products)) for line in first.document.lines] == [
        (12, {"VN": "H-1"}),
        (3, {"VN": "H-2"}),
    ]
    assert (second.document.number, second.document.lines) == ("A2", ())


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (";ACME;;;1;;;", "row 3: the key 'number' is missing"),
        ("8;ACME;;;x;;;", "row 3, column Qty: found 'x', expected an integer"),
        ("8;ACME;;", "row 3 has 4 values, expected 8"),
    ],
)
def test_a_row_that_makes_no_document_says_its_number(row: str, wrong: str) -> None:
    found = read(f"7;ACME;;;1;;;\n{row}\n")
    assert wrong in found[-1][1]


def test_a_column_that_the_file_does_not_have_is_said() -> None:
    options = ROWS.replace("products.VN: Item", "products.VN: Article")
    assert read("7;ACME;;;1;;;\n", options) == [
        ("1", "! row 1: there is no column 'Article'; found " + HEAD.strip().replace(";", ", "))
    ]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("number: Order,", "nomber: Order,", "order@1 has no field 'nomber'"),
        ("totals.amount", "totals.amonut", "order@1 has no field 'totals.amonut'"),
        ("number: Order,", "charges: Order,", "order@1 has no field 'charges'"),
        ("number: Order,", "number: Order, document: Kind,", "order@1 has no field 'document'"),
        ("number: Order,", "number: Order, references: Kind,", "order@1 has no field 'references'"),
        ("lines: {", "linez: {", "order@1 has no list 'linez'"),
        ("quantity: Qty", "quantitee: Qty", "the items of 'lines' have no field 'quantitee'"),
        ("{quantity: Qty, price: Price, products.VN: Item}", "{}", "to: lines is empty"),
        (TO, "to: {}", "say by which template"),
        (TO, f"map: o.json.j2, {TO}", "say by which template"),
        ("group: [Order]", "columns: [Order, Customer]", "is not among `columns`"),
    ],
)
def test_options_that_cannot_be(old: str, new: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        built(csv.PLUGINS[0], ROWS.replace(old, new))


def test_a_value_that_no_record_has_is_found() -> None:
    with pytest.raises(ValueError, match="to: 'itom' is not among the values of `records`"):
        built(fixed_width.PLUGINS[0], LINES.replace("VN: item", "VN: itom"))


def test_a_large_body_is_read_in_flat_memory() -> None:
    body = Repeated(HEAD.encode(), b"1;;;;1;1;a;\n2;;;;1;1;b;\n", 5_000)
    tracemalloc.start()
    try:
        count = sum(1 for one in built(csv.PLUGINS[0], ROWS).read(body) if one.document is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 8_000_000
