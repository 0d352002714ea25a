"""The route table: every route that applies, in order; and why the others didn't."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.core.routing.condition import Condition
from hub.core.routing.facts import BUILT_IN
from hub.core.routing.route import Route, Send, when
from hub.core.routing.route_table import RouteTable

ORDER: dict[str, Any] = {
    **dict.fromkeys(BUILT_IN),
    "document": "order",
    "test": False,
    "source": "shop",
    "partner": "ACME",
    "number": "104582",
    "total": Decimal("500.00"),
}


def cel(expression: str) -> Condition:
    return Condition(expression, BUILT_IN)


def route(id: str, *to: Send | str, drop: bool = False, **wants: Any) -> Route:
    sends = tuple(Send(one) if isinstance(one, str) else one for one in to or ("erp",))
    return Route(id, sends, when(**wants), drop=drop)


def matched(table: RouteTable, **facts: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(match.route.id, match.destinations) for match in table.match({**ORDER, **facts})]


def test_every_route_that_applies_gets_its_copy_in_the_order_of_the_table() -> None:
    table = RouteTable(
        [
            route("by-source", "audit", source="shop"),
            route("invoices", document="invoice"),
            route("orders", document="order", partner=["ACME", "BOLT"]),
            route("everything", "archive"),
        ]
    )
    assert matched(table) == [("by-source", ("audit",)), ("orders", ("erp",)), ("everything", ("archive",))]
    assert matched(table, document="invoice", partner="X", source="x") == [
        ("invoices", ("erp",)),
        ("everything", ("archive",)),
    ]


def test_guards_choose_among_the_destinations() -> None:
    big = Send("approvals", only_if=cel("total >= 10000"))
    small = Send("erp", unless=cel("total >= 10000"))
    table = RouteTable([route("orders", big, small, document="order")])
    assert matched(table) == [("orders", ("erp",))]
    assert matched(table, total=Decimal("10000.00")) == [("orders", ("approvals",))]


def test_test_traffic_takes_only_routes_that_ask_for_it() -> None:
    table = RouteTable([route("real", document="order"), route("trial", document="order", test=True)])
    assert matched(table) == [("real", ("erp",))]
    assert matched(table, test=True) == [("trial", ("erp",))]


def test_a_failing_guard_kills_its_own_route_only() -> None:
    table = RouteTable([route("a", Send("erp", cel("total > 5"))), route("b", "archive")])
    first, second = table.match({**ORDER, "total": None})
    assert "total has no value" in str(first.error)
    assert first.destinations == ()
    assert not first.unmatched
    assert (second.error, second.destinations) == (None, ("archive",))


def test_a_route_whose_guards_are_all_false_is_unmatched_unless_it_drops() -> None:
    guard = Send("erp", cel("total > 1000"))
    (kept,) = RouteTable([route("a", guard)]).match(ORDER)
    (dropped,) = RouteTable([route("a", guard, drop=True)]).match(ORDER)
    assert kept.unmatched
    assert not dropped.unmatched


def test_a_fact_without_a_value_matches_nothing_and_fails_nothing() -> None:
    table = RouteTable([route("a", currency="USD"), route("b", set="850")])
    assert matched(table) == []


def test_number_and_date_facts_match_by_value() -> None:
    table = RouteTable([route("a", total=Decimal("500")), route("b", due=date(2026, 1, 31))])
    assert matched(table, due=date(2026, 1, 31)) == [("a", ("erp",)), ("b", ("erp",))]


def test_long_lists_do_not_blow_up_the_index() -> None:
    many = [f"P{n}" for n in range(500)]
    wide = route("wide", document=["order", "invoice"], partner=many, source=many, number=many)
    table = RouteTable([wide])
    assert sum(len(shape.entries) for shape in table._shapes) <= 256
    assert matched(table, partner="P7", source="P499", number="P0") == [("wide", ("erp",))]
    assert matched(table, partner="P7", source="P500", number="P0") == []


names = st.sampled_from(["document", "partner", "source", "currency"])
words = st.sampled_from(["a", "b", "c"])
wants = st.dictionaries(names, words | st.lists(words, min_size=1, max_size=3, unique=True), max_size=4)
facts = st.fixed_dictionaries(dict.fromkeys(("document", "partner", "source", "currency"), words))


@given(st.lists(wants, max_size=20), facts, st.booleans())
def test_the_index_finds_what_a_linear_scan_finds(routes: list[Any], facts: dict[str, Any], test: bool) -> None:
    table = RouteTable([route(f"r{n}", **one) for n, one in enumerate(routes)])
    found = {**facts, "test": test}
    scanned = [one.id for one in table.routes if all(found[name] in values for name, values in one.when.items())]
    assert [match.route.id for match in table.match(found)] == scanned
    assert [trace.route for trace in table.explain(found) if trace.applies] == scanned


def test_explain_says_what_differs_and_what_each_guard_said() -> None:
    table = RouteTable(
        [
            route("bolt", document="order", partner=["BOLT", "NUT"]),
            route("big", Send("erp", cel("total > 1000")), Send("crm"), Send("crm2", cel("currency == 'USD'"))),
        ]
    )
    bolt, big = table.explain(ORDER)
    assert [(miss.fact, miss.found, str(miss)) for miss in bolt.misses] == [("partner", "ACME", "partner in BOLT, NUT")]
    assert [(guard.destination, guard.guard, guard.passed) for guard in big.guards] == [
        ("erp", "if: total > 1000", False),
        ("crm", "", True),
        ("crm2", "if: currency == 'USD'", False),
    ]
    assert "currency has no value" in big.guards[2].error
    assert [trace.route for trace in table.explain(ORDER, ["big"])] == ["big"]


def test_nearest_names_the_route_that_misses_least() -> None:
    table = RouteTable(
        [
            route("acme-orders", document="order", partner="ACME"),
            route("bolt-invoices", document="invoice", partner="BOLT"),
        ]
    )
    assert table.nearest({**ORDER, "test": True}) == (
        "no route takes document=order partner=ACME test=true; nearest: acme-orders wants test=false"
    )
    assert table.nearest({**ORDER, "partner": None}) == (
        "no route takes document=order partner=(none); nearest: acme-orders wants partner=ACME"
    )


def test_nearest_says_when_the_guards_were_false() -> None:
    table = RouteTable([route("orders", Send("erp", cel("total > 1000")))])
    assert table.nearest(ORDER) == "route orders applies but no guard passes: erp if: total > 1000 (total=500.00)"


def test_nearest_without_routes() -> None:
    assert RouteTable().nearest(ORDER).endswith("there are no routes")
