"""JSON Schemas of a site on a stranger's JSON: in a time that grows with its length alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.core.errors import ConfigError
from hub.mapping.json_text import JsonCheck, parse_json
from tests.support.growth import growth

ITEM = {"type": "object", "properties": {"a": {"type": "string", "minLength": 2}}, "required": ["b", "c"]}
MODULUS = (1 << 61) - 1
"""Whole numbers that differ by it have the same hash."""

WORST: dict[str, tuple[Any, Any]] = {
    "unique objects": ({"uniqueItems": True}, lambda n: [{"a": i} for i in range(n)]),
    "unique lists": ({"uniqueItems": True}, lambda n: [[i, [i]] for i in range(n)]),
    "numbers with one hash": ({"uniqueItems": True}, lambda n: [i * MODULUS for i in range(n)]),
    "a pattern that backtracks": ({"pattern": "^(a+)+$"}, lambda n: "a" * n + "!"),
    "a pattern that begins again": ({"pattern": "\\s+$"}, lambda n: " " * n + "!"),
    "a pattern of names": ({"patternProperties": {"^(a+)+$": {}}}, lambda n: {"a" * n + "!": 1}),
    "names beside patterns": (
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        lambda n: {"a" * n + "!": 1},
    ),
    "errors of all items": ({"items": ITEM}, lambda n: [{"a": "x"}] * n),
    "errors in alternatives": ({"items": {"anyOf": [ITEM, {"type": "string"}]}}, lambda n: [{"a": "x"}] * n),
    "errors of alternatives": ({"anyOf": [{"items": ITEM}, {"type": "string"}]}, lambda n: [{"a": "x"}] * n),
    "unevaluated items": ({"prefixItems": [{}], "items": {}, "unevaluatedItems": False}, lambda n: [1] * n),
    "unknown keys": ({"additionalProperties": False}, lambda n: {f"k{i}": 1 for i in range(n)}),
}


@pytest.mark.parametrize("what", WORST)
def test_a_check_costs_no_more_than_the_text_is_long(what: str) -> None:
    schema, value = WORST[what]
    check = JsonCheck("s.json", json.dumps(schema))
    values = {n: parse_json(json.dumps(value(n))) for n in (500, 4000)}
    assert growth(lambda n: check.wrong(values[n]), 500, 4000) < 20


def test_a_schema_that_looks_at_each_level_twice_is_ended() -> None:
    node = {"allOf": [{"properties": {"c": {"$ref": "#/$defs/n"}}}], "unevaluatedProperties": False}
    check = JsonCheck("s.json", json.dumps({"$ref": "#/$defs/n", "$defs": {"n": node}}))
    value: Any = {}
    for _ in range(60):
        value = {"c": value}
    assert "can't be checked by s.json" in str(check.wrong(value))


@pytest.mark.parametrize(
    ("items", "equal"),
    [
        ([1, 1.0], True),
        ([1, True], False),
        ([0, False], False),
        ([0, -0.0], True),
        (["1", 1], False),
        ([None, "null"], False),
        ([{"a": 1, "b": [1.50]}, {"b": [1.5], "a": 1.0}], True),
        ([{"a": 1}, {"a": True}], False),
        ([[1, 2], [2, 1]], False),
        ([[], {}], False),
        ([10, 1e1], True),
        (["n1", 1], False),
        ([{"a": None}, {}], False),
    ],
)
def test_items_are_equal_as_json_schema_says(items: list[Any], equal: bool) -> None:
    wrong = JsonCheck("s.json", '{"uniqueItems": true}').wrong(parse_json(json.dumps(items)))
    assert (wrong is not None) is equal
    if equal:
        assert "items 0 and 1 are equal" in str(wrong)


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "(?=a)b"},
        {"properties": {"a": {"pattern": "(a)\\1"}}},
        {"patternProperties": {"(?!x)": {}}},
        {"pattern": "a{1000}{1000}"},
        {"patternProperties": {"a": {}}, "allOf": [{"unevaluatedProperties": False}]},
    ],
)
def test_a_schema_that_can_not_be_matched_in_linear_time_is_refused(schema: Any) -> None:
    with pytest.raises(ConfigError, match=r"routes/schemas/s\.json: .*(isn't taken|is not a 'regex')"):
        JsonCheck("s.json", json.dumps(schema))


def test_nobody_compiles_a_pattern_of_a_stranger() -> None:
    assert JsonCheck("s.json", '{"format": "regex"}').wrong("((((") is None
