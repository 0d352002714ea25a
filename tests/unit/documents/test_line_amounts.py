"""What a line costs: by the basis of its price, its packaging, its allowances and charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.documents.parts.line import Line, sum_lines


def amount(**fields: Any) -> str | None:
    line = Line.model_validate({"quantity": "10", "price": "1.50", **fields})
    return None if line.amount is None else str(line.amount)


@pytest.mark.parametrize(
    ("basis", "unit", "packaging", "expected"),
    [
        (None, "CA", {"pack": 12}, "15"),
        ("CT", "CA", {"pack": 12}, "15"),  # contract: a kind of price, for one unit
        ("NC", "CA", {}, "0"),
        ("PE", "EA", {"pack": 12}, "15"),
        ("PE", "CA", {"pack": 12}, "180"),
        ("PE", "CA", {"pack": 12, "inner_pack": 6}, "1080"),
        ("PE", "CA", {}, "15"),
        ("WE", "CT", {"pack": 2}, "30"),
        ("PE", "DZ", {}, "180"),
        ("PE", "LB", {}, "15"),
        ("PD", "LB", {}, None),
        ("PD", "EA", {}, "1.25"),
        ("PD", "CA", {"pack": 24}, "30"),
        ("PD", "CA", {}, None),
        ("HP", "EA", {}, "0.15"),
        ("TP", "EA", {}, "0.015"),
        ("HP", "HU", {}, "15"),
        ("PP", "LB", {}, "15"),
        ("PP", "CA", {"pack": 12}, None),
        ("HF", "FT", {}, "0.15"),
        ("XX", "EA", {}, None),
        ("TB", "EA", {}, None),  # to be negotiated
    ],
)
def test_a_price_is_for_what_its_basis_says(
    basis: str | None, unit: str, packaging: dict[str, int], expected: str | None
) -> None:
    packed = [packaging] if packaging else []
    found = amount(price_basis=basis, unit=unit, packaging=packed)
    assert (None if found is None else Decimal(found)) == (None if expected is None else Decimal(expected))
    line = Line.model_validate(
        {"quantity": "10", "price": "1.50", "price_basis": basis, "unit": unit, "packaging": packed}
    )
    assert (line.amount_unknown is None) == (expected is not None)


def test_what_costs_nothing_needs_no_basis() -> None:
    assert Decimal(amount(price="0", price_basis="NS") or "1") == 0


def test_a_third_of_a_dozen_is_rounded_far_behind_the_cents() -> None:
    assert amount(quantity="4", price="1", price_basis="PD") == "0.333333"


@pytest.mark.parametrize(
    ("adjustment", "expected"),
    [
        ({"kind": "allowance", "amount": "2.00"}, "98"),
        ({"kind": "charge", "amount": "2.00"}, "102"),
        ({"kind": "allowance", "rate": "1.00", "quantity": "10", "unit": "CA", "handling": "02"}, "90"),
        ({"kind": "allowance", "rate": "1.00", "quantity": "10", "amount": "3.00"}, "97"),
        ({"kind": "charge", "percent": "5"}, "105"),
        ({"kind": "charge", "rate": "0.5", "unit": "CA"}, "105"),  # of the line's quantity
        ({"kind": "charge", "rate": "0.5", "unit": "LB"}, None),
        ({"kind": "charge", "rate": "0.5", "quantity": "1", "quantity_to": "99"}, None),
        ({"kind": "charge"}, "100"),
        ({"kind": "N", "amount": "2.00"}, "100"),
        ({"kind": "allowance", "amount": "2.00", "handling": "06"}, "98"),
        *(({"kind": "charge", "amount": "2.00", "handling": code}, "100") for code in ("01", "03", "04", "05", "15")),
    ],
)
def test_allowances_and_charges_change_it_as_they_are_settled(adjustment: dict[str, str], expected: str | None) -> None:
    fields = {"quantity": "10", "price": "10.00", "unit": "CA", "adjustments": [adjustment]}
    line = Line.model_validate(fields)
    assert line.amount == (None if expected is None else Decimal(expected))
    assert (line.amount_unknown is None) == (expected is not None)


def test_a_sum_of_some_lines_would_be_wrong() -> None:
    known = Line.model_validate({"quantity": "1", "price": "2"})
    unknown = Line.model_validate({"quantity": "1", "price": "2", "price_basis": "XX"})
    assert sum_lines([known]) == 2
    assert sum_lines([known, unknown]) is None
