"""Facts: what is promoted from a document and its envelope."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.core.errors import ConfigError
from hub.core.routing.facts import BUILT_IN, FactPath, FactSet, plain
from hub.documents import Order, from_json

STATE = FactPath("ship_to_state", "text", {"order": ("ship_to", "address", "state")}, default="")
DEPARTMENT = FactPath("department", "text", {"order": ("department",)})
COUNT = FactPath("counted", "number", {"order": ("totals", "lines"), "invoice": ("totals", "lines")})


def order(**fields: object) -> Order:
    return Order.model_validate({"number": "104582", **fields})


def test_every_built_in_fact_has_a_place_in_every_document() -> None:
    facts = FactSet().of(order(), {}, "shop")
    assert set(facts) == set(BUILT_IN)
    assert (facts["document"], facts["document_version"], facts["source"], facts["test"]) == ("order", 1, "shop", False)


def test_the_envelope_wins_over_the_document() -> None:
    envelope = {"partner": "ACME", "set": "850", "control_number": "000000049", "test": True}
    facts = FactSet().of(order(partner="SHOP"), envelope, "inbox")
    assert (facts["partner"], facts["set"], facts["control_number"], facts["test"]) == (
        "ACME",
        "850",
        "000000049",
        True,
    )
    assert FactSet().of(order(partner="SHOP"), {}, "shop")["partner"] == "SHOP"


def test_a_total_is_carried_or_computed_and_marked_so() -> None:
    carried = FactSet().of(order(totals={"amount": Decimal("10.50")}), {}, "shop")
    assert (carried["total"], carried["total_computed"]) == (Decimal("10.50"), False)
    line = '{"document":"order@1","number":"1","lines":[{"quantity":"3","unit":"EA","price":"9.25"}]}'
    computed = FactSet().of(from_json(line.encode()), {}, "shop")
    assert (computed["total"], computed["total_computed"]) == (Decimal("27.75"), True)


def test_a_path_leads_to_the_value() -> None:
    party = {"role": "ship_to", "address": {"state": "VT"}}
    facts = FactSet([STATE, DEPARTMENT]).of(order(parties=[party]), {}, "shop")
    assert (facts["ship_to_state"], facts["department"]) == ("VT", None)


@pytest.mark.parametrize("parties", [[], [{"role": "ship_to"}], [{"role": "ship_to", "address": {}}]])
def test_where_the_way_breaks_off_stands_the_default(parties: list[object]) -> None:
    assert FactSet([STATE]).of(order(parties=parties), {}, "shop")["ship_to_state"] == ""


def test_documents_of_other_kinds_have_the_default() -> None:
    notice = from_json(b'{"document":"ship_notice@1","number":"ASN1"}')
    assert FactSet([STATE, DEPARTMENT]).of(notice, {}, "x")["ship_to_state"] == ""


def test_a_whole_number_becomes_a_number() -> None:
    found = FactSet([COUNT]).of(order(totals={"lines": 3}), {}, "x")["counted"]
    assert found == 3
    assert isinstance(found, Decimal)


def test_a_path_cannot_replace_a_built_in_fact() -> None:
    with pytest.raises(ConfigError, match="built-in"):
        FactSet([FactPath("total", "number", {"order": ("number",)})])


def test_a_fact_without_a_default_is_optional() -> None:
    facts = FactSet([STATE, DEPARTMENT]).facts
    assert not facts["ship_to_state"].optional
    assert facts["department"].optional
    assert facts["department"].documents == {"order"}


def test_values_are_shown_as_a_site_writes_them() -> None:
    assert [plain(value) for value in (None, True, Decimal("1.50"), "a\ud800")] == [
        "(none)",
        "true",
        "1.50",
        "a\\ud800",
    ]
    assert len(plain("x" * 10_000)) < 300
