"""Conditions: exact money, mistakes found before any message, errors that are never `false`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import ConditionError
from hub.core.routing.condition import Condition
from hub.core.routing.expression_tree import ExpressionError
from hub.core.routing.facts import BUILT_IN, Fact

FACTS = {
    **BUILT_IN,
    "quantity": Fact("quantity", "number"),
    "lines": Fact("lines", "integer"),
    "due": Fact("due", "date"),
    "department": Fact("department", "text", optional=True),
}
EXACT = Context(prec=200)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

money = st.decimals(-(10**9), 10**9, places=2) | st.decimals(-(10**6), 10**6, places=6)
close = st.tuples(st.decimals(0, 10**11, places=2), st.sampled_from(["0", "0.01", "-0.01", "0.001", "-0.000001"]))


def holds(expression: str, **facts: Any) -> bool:
    return Condition(expression, FACTS).holds(facts)


def refused(expression: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        Condition(expression, FACTS)
    return caught.value


@given(left=money, right=money, sign=st.sampled_from(sorted(COMPARE)))
def test_a_fact_compares_with_a_literal_as_decimals_do(left: Decimal, right: Decimal, sign: str) -> None:
    assert holds(f"total {sign} {right:f}", total=left) == COMPARE[sign](left, right)


@given(pair=close, sign=st.sampled_from(sorted(COMPARE)))
def test_amounts_that_a_float_could_not_tell_apart_are_told_apart(pair: tuple[Decimal, str], sign: str) -> None:
    right, step = pair
    left = right + Decimal(step)
    assert holds(f"total {sign} quantity", total=left, quantity=right) == COMPARE[sign](left, right)


@given(total=money, quantity=st.decimals(-999, 999, places=2), lines=st.integers(-99, 99), limit=money)
def test_arithmetic_is_exact(total: Decimal, quantity: Decimal, lines: int, limit: Decimal) -> None:
    expected = EXACT.subtract(EXACT.add(EXACT.multiply(total, Decimal(lines)), quantity), Decimal("1.25")) >= limit
    assert (
        holds(f"total * lines + quantity - 1.25 >= {limit:f}", total=total, quantity=quantity, lines=lines) == expected
    )


@given(total=money, wanted=st.lists(money, min_size=1, max_size=5))
def test_membership_is_exact(total: Decimal, wanted: list[Decimal]) -> None:
    listed = ", ".join(f"{one:f}" for one in wanted)
    assert holds(f"total in [{listed}]", total=total) == (total in wanted)


Reckoned = tuple[str, Callable[[dict[str, Fraction]], Fraction]]
"""A number of an expression, and what it is as a fraction."""

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def combined(parts: tuple[Reckoned, str, Reckoned]) -> Reckoned:
    (left, first), sign, (right, second) = parts
    return f"({left} {sign} {right})", lambda facts: ARITHMETIC[sign](first(facts), second(facts))


def chosen(parts: tuple[Reckoned, str, Reckoned, Reckoned]) -> Reckoned:
    (left, first), sign, (right, second), (other, third) = parts
    return (
        f"({left} {sign} {right} ? {left} : {other})",
        lambda facts: first(facts) if COMPARE[sign](first(facts), second(facts)) else third(facts),
    )


numbers = st.recursive(
    st.sampled_from(["total", "quantity", "lines"]).map(lambda name: (name, lambda facts: facts[name]))
    | st.sampled_from(["0", "7", "0.05", "100.50", "1e9"]).map(lambda text: (text, lambda facts: Fraction(text))),
    lambda inner: (
        st.tuples(inner, st.sampled_from(sorted(ARITHMETIC)), inner).map(combined)
        | st.tuples(inner, st.sampled_from(sorted(COMPARE)), inner, inner).map(chosen)
    ),
    max_leaves=6,
)


@given(
    left=numbers,
    sign=st.sampled_from(sorted(COMPARE)),
    right=numbers,
    total=money,
    quantity=money,
    lines=st.integers(-9, 9),
)
def test_every_answer_is_that_of_fractions(
    left: Reckoned, sign: str, right: Reckoned, total: Decimal, quantity: Decimal, lines: int
) -> None:
    facts = {"total": total, "quantity": quantity, "lines": lines}
    try:
        found: bool | str = holds(f"{left[0]} {sign} {right[0]}", **facts)
    except (ConditionError, ExpressionError) as error:
        found = str(error)
    exact = {name: Fraction(value) for name, value in facts.items()}
    if isinstance(found, str):
        assert "overflow" in found or "too large" in found
    else:
        assert found == COMPARE[sign](left[1](exact), right[1](exact))


@given(total=money, limit=money)
def test_a_choice_is_exact(total: Decimal, limit: Decimal) -> None:
    expected = (total if total > 5 else Decimal("0.125")) < limit
    assert holds(f"(total > 5 ? total : 0.125) < {limit:f}", total=total) == expected


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_equals_itself_as_a_literal(text: str) -> None:
    literal = "".join(f"\\U{ord(character):08x}" for character in text)
    assert holds(f"partner == '{literal}'", partner=text)


@given(value=st.decimals(allow_nan=True, allow_infinity=True) | st.integers())
def test_any_number_gives_the_right_answer_or_an_error(value: Decimal | int) -> None:
    try:
        found = holds("total >= 100.50", total=value)
    except ConditionError:
        return
    assert found == (Decimal(value) >= Decimal("100.50"))


@given(st.text("total partner()[]&|=<>!?:.,\"'\\0123456789-+*/% ", max_size=40))
def test_any_text_is_a_condition_or_an_expression_error(text: str) -> None:
    column = 1
    try:
        Condition(text, FACTS)
    except ExpressionError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


def test_the_design_example() -> None:
    assert holds("total >= 10000", total=Decimal("10000.00"))
    assert not holds("total >= 10000", total=Decimal("9999.99"))


def test_the_sum_of_three_tenths_is_exact() -> None:
    assert holds("total + total + total == 0.3", total=Decimal("0.1"))


def test_dates_compare_with_written_dates() -> None:
    assert holds('due < "2026-02-01" && due >= "2026-01-31"', due=date(2026, 1, 31))


def test_methods_of_text_and_logic() -> None:
    facts = {"partner": "ACME-EAST", "test": False}
    assert holds('partner.startsWith("ACME") && !test && partner.matches("^[A-Z-]+$")', **facts)
    assert holds('partner in ["X", "ACME-EAST"] || partner.endsWith("WEST")', **facts)


def test_a_test_for_a_value_guards_an_optional_fact() -> None:
    condition = Condition('has(department) && department == "42"', FACTS)
    assert condition.holds({"department": "42"})
    assert not condition.holds({"department": None})
    assert condition.tested == {"department"}


@pytest.mark.parametrize(
    ("expression", "column", "text", "hint"),
    [
        ("totl > 1", 1, "unknown fact totl", "did you mean total?"),
        ("total > 1 && prtner == 'x'", 14, "unknown fact prtner", "did you mean partner?"),
        ('total == "x"', 7, "total is number and the literal is text", None),
        ("partner > 3", 9, "partner is text and the literal is integer", None),
        ("total", 1, "must be true or false", None),
        ("total + 1", 7, "must be true or false", None),
        ('department == "42"', 1, "may have no value", "has(department)"),
        ("total / 2 > 1", 7, "isn't exact", "multiply"),
        ("total = 5", 7, "'='", "`==`"),
        ("total > 5 and test", 11, "expected an operator", "`&&`"),
        ("total > 5 & test", 11, "'&'", "`&&`"),
        ('partner == "ACME', 12, "'\"'", "closing quote"),
        ("partner == null", 12, "`null`", "has(fact)"),
        ("(total > 5", 11, "expected `)`, found the end", None),
        ("", 1, "found the end", None),
        ("total > 5 5", 11, "expected an operator", None),
        ("order.total > 5", 7, "facts are flat", None),
        ("partner.startWith('A')", 9, "unknown method startWith", "startsWith"),
        ("size(partner) > 1", 1, "unknown function size", "has"),
        ("partner.matches('(')", 17, "no regular expression", None),
        ("partner.matches(number)", 17, "must be written out", None),
        ("partner in 'ACME'", 12, "a list", "partner in"),
        ("partner in []", 12, "empty", None),
        ("[1] == [1]", 1, "only stand after `in`", None),
        ("test > false", 6, "can't order", None),
        ("!total", 1, "needs true or false", None),
        ("total && test", 7, "joins true or false", None),
        ("due == '2026-02-30'", 8, "no date", "2026-01-31"),
        ("due == '20260131'", 8, "no date", None),
        ("1/0 == 1", 5, "always fails", None),
        ("total > 99999999999999999999", 9, "too large", None),
        ("total > " + "9" * 40, 9, "can't be compared exactly", None),
        ("has(total, test)", 1, "one fact", None),
        ("partner == '\\ud800'", 12, "no character", None),
        ("(" * 100 + "test" + ")" * 100, 61, "nested deeper", None),
        ("!" * 100 + "test", 61, "nested deeper", None),
        ("test" + " || test" * 300, 1606, "more than 200 operators", None),
        ("test " * 2000, 1, "characters", None),
        ("!(" * 50 + "!" * 50 + "test" + ")" * 50, 111, "nested deeper", None),
        ("*".join(["9" * 30] * 20) + " > total", 186, "too large", None),
        ("total > 99999999999 * 99999999999", 21, "too large", None),
    ],
)
def test_a_mistake_is_found_with_its_column(expression: str, column: int, text: str, hint: str | None) -> None:
    error = refused(expression)
    assert text in error.text
    assert error.column == column
    assert (hint is None) or hint in (error.hint or "")


@pytest.mark.parametrize(
    ("expression", "facts", "cause"),
    [
        ("total >= 5", {}, "total has no value"),
        ("total >= 5", {"total": None}, "total has no value"),
        ("total >= 5", {"total": "7"}, "should be a number"),
        ("total >= 5", {"total": True}, "should be a number"),
        ("total >= 5", {"total": 7.0}, "should be a number"),
        ("total >= 5", {"total": Decimal("NaN")}, "no finite number"),
        ("total >= 5", {"total": Decimal("Infinity")}, "no finite number"),
        ("total >= 5", {"total": Decimal("1E+30")}, "too large"),
        ("total >= 5", {"total": Decimal("1E+999999")}, "too large"),
        ("total >= 5", {"total": Decimal("0.1234567890123456789")}, "decimal places"),
        ("total >= 5", {"total": Decimal("1E-999999")}, "decimal places"),
        ("total * total > 5", {"total": Decimal("1E+9")}, "verflow"),
        ("lines > 5", {"lines": 2**63}, "too large"),
        ("lines - 2 > 5", {"lines": -(2**63) + 1}, "verflow"),
        ("10 / lines > 5", {"lines": 0}, "zero"),
        ("test", {"test": 1}, "should be boolean"),
        ("partner == 'A'", {"partner": 7}, "should be text"),
        ("partner == 'A'", {"partner": "\ud800"}, "failed"),
    ],
)
def test_what_cannot_be_decided_is_an_error_and_never_false(expression: str, facts: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConditionError) as caught:
        holds(expression, **facts)
    text = str(caught.value)
    assert cause in text
    assert repr(expression) in text
    text.encode()


def test_the_error_shows_the_facts_it_read() -> None:
    with pytest.raises(ConditionError, match=r"\(facts: lines=9, total=\(none\)\)"):
        holds("total > 5 && lines > 5", lines=9)


def test_what_the_missing_fact_could_not_change_is_decided() -> None:
    """CEL's `&&` and `||` take an error only where the other side leaves the outcome open."""
    assert not holds("total > 5 && lines > 5", lines=0)
    assert holds("total > 5 || lines > 5", lines=9)


