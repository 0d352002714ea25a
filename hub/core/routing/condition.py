"""Conditions over facts: CEL, compiled once, with exact money.

The CEL binding compares Decimal as float. So number facts go in as integers, scaled by a power of ten, and the
expression is rewritten with its literals scaled alike: `total >= 100.50` becomes `f_total >= 10050` at scale 2. The
scale is the smallest of SCALES that holds every value exactly; one program per scale is compiled when first needed.
What doesn't fit into 64 bits is an error, never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any

from hub.core.errors import ConditionError
from hub.core.routing.expression import parse
from hub.core.routing.expression_tree import ExpressionError, Node
from hub.core.routing.expression_types import TypeCheck
from hub.core.routing.facts import PYTHON_TYPES, Fact, FactType, plain
from hub.core.routing.rewriting import EXACT, LIMIT, Rewriting

SCALES = (2, 4, 6, 9, 12, 15, 18)
POWERS = {scale: Decimal(10) ** scale for scale in SCALES}
CEL_ERRORS = (ArithmeticError, RuntimeError, TypeError, ValueError)


class Condition:
    """A compiled condition. `names` are the facts it reads, `tested` those among them in `has(...)`; `constant` is True
    or False when the facts don't matter."""

    __slots__ = ("_names", "_programs", "_rewriting", "_tested", "_tree", "constant", "names", "source", "tested")

    def __init__(self, source: str, facts: Mapping[str, Fact]) -> None:
        """Raises ExpressionError (a ConfigError with the column) for anything that can be known to be wrong now."""
        self.source = source
        self._tree = parse(source)
        check = TypeCheck(facts)
        check.condition(self._tree)
        for pattern in check.patterns:
            _check_pattern(pattern)
        self.tested = frozenset(check.tested)
        self.names = frozenset(check.used) | self.tested
        self._names: tuple[tuple[str, str, FactType], ...] = tuple(
            (name, f"f_{name}", facts[name].type) for name in sorted(check.used)
        )
        self._tested = tuple((name, f"h_{name}") for name in sorted(check.tested))
        self._rewriting = Rewriting({name: kind for name, _, kind in self._names})
        self._programs: dict[int, Any] = {}
        self._program(SCALES[0])
        self.constant = self._constant()

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these facts. Raises ConditionError, with the expression and the facts it
        read, when it can't be decided."""
        for scale in SCALES:
            try:
                values = self._values(facts, scale)
                if values is None:
                    continue
                result = self._program(scale).execute(values)
            except (*CEL_ERRORS, DecimalException, ExpressionError) as error:
                raise ConditionError(self._failure(facts, error)) from error
            if result is True or result is False:
                return result
            raise ConditionError(self._failure(facts, f"the result is {result!r}"))
        raise ConditionError(self._failure(facts, f"a number has more than {SCALES[-1]} decimal places"))

    def _values(self, facts: Mapping[str, Any], scale: int) -> dict[str, Any] | None:
        """What CEL is given: only the facts that are read. None when a number needs a greater scale. A fact without a
        value is left out, so that reading it fails."""
        values: dict[str, Any] = {}
        for name, variable, kind in self._names:
            value = facts.get(name)
            if value is None:
                continue
            if kind == "number":
                number = _scaled(name, value, scale)
                if number is None:
                    return None
                values[variable] = number
            else:
                values[variable] = _plain_value(name, value, kind)
        for name, variable in self._tested:
            values[variable] = facts.get(name) is not None
        return values

    def _program(self, scale: int) -> Any:
        program = self._programs.get(scale)
        if program is None:
            text = self._rewriting.text(self._tree, scale)
            try:
                program = _compiled(text)
            except CEL_ERRORS as error:
                raise ExpressionError(f"CEL refuses the expression: {error}", self._tree.column) from error
            self._programs[scale] = program
        return program

    def _constant(self) -> bool | None:
        try:
            result = self._program(SCALES[0]).execute({})
        except CEL_ERRORS as error:
            if not self.names:
                raise ExpressionError(f"this always fails: {error}", self._tree.column) from error
            return None
        return result if isinstance(result, bool) else None

    def _failure(self, facts: Mapping[str, Any], cause: object) -> str:
        missing = [name for name, _, _ in self._names if facts.get(name) is None]
        text = f"{', '.join(missing)} has no value" if missing else str(cause)
        read = ", ".join(f"{name}={plain(facts.get(name))}" for name in sorted(self.names))
        return f"condition {self.source!r} failed: {text} (facts: {read or 'none'})"


def _compiled(text: str) -> Any:
    """CEL is loaded with the first condition: that takes longer than all that a site without one needs."""
    import cel

    return cel.compile(text)


def _check_pattern(pattern: Node) -> None:
    """CEL compiles a pattern at its first use; this is it."""
    text = Rewriting({}).text(pattern, 0)
    try:
        _compiled(f'"".matches({text})').execute({})
    except CEL_ERRORS as error:
        raise ExpressionError("the pattern is no regular expression that CEL takes", pattern.column) from error


def _scaled(name: str, value: Any, scale: int) -> int | None:
    if type(value) is not Decimal:
        if type(value) is not int:
            raise TypeError(f"{name} should be a number, is {type(value).__name__}")
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError(f"{name} is no finite number")
    if value.adjusted() > 40:
        raise OverflowError(f"{name} is too large to be compared exactly")
    number = EXACT.multiply(value, POWERS[scale])
    whole = int(number)
    if whole != number:
        return None
    if not -LIMIT <= whole <= LIMIT:
        raise OverflowError(f"{name} is too large to be compared exactly")
    return whole


def _plain_value(name: str, value: Any, kind: FactType) -> Any:
    if type(value) is not PYTHON_TYPES[kind]:
        raise TypeError(f"{name} should be {kind}, is {type(value).__name__}")
    if isinstance(value, date):
        return value.isoformat()
    if type(value) is int and not -LIMIT <= value <= LIMIT:
        raise OverflowError(f"{name} is too large to be compared exactly")
    return value
