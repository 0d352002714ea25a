"""JSON as it must be, and numbers within bounds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.core.errors import DecodeError, MappingError
from hub.core.ports import BytesBody
from hub.mapping.column import converter
from hub.mapping.filters import decimal, number, tojson
from hub.mapping.json_text import parse_json
from tests.support.growth import growth
from tests.unit.transformers.reading import built
from transformers import json

BOMBS = ("1e300000000", "0e-300000000", "1E-61", "-1e61", "1e99999999999999999999")


@pytest.mark.parametrize("text", ["1.50", "-0.001", "1e60", "1E-60", "0.0", "12345678901234567.89"])
def test_a_number_is_exact(text: str) -> None:
    assert parse_json(text) == Decimal(text)
    assert tojson(parse_json(text)) == f'"{Decimal(text):f}"'
    assert decimal(text) == converter("decimal")(text) == Decimal(text)


@pytest.mark.parametrize("text", BOMBS)
def test_a_number_that_would_fill_the_memory_when_it_is_written_out_is_none(text: str) -> None:
    for read in (parse_json, decimal, converter("decimal"), converter("decimal comma")):
        with pytest.raises(ValueError, match="expected a number"):
            read(text)


def test_nor_is_one_written_out_that_a_template_made() -> None:
    assert tojson(Decimal("1e60") * Decimal("1e60")) == '"1' + "0" * 120 + '"'
    for made in (number, tojson):
        with pytest.raises(ValueError, match=r"found 1E\+300000, a number of more than 1000 digits"):
            made(Decimal("1e300000"))


def test_a_body_with_such_a_number_is_refused_by_the_reader_of_json() -> None:
    files = {"routes/templates/o.json.j2": '{"number": {{ body.q | tojson }}}'}
    (found,) = built(json.PLUGIN, "{document: order@1, map: o.json.j2}", files).read(BytesBody(b'{"q": 1e300000000}'))
    assert isinstance(found.error, DecodeError | MappingError)
    assert "expected a number of at most 60 digits" in str(found.error)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"a": 1, "b": 2, "c": 3, "b": 4, "a": 5}', "the key 'b' stands twice in an object"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' stands twice in an object"),
        ("NaN", "found NaN, which JSON doesn't have"),
        ("1" * 65, "a number of 65 characters, expected at most 64"),
        ("1." + "1" * 63, "a number of 65 characters, expected at most 64"),
    ],
)
def test_what_is_no_json(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_json(text)


def test_the_key_that_stands_twice_is_found_without_comparing_each_with_all_others() -> None:
    def work(keys: int) -> None:
        with pytest.raises(ValueError, match="the key 'z' stands twice"):
            parse_json("{" + ",".join(f'"{n:x}":0' for n in range(keys)) + ',"z":1,"z":2}')

    assert growth(work, 1000, 16_000) < 64  # 16 times as many keys: each with all others were 256 times as much
