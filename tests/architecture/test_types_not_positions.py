"""Values have names that the type checker sees: no row without a type, and no list of arguments that hides which value goes where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = "hub/journal/rows.py"
"""The one file that meets rows as the driver gives them."""

UNTYPED = {"Any", "list[Any]", "Sequence[Any]", "Iterable[Any]", "tuple[Any, ...]"}
NAMES = {"row", "hold", "letter", "member", "effect", "suspect"}

LATER = "transformers/x12/"
"""Where seven lists of arguments are left."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("hub", "adapters", "transformers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def untyped_rows(tree: ast.Module, journal: bool) -> Iterator[int]:
    """Lines of parameters that are rows of no type; in the journal also of functions that give such rows."""
    for node in ast.walk(tree):
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


def hidden_arguments(tree: ast.Module) -> Iterator[int]:
    """Lines of `f(*(a, b, c))`."""
    for node in ast.walk(tree):
        for one in node.args if isinstance(node, ast.Call) else ():
            if isinstance(one, ast.Starred) and isinstance(one.value, ast.Tuple | ast.List):
                yield one.lineno


def test_a_row_has_a_type() -> None:
    found = [f"{name}:{n}" for name, tree in sources() for n in untyped_rows(tree, name.startswith("hub/journal/"))]
    assert [place for place in found if not place.startswith(f"{ROWS}:")] == []


def test_no_list_of_arguments_hides_which_value_goes_where() -> None:
    found = [f"{name}:{line}" for name, tree in sources() for line in hidden_arguments(tree)]
    assert [place for place in found if not place.startswith(LATER)] == []


@pytest.mark.parametrize("source", ["def f(row: Any): ...", "async def query(c) -> Sequence[Any]: ..."])
def test_an_untyped_row_would_be_found(source: str) -> None:
    assert list(untyped_rows(ast.parse(source), journal=True))


@pytest.mark.parametrize("source", ["f(*(a, b, c), d=1)", "f(*[a, b])"])
def test_a_hidden_list_would_be_found(source: str) -> None:
    assert list(hidden_arguments(ast.parse(source)))
