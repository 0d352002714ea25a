"""A class name means one thing in the whole code."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pytest

from tests.architecture.code import nodes, trees

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it


def ambiguous(files: Mapping[str, Iterable[ast.AST]]) -> dict[str, list[str]]:
    """Class names with several places."""
    places = defaultdict(list)
    for file, found in files.items():
        for node in found:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file}:{node.lineno}")
    return {name: where for name, where in places.items() if len(where) > 1}


def test_a_class_name_means_one_thing() -> None:
    assert ambiguous({file: nodes(file) for file in trees()}) == {}


def test_a_name_of_two_classes_would_be_found() -> None:
    one, other = ast.walk(ast.parse("class Place: ...")), ast.walk(ast.parse("def f():\n    class Place: ..."))
    assert ambiguous({"a.py": one, "b.py": other}) == {"Place": ["a.py:1", "b.py:2"]}
