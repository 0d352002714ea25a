"""Lines whose values stand at fixed places."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.transformers.reading import Pieces, built, said
from transformers.fixed_width.reader import READER

OPTIONS = """{document: order@1, map: o.json.j2, begins: H, ignore: [F, T], encoding: cp1252,
 records: {H: {number: [2, 6], wanted: [7, 14]}, L: {text: [2, 6], qty: [7, 9]}}, types: {qty: integer, wanted: date %Y%m%d}}"""  # noqa: E501
MAP = """{"number": "{{ body.number }}", "date": {{ body.wanted | tojson }}, "lines": [{% for row in rows if row.record == "L" %}
{"quantity": {{ row.qty | tojson }}, "descriptions": [{"text": "{{ row.text }}"}] }{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
FILES = {"routes/templates/o.json.j2": MAP}


def read(text: str, options: str = OPTIONS) -> list[tuple[str, str]]:
    return said(list(built(READER, options, FILES).read(Pieces(text.encode("cp1252")))))


def test_lines_between_two_heads_are_one_document() -> None:
    text = "FILE\r\nHA1   20260302\r\nLNägel 12\r\nLx      3\r\n\r\nHA2\r\nLy      4\r\nT2"
    first, second = built(READER, OPTIONS, FILES).read(Pieces(text.encode("cp1252")))
    assert (first.document.number, first.document.date, second.document.number) == ("A1", date(2026, 3, 2), "A2")
    assert [(line.descriptions[0].text, line.quantity) for line in first.document.lines] == [("Nägel", 12), ("x", 3)]
    assert (first.position, second.position) == (("1",), ("2",))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("HA1\nLx     1x\nHA2\nLx      1", "row 2, column qty: found '1x', expected an integer"),
        ("HA1\nXx\nHA2\nLx      1", "row 2: found the record type 'X', expected H, L, F, T"),
        ("Lx      1\nHA2\nLx      1", "row 1: found 'L' before the first 'H'"),
        ("HA1   20261302\nHA2\nLx      1", "row 1, column wanted: found"),
    ],
)
def test_a_bad_line_refuses_its_document_and_no_other(text: str, wrong: str) -> None:
    found = read(text)
    assert wrong in found[0][1]
    assert found[1:] == [("2", "A2")]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("begins: H", "begins: K", "'K' is not among"),
        ("[2, 6], w", "[6, 2], w", "from its first character to its last"),
        ("cp1252", "cp9", "no encoding 'cp9'"),
        ("map: o.json.j2, ", "", "say by which template"),
    ],
)
def test_options_that_cannot_be(old: str, new: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        built(READER, OPTIONS.replace(old, new), FILES)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text("HLFT19 \r\n", max_size=80).map(str.encode)))
def test_any_bytes_give_readings_and_nothing_else(data: bytes) -> None:
    found = list(built(READER, OPTIONS, FILES).read(Pieces(data)))
    assert all((one.document is None) != (one.error is None) for one in found)
