"""An expression over facts, rewritten as CEL over integers: the exact half of `condition`.

A number becomes an integer that stands for its value times a power of ten. The exponents are followed through every
operator, so that both sides of a comparison or a sum always stand at the same one; constants are folded exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow

from hub.core.routing.expression_tree import Binary, Call, Choice, ExpressionError, Items, Literal, Name, Node, Unary
from hub.core.routing.facts import FactType

LIMIT = 2**63 - 1
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True)
class Scaled:
    """CEL text of an integer that stands for a number times 10 ** exponent."""

    text: str
    exponent: int

    def at(self, exponent: int) -> str:
        if exponent == self.exponent:
            return self.text
        return f"({self.text} * {_integer(Decimal(10) ** (exponent - self.exponent), 1)})"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number known now, scaled where it is used."""

    value: Decimal
    column: int

    @property
    def exponent(self) -> int:
        if not self.value:
            return 0
        exponent = self.value.normalize(EXACT).as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    def at(self, exponent: int) -> str:
        return _integer(self.value.scaleb(exponent, EXACT), self.column)


Part = str | Scaled | Constant
"""Text, booleans and dates are CEL text; numbers carry their exponent."""


class Rewriting:
    """Rewrites trees that passed the type check. Facts `x` become variables `f_x`, `has(x)` becomes `h_x`."""

    def __init__(self, types: Mapping[str, FactType]) -> None:
        self._types = types
        self._scale = 0

    def text(self, node: Node, scale: int) -> str:
        """CEL in which every number fact is an integer at 10 ** scale. Raises ExpressionError for a number beyond 64
        bits."""
        self._scale = scale
        return _plain(self._part(node))

    def _part(self, node: Node) -> Part:
        match node:
            case Literal(value=Decimal() as value):
                return Constant(value, node.column)
            case Literal(value=bool() as value):
                return "true" if value else "false"
            case Literal():
                return quoted(str(node.value))
            case Name():
                return self._fact(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Choice():
                return self._choice(node)
            case Call():
                return self._call(node)
            case Items():
                raise ExpressionError("a list can only stand after `in`", node.column)

    def _fact(self, node: Name) -> Part:
        kind = self._types[node.name]
        if kind == "number":
            return Scaled(f"f_{node.name}", self._scale)
        return Scaled(f"f_{node.name}", 0) if kind == "integer" else f"f_{node.name}"

    def _unary(self, node: Unary) -> Part:
        operand = self._part(node.operand)
        if isinstance(operand, Constant):
            return Constant(-operand.value, node.column)
        if isinstance(operand, Scaled):  # 0 - x is checked for overflow, -x is not
            return Scaled(f"(0 - {operand.text})", operand.exponent)
        return f"(!{operand})"

    def _binary(self, node: Binary) -> Part:
        left = self._part(node.left)
        if node.sign == "in":
            return self._membership(left, node)
        right = self._part(node.right)
        if isinstance(left, str) or isinstance(right, str):
            return f"({_plain(left)} {node.sign} {_plain(right)})"
        if node.sign in ("+", "-", "*", "/", "%"):
            return self._arithmetic(node, left, right)
        a, b = self._aligned(left, right)
        return f"({a} {node.sign} {b})"

    def _arithmetic(self, node: Binary, left: Scaled | Constant, right: Scaled | Constant) -> Part:
        if isinstance(left, Constant) and isinstance(right, Constant) and node.sign in "+-*":
            return Constant(_folded(node.sign, left.value, right.value), node.column)
        if node.sign == "*":
            product = f"({left.at(left.exponent)} * {right.at(right.exponent)})"
            return Scaled(product, left.exponent + right.exponent)
        exponent = max(left.exponent, right.exponent)
        text = f"({left.at(exponent)} {node.sign} {right.at(exponent)})"
        return Scaled(text, 0 if node.sign == "/" else exponent)

    def _membership(self, left: Part, node: Binary) -> str:
        items = [self._part(item) for item in node.right.items] if isinstance(node.right, Items) else []
        shown = self._aligned(left, *items)
        return f"({shown[0]} in [{', '.join(shown[1:])}])"

    def _choice(self, node: Choice) -> Part:
        then, other = self._part(node.then), self._part(node.other)
        shown = self._aligned(then, other)
        text = f"({_plain(self._part(node.test))} ? {shown[0]} : {shown[1]})"
        if isinstance(then, str) or isinstance(other, str):
            return text
        return Scaled(text, max(then.exponent, other.exponent))

    def _call(self, node: Call) -> Part:
        arguments = node.arguments
        if node.name == "has":
            name = arguments[0]
            return f"h_{name.name}" if isinstance(name, Name) else "false"
        target = _plain(self._part(node.target)) if node.target else ""
        return f"{target}.{node.name}({', '.join(_plain(self._part(a)) for a in arguments)})"

    def _aligned(self, *parts: Part) -> list[str]:
        """The parts as text, all numbers among them at one exponent."""
        exponent = max((part.exponent for part in parts if not isinstance(part, str)), default=0)
        return [part if isinstance(part, str) else part.at(exponent) for part in parts]


def quoted(text: str) -> str:
    """A CEL text literal."""
    escaped = "".join(
        f"\\{character}" if character in '\\"' else character if character.isprintable() else f"\\U{ord(character):08x}"
        for character in text
    )
    return f'"{escaped}"'


def _plain(part: Part) -> str:
    return part if isinstance(part, str) else part.at(part.exponent)


def _folded(sign: str, left: Decimal, right: Decimal) -> Decimal:
    operations = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}
    return operations[sign](left, right)


def _integer(value: Decimal, column: int) -> str:
    number = int(value)
    if not -LIMIT <= number <= LIMIT:
        raise ExpressionError("a number is too large to be compared exactly", column)
    return str(number) if number >= 0 else f"({number})"
