"""What the name of a file says."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.options.name_pattern import LONGEST, NamePattern
from hub.core.options.naming import render


@pytest.mark.parametrize(
    ("pattern", "name", "facts"),
    [
        ("orders_{region}_{day}.csv", "orders_west_20260302.csv", {"region": "west", "day": "20260302"}),
        ("{partner}.edi", "ACME.edi", {"partner": "ACME"}),
        ("{partner}.edi", "A.edi.edi", {"partner": "A.edi"}),
        ("{a}_{b}.csv", "x_y_z.csv", {"a": "x", "b": "y_z"}),
        ("{a}_{b}.csv", "__y.csv", {"a": "_", "b": "y"}),
        ("*-{region}-*", "2026-west-7-8", {"region": "west"}),
        ("{region}", "Lübeck", {"region": "Lübeck"}),
        ("{region}.csv", "...csv", {"region": ".."}),
        ("orders_{region}.csv", "orders_.csv", {}),
        ("orders_{region}.csv", "order_west.csv", {}),
        ("orders_{region}.csv", "orders_west.CSV", {}),
        ("{a}_{b}", "a_", {}),
        ("{a}_{b}", "_b", {}),
        ("x{a}x", "xx", {}),
        ("x{a}x", "x", {}),
        ("{region}.csv", "a\nb.csv", {}),
        ("{region}.csv", "a\x00.csv", {}),
        ("{region}.csv", "\udcff.csv", {}),
        ("{region}.csv", "a" * LONGEST + ".csv", {}),
    ],
)
def test_places_become_facts_or_the_name_gives_none(pattern: str, name: str, facts: dict[str, str]) -> None:
    assert NamePattern(pattern).facts(name) == facts


def test_what_a_name_says_never_becomes_a_path() -> None:
    facts = NamePattern("{region}.csv").facts("...csv")
    folder, _, name = render("{region}/out.csv", facts).partition("/")
    assert (folder[:2], name) == ("_~", "out.csv")


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("orders.csv", "has no place that becomes a fact"),
        ("*.csv", "has no place that becomes a fact"),
        ("{a}{b}.csv", "two places without a text between them"),
        ("{a}*.csv", "two places without a text between them"),
        ("{a}_{a}.csv", "{a} stands twice"),
        ("{Region}.csv", "'Region' is no name that a source can give"),
        ("{number}.csv", "'number' is no name that a source can give"),
        ("{test}.csv", "'test' is no name that a source can give"),
        ("{region.csv", "should be a file's name"),
        ("in/{region}.csv", "should be a file's name"),
    ],
)
def test_patterns_that_cannot_be(pattern: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        NamePattern(pattern)


def test_a_hostile_name_costs_nothing() -> None:
    pattern = NamePattern("_".join(f"{{a{i}}}" for i in range(100)) + "!")
    began = time.perf_counter()
    for _ in range(1000):
        assert pattern.facts("_" * (LONGEST - 1) + "?") == {}
        pattern.facts("_" * (LONGEST - 1) + "!")
    assert time.perf_counter() - began < 5


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text("a_.{}*", max_size=20))
def test_any_name_is_taken_apart_so_that_it_can_be_put_together(name: str, pattern: str) -> None:
    try:
        made = NamePattern(pattern.replace("{", "{x", 1))
    except ValueError:
        return
    facts = made.facts(name)
    assert all(value and value in name for value in facts.values())
