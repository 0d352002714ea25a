"""A type-checked expression as a function over values. It gives the exact answer, or it raises.

Integers are `int` of 64 bits. Numbers are `Decimal` of at most 19 digits, places included. A greater result raises
OverflowError. Comparisons are exact. `&&` and `||` are CEL's: an error on one side counts only where the other side
leaves the outcome open.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Rounded
from functools import partial
from typing import Any

from hub.core.linear_pattern import compile_pattern
from hub.core.routing.expression_tree import (
    Binary,
    Choice,
    ExpressionError,
    FunctionCall,
    Items,
    Literal,
    Name,
    Node,
    Unary,
)

LIMIT = 2**63 - 1
DIGITS = 19
FAILURES = (ArithmeticError, LookupError, TypeError, ValueError)
"""What an evaluation raises. LookupError: a fact that it reads has no value."""

Evaluate = Callable[[Mapping[str, Any]], Any]
"""Takes the facts by name, those without a value left out, and `tested(name)` for each fact in `has(...)`."""

_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
_BOUNDED = Context(prec=DIGITS, traps=[Rounded, InvalidOperation, Overflow])


def tested(name: str) -> str:
    """The key of what `has(name)` says."""
    return f"has {name}"


def evaluation(node: Node) -> Evaluate:
    """Raises ExpressionError for a written number that is too large, and for a pattern that can't be used."""
    written = _written(node)
    if written is not None:
        return _constant(_checked(written, node.column))
    match node:
        case Literal():
            return _constant(node.value)
        case Name():
            return operator.itemgetter(node.name)
        case Unary():
            return _applied(operator.not_ if node.sign == "!" else _negative, node.operand)
        case Binary():
            return _binary(node)
        case Choice():
            return _choice(node)
        case FunctionCall():
            return _call(node)
        case Items():
            raise ExpressionError("a list can only stand after `in`", node.column)


def _written(node: Node) -> Decimal | None:
    """The exact value of an expression of written numbers, else None."""
    match node:
        case Literal(value=Decimal() as value):
            return value
        case Unary(sign="-"):
            operand = _written(node.operand)
            return None if operand is None else _EXACT.minus(operand)
        case Binary(sign="+" | "-" | "*"):
            left, right = _written(node.left), _written(node.right)
            if left is None or right is None:
                return None
            try:
                return {"+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply}[node.sign](left, right)
            except DecimalException:
                raise ExpressionError("a number is too large to be compared exactly", node.column) from None
    return None


def _checked(value: Decimal, column: int) -> int | Decimal:
    """An integer where the value is whole."""
    short = value.normalize(_EXACT)
    whole = short == short.to_integral_value(context=_EXACT)
    fits = -LIMIT <= short <= LIMIT if whole else len(short.as_tuple().digits) <= DIGITS
    if not fits:
        raise ExpressionError("a number is too large to be compared exactly", column)
    return int(short) if whole else short


def _constant(value: Any) -> Evaluate:
    return lambda values: value


def _applied(function: Callable[[Any], Any], node: Node) -> Evaluate:
    inner = evaluation(node)
    return lambda values: function(inner(values))


def _binary(node: Binary) -> Evaluate:
    left = evaluation(node.left)
    if node.sign == "in":
        return _membership(left, node.right)
    right = evaluation(node.right)
    if node.sign in _JOINING:
        return partial(_joined, left, right, _JOINING[node.sign])
    apply = _OPERATIONS[node.sign]
    return lambda values: apply(left(values), right(values))


def _membership(left: Evaluate, wanted: Node) -> Evaluate:
    items = tuple(map(evaluation, wanted.items)) if isinstance(wanted, Items) else ()
    return lambda values: left(values) in [item(values) for item in items]


def _joined(left: Evaluate, right: Evaluate, decides: bool, values: Mapping[str, Any]) -> Any:
    """`||` and `&&`: whichever side has the value `decides` decides, whatever the other one is."""
    try:
        if left(values) is decides:
            return decides
    except FAILURES:
        if right(values) is decides:
            return decides
        raise
    return right(values)


def _choice(node: Choice) -> Evaluate:
    test, then, other = evaluation(node.test), evaluation(node.then), evaluation(node.other)
    return lambda values: then(values) if test(values) else other(values)


def _call(node: FunctionCall) -> Evaluate:
    (argument,) = node.arguments
    if node.target is None:
        return operator.itemgetter(tested(argument.name if isinstance(argument, Name) else ""))
    if node.name == "matches":
        return _applied(_pattern(argument), node.target)
    method, target, text = _METHODS[node.name], evaluation(node.target), evaluation(argument)
    return lambda values: method(target(values), text(values))


def _pattern(node: Node) -> Callable[[str], bool]:
    try:
        return compile_pattern(str(node.value) if isinstance(node, Literal) else "").isinstance_python
    except ValueError:
        raise ExpressionError("the pattern is no regular expression that CEL allows", node.column) from None


def _calculated(whole: Callable[[int, int], int], number: Callable[[Any, Any], Decimal], a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        result = whole(a, b)
        if not -LIMIT - 1 <= result <= LIMIT:
            raise OverflowError("integer overflow: the result has more than 64 bits")
        return result
    try:
        return number(a, b)
    except DecimalException:
        raise OverflowError(f"number overflow: the result has more than {DIGITS} digits") from None


def _sum(a: Any, b: Any) -> Any:
    return a + b if type(a) is str else _calculated(operator.add, _BOUNDED.add, a, b)


def _negative(value: Any) -> Any:
    return _calculated(operator.sub, _BOUNDED.subtract, 0, value)


def _quotient(a: int, b: int) -> int:
    """Rounded toward zero."""
    if b == 0:
        raise ZeroDivisionError("division by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: Any, b: Any) -> Any:
    """It has the sign of `a`."""
    if b == 0:
        raise ZeroDivisionError("remainder of a division by zero")
    return _calculated(lambda a, b: a - b * _quotient(a, b), _BOUNDED.remainder, a, b)


_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": _sum,
    "-": partial(_calculated, operator.sub, _BOUNDED.subtract),
    "*": partial(_calculated, operator.mul, _BOUNDED.multiply),
    "/": partial(_calculated, _quotient, _BOUNDED.divide_int),
    "%": _remainder,
}
_JOINING = {"&&": False, "||": True}
_METHODS: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}
