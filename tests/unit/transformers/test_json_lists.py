"""Foreign JSON, lists and lines: through a template, one document each, in flat memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.core.errors import ConfigError
from hub.core.message import Header
from hub.core.ports import BytesBody
from tests.unit.transformers.reading import Pieces, Repeated, built, said
from transformers import json, ndjson

SHOP = """{"number": {{ body.id | tojson }}, "currency": "USD",
 "lines": [{% for item in body.items_ %}{"quantity": {{ item.qty | tojson }}, "unit": "{{ item.uom | table('uom') }}",
 "price": {{ item.price | tojson }} }{{ "," if not loop.last }}{% endfor %}]}"""
UOM = "shop,edi,about\neach,EA,one\ncase,CA,a case\n"
FILES = {"routes/templates/shop.json.j2": SHOP, "config/tables/uom.csv": UOM}
ORDER = b'{"id": "W-1", "items_": [{"qty": 2, "uom": "each", "price": 9.10}]}'


def test_foreign_json_becomes_canonical_through_a_template() -> None:
    reader = built(json.PLUGIN, "{document: order@1, map: shop.json.j2}", FILES)
    (reading,) = reader.read(BytesBody(ORDER))
    assert (reading.position, reading.document.number) == ((), "W-1")
    assert (reading.document.lines[0].price, reading.document.lines[0].unit) == (Decimal("9.10"), "EA")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b'{"items_": []}', "shop.json.j2: line 1: 'dict' has no attribute 'id'"),
        (ORDER.replace(b"each", b"pallet"), "the table uom has no 'pallet'"),
        (ORDER.replace(b"2,", b'"two",'), "what shop.json.j2 makes of it: found 'two', expected"),
        (ORDER.replace(b'"W-1"', b'"W-1", "id": "W-2"'), "the key 'id' stands twice"),
        (ORDER[:-1], "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 100_000, "a number of 100000 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: bytes, wrong: str) -> None:
    reader = built(json.PLUGIN, "{document: order@1, map: shop.json.j2}", FILES)
    (reading,) = reader.read(BytesBody(body))
    assert wrong in str(reading.error)


def test_a_schema_is_looked_at_before_the_template() -> None:
    schema = {"routes/schemas/shop.schema.json": '{"required": ["id"], "properties": {"id": {"pattern": "^W-"}}}'}
    reader = built(json.PLUGIN, "{document: order@1, map: shop.json.j2, schema: shop.schema.json}", FILES | schema)
    assert said(list(reader.read(BytesBody(ORDER)))) == [("", "W-1")]
    (bad,) = reader.read(BytesBody(ORDER.replace(b"W-1", b"X-1")))
    assert str(bad.error) == "$.id: 'X-1' does not match '^W-' (as shop.schema.json wants it)"


def test_the_template_sees_what_the_body_was_called() -> None:
    files = {"routes/templates/n.json.j2": '{"number": "{{ name }}-{{ body.id }}"}'}
    reader = built(json.PLUGIN, "{document: order@1, map: n.json.j2}", files)
    assert said(list(reader.read(BytesBody(ORDER), {Header.NAME: "east.json"}))) == [("", "east.json-W-1")]


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_a_list_gives_one_document_each_and_a_bad_one_spoils_no_other(piece: int) -> None:
    reader = built(json.PLUGIN, "{document: order@1, each: /data/orders}")
    body = (
        rb'{"orders": [1], "data": {"x": "]}\"[", "orders": [{"number": "a,]"}, {"number": 7}, {"nmbr"}, {"number":'
        rb' "d"}]}}'
    )
    found = said(list(reader.read(Pieces(body, piece))))
    assert [position for position, _ in found] == ["1", "2", "3", "4"]
    assert (found[0][1], found[3][1]) == ("a,]", "d")
    assert "$.number" in found[1][1]
    assert "not JSON" in found[2][1]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b'{"order": []}', "there is no list at /orders"),
        (b'{"orders": {}}', "there is no list at /orders"),
        (b'{"orders": [{"number": "1"}', "the JSON breaks off"),
        (b'{"orders": [{"number": "1', "the JSON breaks off"),
        (b'{"orders": [{"number": "1"}, ]} ]', "found ] where nothing"),
        (b"[" * 1000, "nested too deeply"),
        (b"", "there is no list"),
    ],
)
def test_a_list_that_is_none_is_refused(body: bytes, wrong: str) -> None:
    reader = built(json.PLUGIN, "{document: order@1, each: /orders}")
    assert wrong in said(list(reader.read(BytesBody(body))))[-1][1]


def test_a_body_that_is_the_list() -> None:
    reader = built(json.PLUGIN, "{document: order@1, each: /}")
    assert said(list(reader.read(BytesBody(b'[{"number": "1"}, {"number": "2"}]')))) == [("1", "1"), ("2", "2")]
    assert said(list(reader.read(BytesBody(b"[ ]")))) == []


def test_each_line_is_a_document() -> None:
    reader = built(ndjson.PLUGIN, "{document: order@1, map: shop.json.j2}", FILES)
    found = said(list(reader.read(Pieces(ORDER + b"\r\n\n{bad\n" + ORDER))))
    assert [position for position, _ in found] == ["1", "2", "3"]
    assert "line 3: not JSON" in found[1][1]
    assert found[2][1] == "W-1"


@pytest.mark.parametrize(
    ("options", "files", "wrong"),
    [
        ("{document: order@1, map: gone.json.j2}", {}, "gone.json.j2 can't be read"),
        ("{document: order@1, map: shop.json.j2}", {"routes/templates/shop.json.j2": SHOP}, "config/tables/uom.csv"),
        ("{document: order@1, map: t.json.j2}", {"routes/templates/t.json.j2": "{{ 1 | table(body) }}"}, "written out"),
        ("{document: order@1, map: t.json.j2}", {"routes/templates/t.json.j2": "{% if %}"}, "line 1"),
        ("{document: order@1, schema: gone.json}", {}, "there is no file routes/schemas/gone.json"),
    ],
)
def test_what_the_site_lacks_is_refused_when_it_opens(options: str, files: Mapping[str, str], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        built(json.PLUGIN, options, files)


def test_a_template_that_makes_no_json_by_its_name_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"should end in \.json\.j2"):
        built(json.PLUGIN, "{document: order@1, map: shop.xml.j2}")


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_large_body_is_read_in_flat_memory(kind: str) -> None:
    part = b'{"number": "1", "currency": "USD"}'
    if kind == "json":
        body, reader = (
            Repeated(b"[", part + b",", 400_000, part + b"]"),
            built(json.PLUGIN, "{document: order@1, each: /}"),
        )
    else:
        body, reader = Repeated(b"", part + b"\n", 400_000, part), built(ndjson.PLUGIN, "{document: order@1}")
    tracemalloc.start()
    try:
        count = sum(1 for _, one in zip(range(20_000), reader.read(body), strict=False) if one.document is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 8_000_000


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text('{}[]",:\\ab1 \n', max_size=60).map(str.encode)), st.integers(1, 40))
def test_any_bytes_give_readings_and_nothing_else(data: bytes, piece: int) -> None:
    for reader in (
        built(json.PLUGIN, "{document: order@1, map: shop.json.j2}", FILES),
        built(json.PLUGIN, "{document: order@1, each: /orders}"),
        built(json.PLUGIN, "{document: order@1, each: /}"),
        built(ndjson.PLUGIN, "{document: order@1, map: shop.json.j2}", FILES),
    ):
        found = list(reader.read(Pieces(data, piece)))
        assert all((one.document is None) != (one.error is None) for one in found)
