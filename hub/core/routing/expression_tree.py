"""The tree of an expression. Every node knows the column it stands at, counted from 1."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hub.core.errors import ConfigError


class ExpressionError(ConfigError):
    """An expression that can't be used. `column` counts from 1 inside the expression."""

    def __init__(self, text: str, column: int, hint: str | None = None) -> None:
        super().__init__(text, hint=hint)
        self.column = column


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, a number (Decimal) or a boolean. `integer`: written without a fraction."""

    value: str | Decimal | bool
    column: int
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of expressions; stands only on the right of `in`."""

    items: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node
    column: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`test ? then : other`."""

    test: Node
    then: Node
    other: Node
    column: int


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`name(arguments)`, or `target.name(arguments)`."""

    name: str
    target: Node | None
    arguments: tuple[Node, ...]
    column: int


Node = Literal | Name | Items | Unary | Binary | Choice | FunctionCall
