"""Conditions over facts: CEL, checked once, evaluated by the hub with exact money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from hub.core.errors import ConditionError
from hub.core.routing.evaluation import DIGITS, FAILURES, LIMIT, evaluation, tested
from hub.core.routing.expression import parse
from hub.core.routing.expression_tree import ExpressionError
from hub.core.routing.expression_types import TypeCheck
from hub.core.routing.facts import PYTHON_TYPES, Fact, FactType, plain

STEPS = tuple(Decimal(1).scaleb(-places) for places in (2, 4, 6, 9, 12, 15, 18))
"""The last digit of a number fact: the first of these that keeps its value exactly."""

TO_A_STEP = Context(prec=DIGITS, traps=[Inexact, InvalidOperation])


class Condition:
    """A compiled condition. `names` are the facts it reads, `tested` those among them in `has(...)`; `constant` is True
    or False when the facts don't matter."""

    __slots__ = ("_evaluate", "_tested", "_used", "constant", "names", "source", "tested")

    def __init__(self, source: str, facts: Mapping[str, Fact]) -> None:
        """Raises ExpressionError (a ConfigError with the column) for anything that can be known to be wrong now."""
        self.source = source
        tree = parse(source)
        check = TypeCheck(facts)
        check.condition(tree)
        self.tested = frozenset(check.tested)
        self.names = frozenset(check.used) | self.tested
        self._used = tuple((name, facts[name].type) for name in sorted(check.used))
        self._tested = tuple((name, tested(name)) for name in sorted(check.tested))
        self._evaluate = evaluation(tree)
        self.constant = self._constant(tree.column)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these facts. Raises ConditionError, with the expression and the facts it
        read, when it can't be decided."""
        try:
            return bool(self._evaluate(self._values(facts)))
        except FAILURES as error:
            raise ConditionError(self._failure(facts, error)) from error

    def _values(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What the evaluation is given: only the facts that the condition reads, checked."""
        values: dict[str, Any] = {}
        for name, kind in self._used:
            value = facts.get(name)
            if value is not None:
                values[name] = _number(name, value) if kind == "number" else _plain_value(name, value, kind)
        for name, key in self._tested:
            values[key] = facts.get(name) is not None
        return values

    def _constant(self, column: int) -> bool | None:
        try:
            return bool(self._evaluate({}))
        except FAILURES as error:
            if not self.names:
                raise ExpressionError(f"this always fails: {error}", column) from error
            return None

    def _failure(self, facts: Mapping[str, Any], cause: object) -> str:
        missing = [name for name, _ in self._used if facts.get(name) is None]
        text = f"{', '.join(missing)} has no value" if missing else str(cause)
        read = ", ".join(f"{name}={plain(facts.get(name))}" for name in sorted(self.names))
        return f"condition {self.source!r} failed: {text} (facts: {read or 'none'})"


def _number(name: str, value: Any) -> Decimal:
    """With two decimal places or more, so that the bound on a result counts them."""
    if type(value) not in (Decimal, int):
        raise TypeError(f"{name} should be a number, is {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{name} is no finite number")
    for step in STEPS:
        try:
            return number.quantize(step, context=TO_A_STEP)
        except Inexact:
            continue
        except InvalidOperation:
            raise OverflowError(f"{name} is too large to be compared exactly") from None
    raise ValueError(f"{name} has more than {-STEPS[-1].adjusted()} decimal places")


def _plain_value(name: str, value: Any, kind: FactType) -> Any:
    if type(value) is not PYTHON_TYPES[kind]:
        raise TypeError(f"{name} should be {kind}, is {type(value).__name__}")
    if isinstance(value, date):
        return value.isoformat()
    if type(value) is int and not -LIMIT <= value <= LIMIT:
        raise OverflowError(f"{name} is too large to be compared exactly")
    if isinstance(value, str) and not value.isascii():
        value.encode()  # a lone surrogate is no text
    return value
