"""CSV in and out: rows to documents, errors with row, column and value; documents to rows."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import MappingError
from hub.core.ports import BytesBody, WriteContext
from hub.documents import Order
from hub.documents.parts.line import Line
from tests.support.growth import growth
from tests.unit.transformers.reading import Pieces, Repeated, built, said
from transformers.csv import PLUGINS

READER, WRITER = PLUGINS
MAP = """{"number": "{{ body.order }}", "date": {{ body.wanted | tojson }}, "lines": [{% for row in rows %}
{"quantity": {{ row.qty | tojson }}, "price": {{ row.price | tojson }}, "descriptions": [{"text": "{{ row.text }}"}] }{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
FILES = {
    "routes/templates/o.json.j2": MAP,
    "routes/templates/rows.json.j2": (
        """[{% for line in document.lines %}{"order": "{{ document.number }}", "qty": {{ line.quantity | tojson }},
      "price": {{ (line.price | fixed(2) if line.price else none) | tojson }} }{{ "," if not loop.last }}{% endfor %}]"""  # noqa: E501
    ),
}
TYPES = "types: {qty: integer, price: decimal comma, wanted: 'date %d.%m.%Y'}"
GROUPED = "{document: order@1, map: o.json.j2, delimiter: ';', encoding: windows-1252, group: [order], " + TYPES + "}"
HEAD = "order;wanted;qty;price;text\r\n"
CONTEXT = WriteContext("d1", "erp", "k1", datetime(2026, 3, 2, tzinfo=UTC))


def read(text: str, options: str = GROUPED) -> list[tuple[str, str]]:
    return said(list(built(READER, options, FILES).read(Pieces(text.encode("windows-1252")))))


def test_rows_with_the_same_key_are_one_document() -> None:
    text = HEAD + '1;02.03.2026;2;1.234,50;"Nägel; ""gross""\r\nund klein"\r\n1;;1;9;x\r\n\r\n2;;5;0,1;y'
    first, second = built(READER, GROUPED, FILES).read(Pieces(text.encode("windows-1252")))
    assert (first.position, second.position) == (("1",), ("2",))
    assert (first.document.number, first.document.date) == ("1", date(2026, 3, 2))
    assert [line.price for line in first.document.lines] == [Decimal("1234.50"), Decimal("9")]
    assert first.document.lines[0].descriptions[0].text == 'Nägel; "gross"\r\nund klein'
    assert second.document.lines[0].quantity == 5


def test_a_document_with_a_bad_row_is_refused_whole_and_spoils_no_other() -> None:
    found = read(HEAD + "1;;1;1;a\n2;;1;1;a\n2;;one;1;b\n3;;1;1;a\n")
    assert found == [("1", "1"), ("2", "! row 4, column qty: found 'one', expected an integer"), ("3", "3")]


def test_a_row_that_belongs_nowhere_spoils_what_it_may_belong_to() -> None:
    found = read(HEAD + "1;;1;1;a\n2;;1;1;a\n2;;1\n3;;1;1;a\n4;;1;1;a\n")
    wrong = "! row 4 has 3 values, expected 5: ['2', '', '1']"
    assert found == [("1", "1"), ("2", wrong), ("3", wrong), ("4", "4")]


def test_columns_are_told_apart_without_comparing_each_with_all_others() -> None:
    def work(columns: int) -> None:
        ((_, wrong),) = read(";".join(f"{n:x}" for n in range(columns)) + ";zz;zz\n")
        assert wrong == "! row 1: the column 'zz' stands twice, or there are too many"

    assert growth(work, 600, 9600) < 40  # 16 times as many columns: each with all others were 256 times as much


def test_without_keys_each_row_is_a_document() -> None:
    options = (
        "{document: order@1, map: o.json.j2, columns: [order, wanted, qty, price, text], skip: 1, escape: '\\',"
        " delimiter: '|'}"
    )
    found = read('nothing of ours\n1||1|1|"a \\" b"\n2\n3||1|1|c\n', options)
    assert [position for position, _ in found] == ["1", "2", "3"]
    assert found[1][1].startswith("! row 3 has 1 values, expected 5")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (HEAD + "1;32.01.2026;1;1;a", "row 2, column wanted: found '32.01.2026', expected a date as %d.%m.%Y"),
        (HEAD + "1;;1;1.5e3,0;a", "row 2, column price: found '1.5e3,0', expected a number"),
        (HEAD + '1;;1;1;"a', "row 2: unexpected end of data"),
        (HEAD + '1;;1;1;"a"b', "row 2: ';' expected after '\"'"),
        (HEAD + "1;;1;1;" + "a" * 200_000, "row 2: field larger than field limit"),
        (HEAD + "1;;1;1;" + "a" * 2_000_000, "row 2 has more than 1048576 bytes"),
        (HEAD.replace("qty", "quantity") + "1;;1;1;a", "row 1: there is no column 'qty'"),
        (HEAD.replace("qty", "text"), "the column 'text' stands twice"),
    ],
)
def test_what_is_wrong_is_said_with_row_column_and_value(text: str, wrong: str) -> None:
    assert wrong in read(text)[-1][1]


def test_bytes_that_are_not_of_the_encoding() -> None:
    options = "{document: order@1, map: o.json.j2, group: [order], delimiter: ';', " + TYPES + "}"
    reader = built(READER, options, FILES)
    found = said(list(reader.read(BytesBody(HEAD.encode() + b"1;;1;1;\xe4\n2;;1;1;\xc3\xa4\n3;;1;1;a\n"))))
    assert found[0][1] == "! row 2: the byte e4 at 7 is not utf-8"
    assert found[-1] == ("2", "3")


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{document: order@1}", "say by which template"),
        ("{document: order@1, map: o.json.j2, columns: [a], group: [b]}", "'b' is not among `columns`"),
        ("{document: order@1, map: o.json.j2, types: {a: money}}", "'money' is no type of a column"),
        ("{document: order@1, map: o.json.j2, encoding: utf-16}", "no encoding 'utf-16' of lines"),
        ("{document: order@1, map: o.json.j2, encoding: base64}", "no encoding"),
        ("{document: order@1, map: o.json.j2, delimiter: ab}", "one character"),
    ],
)
def test_options_that_cannot_be(options: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        built(READER, options, FILES)


def test_a_document_becomes_rows() -> None:
    writer = built(WRITER, "{rows: rows.json.j2, columns: [order, qty, price], delimiter: ';'}", FILES)
    order = Order(
        number='7;"a"', lines=(Line(quantity=Decimal("1.50"), price=Decimal("2.005")), Line(quantity=Decimal(2)))
    )
    written = writer.write(order, CONTEXT)
    assert written.body == b'order;qty;price\r\n"7;""a""";1.50;2.01\r\n"7;""a""";2;\r\n'
    assert written.content_type == "text/csv; charset=utf-8"
    assert writer.write(order, CONTEXT) == written


@pytest.mark.parametrize(
    ("rows", "encoding", "wrong"),
    [
        ('[{"order": 1, "qty": 1}]', "utf-8", "row 1: 'price' is missing"),
        ('[{"order": 1, "qty": 1, "price": 1, "x": 1}]', "utf-8", "row 1: 'x' is not among the columns"),
        ('[{"order": [], "qty": 1, "price": 1}]', "utf-8", "row 1, column order: found a list"),
        ('{"order": 1}', "utf-8", "should be a list of rows"),
        ("[1,", "utf-8", "isn't JSON"),
        ('[{"order": "\u20ac", "qty": 1, "price": 1}]', "iso-8859-1", "can't be written in iso-8859-1"),
    ],
)
def test_rows_that_are_none(rows: str, encoding: str, wrong: str) -> None:
    files = {"routes/templates/rows.json.j2": rows}
    writer = built(WRITER, f"{{rows: rows.json.j2, columns: [order, qty, price], encoding: {encoding}}}", files)
    with pytest.raises(MappingError) as caught:
        writer.write(Order(number="1"), CONTEXT)
    assert wrong in str(caught.value)


def test_a_large_body_is_read_in_flat_memory() -> None:
    body = Repeated(HEAD.encode(), b"1;;1;1;a\n2;;1;1;b\n", 1_500)
    tracemalloc.start()
    try:
        count = sum(1 for one in built(READER, GROUPED, FILES).read(body) if one.document is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 3_000
    assert peak < 4_000_000


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text('1;",\n\r\0\\a', max_size=80).map(str.encode)))
def test_any_bytes_give_readings_and_nothing_else(data: bytes) -> None:
    for body in (data, HEAD.encode() + data):
        found = list(built(READER, GROUPED, FILES).read(Pieces(body)))
        assert all((one.document is None) != (one.error is None) for one in found)
