"""Values have names that the type checker sees: no row without a type, and no list of arguments that hides which value
goes where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.code import nodes, trees

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

ROWS = "hub/journal/rows.py"
"""The one file that meets rows as the driver gives them."""

UNTYPED = {"Any", "list[Any]", "Sequence[Any]", "Iterable[Any]", "tuple[Any, ...]"}
NAMES = {"row", "hold", "letter", "member", "effect", "suspect"}


def untyped_rows(found: Iterable[ast.AST], journal: bool) -> Iterator[int]:
    """Lines of parameters that are rows of no type; in the journal also of functions that give such rows."""
    for node in found:
        if isinstance(node, ast.arg) and node.annotation is not None:
            if node.arg in NAMES and ast.unparse(node.annotation) in UNTYPED:
                yield node.lineno
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and journal
            and node.returns is not None
            and ast.unparse(node.returns) in UNTYPED - {"Any"}
        ):
            yield node.lineno


def hidden_arguments(found: Iterable[ast.AST]) -> Iterator[int]:
    """Lines of `f(*(a, b, c))`."""
    for node in found:
        for one in node.args if isinstance(node, ast.Call) else ():
            if isinstance(one, ast.Starred) and isinstance(one.value, ast.Tuple | ast.List):
                yield one.lineno


def test_a_row_has_a_type() -> None:
    found = [f"{name}:{n}" for name in trees() for n in untyped_rows(nodes(name), name.startswith("hub/journal/"))]
    assert [place for place in found if not place.startswith(f"{ROWS}:")] == []


def test_no_list_of_arguments_hides_which_value_goes_where() -> None:
    found = [f"{name}:{line}" for name in trees() for line in hidden_arguments(nodes(name))]
    assert found == []


@pytest.mark.parametrize("source", ["def f(row: Any): ...", "async def query(c) -> Sequence[Any]: ..."])
def test_an_untyped_row_would_be_found(source: str) -> None:
    assert list(untyped_rows(ast.walk(ast.parse(source)), journal=True))


@pytest.mark.parametrize("source", ["f(*(a, b, c), d=1)", "f(*[a, b])"])
def test_a_hidden_list_would_be_found(source: str) -> None:
    assert list(hidden_arguments(ast.walk(ast.parse(source))))
