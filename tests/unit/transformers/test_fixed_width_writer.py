"""Lines that are written as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.core.errors import MappingError
from hub.core.ports import BytesBody, WriteContext
from hub.documents import Order
from tests.unit.transformers.reading import built
from transformers.fixed_width.reader import READER
from transformers.fixed_width.writer import WRITER

CONTEXT = WriteContext("doc", "legacy", "key", datetime(2026, 3, 2, tzinfo=UTC))
READS = """{document: order@1, map: order.json.j2, begins: H, encoding: windows-1252,
 records: {H: {number: [2, 9], wanted: [10, 17]}, L: {text: [2, 11], qty: [12, 17], price: [20, 28], amount: [29, 36]}},
 types: {qty: integer, wanted: date %Y%m%d, price: decimal comma, amount: implied 2}}"""
ORDER = """{"number": "{{ body.number }}", "date": {{ body.wanted | tojson }}, "lines": [{% for row in rows if row.record == "L" %}
{"quantity": {{ row.qty | tojson }}, "price": {{ row.price | tojson }}, "amounts": [{"qualifier": "1", "value": {{ row.amount | tojson }}}],
"descriptions": [{"text": "{{ row.text }}"}]}{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
WRITES = """
rows: lines.json.j2
encoding: windows-1252
records:
  H: [{name: record, width: 1}, {name: number, width: 8}, {name: wanted, width: 8, type: date %Y%m%d}]
  L:
    - {name: record, width: 1}
    - {name: text, width: 10}
    - {name: qty, width: 6, align: right, pad: "0", type: integer}
    - {width: 2, pad: "-"}
    - {name: price, width: 9, align: right, type: decimal comma}
    - {name: amount, width: 8, align: right, pad: "0", type: implied 2}
"""
LINES = """[{"record": "H", "number": "{{ document.number }}", "wanted": {{ document.date | tojson }}}{% for line in document.lines %},
{"record": "L", "text": "{{ line.descriptions[0].text }}", "qty": {{ line.quantity | tojson }},
 "price": {{ line.price | tojson }}, "amount": {{ line.amounts[0].value | tojson }}}{% endfor %}]"""  # noqa: E501
FILES = {"routes/templates/order.json.j2": ORDER, "routes/templates/lines.json.j2": LINES}
FILE = (
    "HA-1     20260302\r\n"
    "LNägel     000012--     9,5000000950\r\n"
    "LGutschrift-00001--     1,00-0000105\r\n"
    "Lx         000003--         00000000\r\n"
).encode("cp1252")


def written(rows: str, options: str = WRITES) -> bytes:
    return built(WRITER, options, {"routes/templates/lines.json.j2": rows}).write(Order(number="1"), CONTEXT).body  # type: ignore[no-any-return]


def test_what_is_read_is_written_byte_for_byte() -> None:
    (reading,) = built(READER, READS, FILES).read(BytesBody(FILE))
    assert reading.document.lines[0].amounts[0].value == Decimal("9.50")
    assert reading.document.lines[1].quantity == -1
    made = built(WRITER, WRITES, FILES).write(reading.document, CONTEXT)
    assert made.body == FILE
    assert made.content_type == "text/plain; charset=windows-1252"


def test_lines_may_follow_each_other_without_an_end() -> None:
    options = "{rows: lines.json.j2, records: {only: [{name: a, width: 2}]}, line_end: none}"
    assert (
        written('[{"a": 1}, {"a": null}, {"a": true, "record": "only"}]'.replace("true", '"x"'), options) == b"1   x "
    )


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ('{"record": "H", "number": "123456789", "wanted": null}', "row 1, field number: found '123456789' with 9"),
        ('{"record": "H", "number": "\u20ac\u0141", "wanted": null}', "row 1, field number: '\u0141' can't be written"),
        (
            '{"record": "H", "number": "a\\nL", "wanted": null}',
            r"row 1, field number: found 'a\nL', expected no line's",
        ),
        ('{"record": "H", "number": "1", "wanted": "soon"}', "row 1, field wanted: found 'soon', expected a date"),
        ('{"record": "H", "number": "1"}', "row 1: 'wanted' is missing"),
        ('{"record": "H", "number": "1", "wanted": null, "x": 1}', "row 1: 'x' is not among the columns"),
        ('{"record": "H", "number": [], "wanted": null}', "row 1, column number: found a list"),
        ('{"number": "1", "wanted": null}', "row 1: found the record type 'None', expected H, L"),
        ('{"record": "K"}', "row 1: found the record type 'K', expected H, L"),
        (
            '{"record": "L", "text": "", "qty": "1.5", "price": null, "amount": null}',
            "row 1, field qty: found '1.5', expected an integer",
        ),
        (
            '{"record": "L", "text": "", "qty": 1, "price": null, "amount": "1.005"}',
            "row 1, field amount: found 1.005, expected at most 2 decimals",
        ),
        ("1", "row 1 should be an object"),
    ],
)
def test_what_does_not_fit_is_said_with_row_field_and_value(row: str, wrong: str) -> None:
    with pytest.raises(MappingError) as caught:
        written(f"[{row}]")
    assert wrong in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("lines.json.j2", "lines.j2", "makes no JSON by its name"),
        ('pad: "0"', 'pad: "00"', "should be one character"),
        ("type: integer", "type: int", "no type of a column"),
        ("name: qty", "name: text", "'text' stands twice in the record 'L'"),
        ('pad: "-"', 'pad: "\u0141"', "can't be written in windows-1252"),
        ("width: 10", "width: 0", "greater than or equal to 1"),
        ("windows-1252", "utf-16", "no encoding 'utf-16' of lines"),
    ],
)
def test_options_that_cannot_be(old: str, new: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        built(WRITER, WRITES.replace(old, new), FILES)