def test_a_big_amount_with_cents_and_a_small_one_with_many_places_both_fit() -> None:
    assert holds("total < 90000000000000000", total=Decimal("89999999999999999.99"))
    assert holds("total < 0.000000000000000002", total=Decimal("0.000000000000000001"))


@pytest.mark.parametrize(
    ("expression", "constant"),
    [("true", True), ("1 > 2", False), ("true || total > 5", True), ("total > 5", None), ("has(department)", None)],
)
def test_a_constant_condition_is_known_as_such(expression: str, constant: bool | None) -> None:
    assert Condition(expression, FACTS).constant is constant


@pytest.mark.parametrize(
    ("expression", "facts"),
    [
        ("total > 922337203685477580", {"total": Decimal("89999999999999999.99")}),
        ("quantity < total", {"quantity": Decimal("1E-18"), "total": Decimal("89999999999999999.99")}),
        ("lines > 0.001", {"lines": 2**63 - 1}),
        ("99999999999999999999 - 99999999999999999998 < total", {"total": Decimal("1.01")}),
    ],
)
def test_a_comparison_is_exact_however_far_apart_the_numbers_are(expression: str, facts: dict[str, Any]) -> None:
    assert holds(expression, **facts) is not expression.startswith("total")


@pytest.mark.parametrize(
    ("expression", "value"),
    [("lines / 2", -3), ("lines % 2", -1), ("-lines / 2", 3), ("quantity % 2", "-1.5"), ("quantity % -2", "-1.5")],
)
def test_quotients_round_toward_zero_and_remainders_have_the_sign_of_the_dividend(expression: str, value: Any) -> None:
    assert holds(f"{expression} == {value}", lines=-7, quantity=Decimal("-7.5"))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("10 / lines > 5 || test", True),
        ("test || 10 / lines > 5", True),
        ("!test && 10 / lines > 5", False),
        ("10 / lines > 5 && !test", False),
        ("test ? true : 10 / lines > 5", True),
        ("10 / lines > 5 || !test", None),
        ("10 / lines > 5 && test", None),
        ("10 / lines > 5 ? true : true", None),
        ("1 in [1, 10 / lines]", None),
    ],
)
def test_an_error_counts_where_the_answer_depends_on_it(expression: str, found: bool | None) -> None:
    try:
        assert holds(expression, lines=0, test=True) is found
    except ConditionError:
        assert found is None


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^A", "XA", False),
        ("A$", "XA", True),
        ("M", "ACME", True),
        ("(?i)acme", "ACME", True),
        ("^\\\\pL$", "\N{LATIN SMALL LETTER E WITH ACUTE}", True),
        ("^.$", "\n", False),
        ("^A$", "A\n", False),
    ],
)
def test_a_pattern_is_searched_for_in_the_text(pattern: str, text: str, found: bool) -> None:
    assert holds(f"partner.matches('{pattern}')", partner=text) is found


def test_only_the_facts_used_are_named() -> None:
    assert Condition('total > 5 && partner == "A"', FACTS).names == {"total", "partner"}
