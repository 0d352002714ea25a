"""The parser of conditions: the part of CEL that they may use, as a tree with columns.

Grammar: CEL's operators `?: || && == != < <= > >= in + - * / % !`, literals, lists after `in`, `has(fact)` and the
methods of text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

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

MAX_LENGTH = 4000
MAX_DEPTH = 60
MAX_OPERATORS = 200

PRECEDENCE = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip

TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)(?![\w.]))
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>\|\||&&|==|!=|<=|>=|[<>+\-*/%!?:()\[\],.])""",
    re.VERBOSE,
)

ESCAPE = re.compile(r"\\(?:([\\\"'`?abfnrtv])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
PLAIN_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class ExpressionToken:
    kind: str
    text: str
    column: int


def tokens(expression: str) -> list[ExpressionToken]:
    """The tokens, ended by one of kind `end`."""
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(expression)} characters; at most {MAX_LENGTH} are taken", 1)
    found: list[ExpressionToken] = []
    at = 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if match is None:
            raise ExpressionError(f"{expression[at]!r} can't stand here", at + 1, _sign_hint(expression[at:]))
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(ExpressionToken(kind, match.group(), at + 1))
        at = match.end()
    found.append(ExpressionToken("end", "the end", len(expression) + 1))
    return found


def parse(expression: str) -> Node:
    """The tree of an expression. Raises ExpressionError with the column of the first thing that doesn't fit."""
    parser = _Parser(tokens(expression))
    node = parser.choice()
    parser.end()
    return node


def _sign_hint(rest: str) -> str | None:
    if rest[0] == "=":
        return "equality is `==`"
    if rest[0] in "&|":
        return f"write `{rest[0] * 2}`"
    if rest[0] in "\"'":
        return "the closing quote is missing"
    return None


def _unescape(quoted: str, column: int) -> str:
    def character(match: re.Match[str]) -> str:
        plain, two, four, eight, other = match.groups()
        if plain is not None:
            return PLAIN_ESCAPES.get(plain, plain)
        digits = two or four or eight
        if digits is None:
            raise ExpressionError(f"unknown escape \\{other}", column, "write \\\\ for a backslash")
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ExpressionError(f"\\{match.group()[1:]} is no character", column)
        return chr(code)

    return ESCAPE.sub(character, quoted[1:-1])


class _Parser:
    """Precedence climbing over the tokens."""

    def __init__(self, found: list[ExpressionToken]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._signs = 0
        self._operators = 0

    @property
    def _next(self) -> ExpressionToken:
        return self._tokens[self._at]

    def _take(self) -> ExpressionToken:
        token = self._next
        self._at += 1
        return token

    def _accept(self, sign: str) -> ExpressionToken | None:
        if self._next.kind in ("sign", "name") and self._next.text == sign:
            return self._take()
        return None

    def _expect(self, sign: str) -> None:
        if self._accept(sign) is None:
            raise ExpressionError(f"expected `{sign}`, found {self._show_next()}", self._next.column)

    def _show_next(self) -> str:
        return "the end" if self._next.kind == "end" else f"`{self._next.text}`"

    def end(self) -> None:
        if self._next.kind != "end":
            hint = {"and": "write `&&`", "or": "write `||`"}.get(self._next.text.lower())
            raise ExpressionError(
                f"expected an operator or the end, found {self._show_next()}", self._next.column, hint
            )

    def choice(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self._next.column)
        node = self._binary(1)
        if mark := self._accept("?"):
            then = self.choice()
            self._expect(":")
            node = Choice(node, then, self.choice(), mark.column)
        self._depth -= 1
        return node

    def _binary(self, least: int) -> Node:
        node = self._unary()
        while (rank := self._rank()) >= least:
            sign = self._take()
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                raise ExpressionError(f"more than {MAX_OPERATORS} operators", sign.column)
            node = Binary(sign.text, node, self._binary(rank + 1), sign.column)
        return node

    def _rank(self) -> int:
        return PRECEDENCE.get(self._next.text, 0) if self._next.kind in ("sign", "name") else 0

    def _unary(self) -> Node:
        signs: list[ExpressionToken] = []
        while sign := (self._accept("!") or self._accept("-")):
            signs.append(sign)
            if self._signs + len(signs) > MAX_DEPTH:
                raise ExpressionError(f"nested deeper than {MAX_DEPTH}", sign.column)
        self._signs += len(signs)
        node = self._member()
        self._signs -= len(signs)
        for sign in reversed(signs):
            node = Unary(sign.text, node, sign.column)
        return node

    def _member(self) -> Node:
        node = self._primary()
        while self._accept("."):
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                raise ExpressionError(f"more than {MAX_OPERATORS} operators", self._next.column)
            name = self._take()
            if name.kind != "name":
                raise ExpressionError("expected a method name after `.`", name.column)
            if self._accept("(") is None:
                raise ExpressionError(f"facts are flat: `.{name.text}` is no method call", name.column)
            node = FunctionCall(name.text, node, self._list(")"), name.column)
        return node

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return Literal(Decimal(token.text), token.column, integer=token.text.isdigit())
        if token.kind == "text":
            return Literal(_unescape(token.text, token.column), token.column)
        if token.kind == "name":
            return self._parse_name(token)
        if token.text == "(" and token.kind == "sign":
            node = self.choice()
            self._expect(")")
            return node
        if token.text == "[" and token.kind == "sign":
            return Items(self._list("]"), token.column)
        self._at -= 1
        raise ExpressionError(f"expected a fact or a value, found {self._show_next()}", token.column)

    def _parse_name(self, token: ExpressionToken) -> Node:
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.column)
        if token.text in ("null", "in"):
            hint = "has(fact) tells whether a fact has a value" if token.text == "null" else None
            raise ExpressionError(f"`{token.text}` can't stand here", token.column, hint)
        if self._accept("("):
            return FunctionCall(token.text, None, self._list(")"), token.column)
        return Name(token.text, token.column)

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._accept(closing) is None:
            if items:
                self._expect(",")
            items.append(self.choice())
        return tuple(items)
