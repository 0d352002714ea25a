"""The types of an expression, decided before any message comes: every mistake found here is one less dead letter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from hub.core.options.nearest import did_you_mean
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
from hub.core.routing.facts import Fact, FactType

NUMERIC = ("number", "integer")
TEXT_METHODS = ("startsWith", "endsWith", "contains", "matches")
FUNCTIONS = ("has",)


class TypeCheck:
    """Walks one expression. Afterwards `used` holds the facts whose value it reads, `tested` those in `has(...)`: name
    to column."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = facts
        self.used: dict[str, int] = {}
        self.tested: dict[str, int] = {}

    def condition(self, node: Node) -> None:
        """Raises ExpressionError unless the expression is sound and boolean."""
        found = self._type(node)
        if found != "boolean":
            raise ExpressionError(f"a condition must be true or false, this is {found}", node.column)
        for name, column in self.used.items():
            if self._facts[name].optional and name not in self.tested:
                hint = f"write `has({name}) && ...`, or give the fact a default in config/facts.yaml"
                raise ExpressionError(f"fact {name} may have no value", column, hint)

    def _type(self, node: Node) -> FactType:
        match node:
            case Literal():
                return self._literal(node)
            case Name():
                return self._fact(node).type
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Choice():
                return self._choice(node)
            case FunctionCall():
                return self._call(node)
            case Items():
                raise ExpressionError("a list can only stand after `in`", node.column)

    def _literal(self, node: Literal) -> FactType:
        if isinstance(node.value, bool):
            return "boolean"
        if isinstance(node.value, str):
            return "text"
        if len(node.value.as_tuple().digits) > 30 or abs(node.value.adjusted()) > 30:
            raise ExpressionError("a number this long can't be compared exactly", node.column)
        return "integer" if node.integer else "number"

    def _fact(self, node: Name) -> Fact:
        fact = self._lookup(node)
        self.used.setdefault(node.name, node.column)
        return fact

    def _lookup(self, node: Name) -> Fact:
        fact = self._facts.get(node.name)
        if fact is None:
            hint = did_you_mean(node.name, self._facts)
            raise ExpressionError(f"unknown fact {node.name}", node.column, hint)
        return fact

    def _unary(self, node: Unary) -> FactType:
        found = self._type(node.operand)
        if node.sign == "!":
            self._want(found == "boolean", f"`!` needs true or false, this is {found}", node)
            return "boolean"
        self._want(found in NUMERIC, f"`-` needs a number, this is {found}", node)
        return found

    def _binary(self, node: Binary) -> FactType:
        sign = node.sign
        if sign == "in":
            return self._membership(node)
        left, right = self._type(node.left), self._type(node.right)
        if sign in ("&&", "||"):
            self._want(left == right == "boolean", f"`{sign}` joins true or false, not {left} and {right}", node)
            return "boolean"
        if sign in ("==", "!=", "<", "<=", ">", ">="):
            self._comparable(left, right, node.left, node.right, node)
            if sign not in ("==", "!="):
                self._want(left != "boolean", f"`{sign}` can't order true and false", node)
            return "boolean"
        return self._arithmetic(node, left, right)

    def _arithmetic(self, node: Binary, left: FactType, right: FactType) -> FactType:
        if node.sign == "+" and left == right == "text":
            return "text"
        both = left in NUMERIC and right in NUMERIC
        self._want(both, f"`{node.sign}` needs numbers, not {left} and {right}", node)
        whole = left == right == "integer"
        if node.sign == "/" and not whole:
            raise ExpressionError("a quotient isn't exact", node.column, "multiply on the other side of the comparison")
        return "integer" if whole else "number"

    def _comparable(self, left: FactType, right: FactType, a: Node, b: Node, node: Node) -> None:
        if left == right or (left in NUMERIC and right in NUMERIC):
            return
        for one, other, literal in ((left, right, b), (right, left, a)):
            if one == "date" and other == "text" and isinstance(literal, Literal):
                _iso_date(literal)
                return
        told = " and ".join(f"{_describe_node(n)} is {t}" for n, t in ((a, left), (b, right)))
        raise ExpressionError(f"types can't be compared: {told}", node.column)

    def _membership(self, node: Binary) -> FactType:
        left = self._type(node.left)
        if not isinstance(node.right, Items):
            raise ExpressionError("after `in` stands a list", node.right.column, 'as in partner in ["ACME", "BOLT"]')
        self._want(bool(node.right.items), "the list is empty: nothing is in it", node.right)
        for item in node.right.items:
            self._comparable(left, self._type(item), node.left, item, item)
        return "boolean"

    def _choice(self, node: Choice) -> FactType:
        self._want(self._type(node.test) == "boolean", "`?` needs true or false before it", node)
        then, other = self._type(node.then), self._type(node.other)
        if then == other:
            return then
        both = then in NUMERIC and other in NUMERIC
        self._want(both, f"both sides of `:` must be of one type, not {then} and {other}", node)
        return "number"

    def _call(self, node: FunctionCall) -> FactType:
        if node.target is None and node.name == "has":
            return self._has(node)
        if node.target is None or node.name not in TEXT_METHODS:
            known = FUNCTIONS if node.target is None else TEXT_METHODS
            kind = "function" if node.target is None else "method"
            hint = did_you_mean(node.name, known) or f"there are {', '.join(known)}"
            raise ExpressionError(f"unknown {kind} {node.name}", node.column, hint)
        return self._method(node, node.target)

    def _method(self, node: FunctionCall, target: Node) -> FactType:
        found = self._type(target)
        self._want(found == "text", f".{node.name}() is a method of text, this is {found}", node)
        self._want(len(node.arguments) == 1, f".{node.name}() takes one argument", node)
        (argument,) = node.arguments
        self._want(self._type(argument) == "text", f".{node.name}() takes a text", argument)
        if node.name == "matches":
            self._want(isinstance(argument, Literal), "the pattern of .matches() must be written out", argument)
        return "boolean"

    def _has(self, node: FunctionCall) -> FactType:
        name = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(name, Name):
            raise ExpressionError("has() takes the name of one fact", node.column)
        self._lookup(name)
        self.tested.setdefault(name.name, name.column)
        return "boolean"

    @staticmethod
    def _want(right: bool, text: str, node: Node) -> None:
        if not right:
            raise ExpressionError(text, node.column)


def _describe_node(node: Node) -> str:
    if isinstance(node, Name):
        return node.name
    return "the literal" if isinstance(node, Literal) else "the expression"


def _iso_date(node: Literal) -> None:
    try:
        valid = date.fromisoformat(str(node.value)).isoformat() == node.value
    except ValueError:
        valid = False
    if not valid:
        raise ExpressionError(f"{node.value!r} is no date", node.column, 'dates are written "2026-01-31"')
