"""What the journal keeps of facts gives them back, so that matching them again decides the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.configuration.site import Site
from hub.core.routing.condition import Condition
from hub.core.routing.facts import BUILT_IN, FactPath, FactSet
from hub.core.routing.recorded_facts import LEFT_OUT, record_facts, recorded_facts
from hub.core.routing.route import Route, Send, when
from hub.core.routing.route_table import RouteTable
from hub.core.typed_json import dumped, loaded, plain_values, values_again
from hub.documents import Order, from_json

ROOT = Path(__file__).parents[3]

money = st.decimals(-(10**12), 10**12, places=2) | st.decimals(allow_nan=False, allow_infinity=False)
dates = st.dates(date(1900, 1, 1))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=20),
    "number": money,
    "integer": st.integers(-(10**12), 10**12),
    "boolean": st.booleans(),
    "date": dates,
}
BOUNDS: dict[str, st.SearchStrategy[str]] = {
    "text": st.sampled_from(["== 'a'", "!= ''"]),
    "number": st.decimals(-(10**9), 10**9, places=2).map(lambda bound: f">= {bound:f}"),
    "integer": st.integers(-(10**9), 10**9).map(lambda bound: f"< {bound}"),
    "boolean": st.just("== true"),
    "date": dates.map(lambda day: f">= '{day}'"),
}


@st.composite
def declared(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """Facts of a site: their types, their values (None: absent), and a guard on each."""
    kinds = draw(st.dictionaries(st.sampled_from(["f1", "f2", "f3", "f4", "f5"]), st.sampled_from(sorted(VALUES))))
    values = {name: draw(st.none() | VALUES[kind]) for name, kind in kinds.items()}
    return kinds, values, {name: f"has({name}) && {name} {draw(BOUNDS[kind])}" for name, kind in kinds.items()}


def through_the_journal(facts: dict[str, Any]) -> dict[str, Any]:
    return recorded_facts(orjson.loads(orjson.dumps(record_facts(facts))))


def with_types(facts: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    """Decimals by their digits: 1.50 is not 1.5 in a name or a template."""
    return {name: (type(value), str(value) if isinstance(value, Decimal) else value) for name, value in facts.items()}


@given(declared(), st.none() | money.filter(lambda price: abs(price) < 10**9), st.booleans())
def test_facts_come_back_with_their_types_and_are_matched_as_before(
    site: tuple[dict[str, str], dict[str, Any], dict[str, str]], price: Decimal | None, test: bool
) -> None:
    kinds, values, guards = site
    paths = [FactPath(name, kind, {}, arrival=name) for name, kind in kinds.items()]  # type: ignore[arg-type]
    came = {name: str(value) for name, value in values.items() if value is not None}
    facts_of = FactSet(paths)
    line = {"number": "1", "quantity": "2", "unit": "EA", "price": price}
    order = Order.model_validate({"number": "104582", "partner": "ACME", "lines": [line]})
    facts = facts_of.of(order, {**came, "test": test, "set": "850" if test else None}, "shop")
    again = through_the_journal(facts)
    assert with_types(again) == with_types(facts)
    sends = [Send(name, only_if=Condition(guard, facts_of.facts)) for name, guard in guards.items()]
    big = Send("approvals", only_if=Condition("total >= 10000", facts_of.facts))
    table = RouteTable([Route(f"r{n}", (one,), when(test=[True, False])) for n, one in enumerate([*sends, big])])
    assert decided(table, again) == decided(table, facts)


def decided(table: RouteTable, facts: dict[str, Any]) -> list[tuple[str, tuple[str, ...], str]]:
    return [(match.route.id, match.destinations, str(match.error or "")) for match in table.match(facts)]


def test_facts_without_a_value_are_left_out_only_where_every_record_says_so() -> None:
    facts = FactSet([FactPath("region", "text", {}, arrival="region")]).of(Order(number="1"), {}, "shop")
    record = record_facts(facts)
    assert record["region"] is None
    assert not set(LEFT_OUT) & set(record)
    assert set(LEFT_OUT) == {name for name, fact in BUILT_IN.items() if fact.optional}
    assert through_the_journal(facts) == facts


@pytest.fixture(scope="module")
def sample() -> Site:
    checked = SiteFolder(ROOT).check(discover(), {"ERP_URL": "http://127.0.0.1:8026", "ERP_TOKEN": "x"})
    assert checked.site is not None
    return checked.site


@pytest.mark.parametrize("price", ["9999.99", "10000.00", "10000.000001", "0.10"])
def test_the_guards_of_the_sample_site_decide_as_before(sample: Site, price: str) -> None:
    line = {"number": "1", "quantity": "1", "unit": "EA", "price": price}
    order = Order.model_validate({"number": "104582", "partner": "ACME", "lines": [line]})
    for source in sample.sources:
        facts = sample.facts.of(order, {"partner": "ACME"}, source)
        assert decided(sample.table, through_the_journal(facts)) == decided(sample.table, facts)
    facts = sample.facts.of(order, {"partner": "ACME"}, "acme-inbox")
    wanted = "approvals" if Decimal(price) >= 10000 else "erp"
    assert decided(sample.table, through_the_journal(facts)) == [("acme-orders", (wanted,), "")]


def test_every_fixture_of_the_sample_site_has_facts_that_come_back(sample: Site) -> None:
    bodies = [path.read_bytes() for path in sorted((ROOT / "routes/fixtures").glob("*.json"))]
    for document in (from_json(body) for body in bodies if b'"document"' in body[:200]):
        facts = sample.facts.of(document, {}, "shop")
        assert with_types(through_the_journal(facts)) == with_types(facts)


LEAVES = (
    st.none() | st.booleans() | st.text(st.characters()) | st.integers() | st.decimals(allow_nan=False) | st.dates()
)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.binary(max_size=9)
NESTED = st.recursive(
    LEAVES | MOMENTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(st.dictionaries(st.text(st.characters()), NESTED, max_size=4))
def test_headers_come_back_as_they_were(headers: dict[str, Any]) -> None:
    assert values_again(loaded(dumped(plain_values(headers)))) == headers


@pytest.mark.parametrize("value", [["number", "x"], ["date", 1], ["time"], {}, ["list", 3], ["map", []], ["no", ""]])
def test_what_no_value_is_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is no value"):
        values_again({"fact": value})


def test_a_moment_is_no_date() -> None:
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert values_again(plain_values({"a": moment, "b": moment.date()})) == {"a": moment, "b": moment.date()}
