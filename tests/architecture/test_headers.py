"""The headers that are the hub's own stand in one file, by name."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import pytest

from hub.core.message import Header
from tests.architecture.code import nodes, trees

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

HOME = "hub/core/message.py"
OWN = {value for name, value in vars(Header).items() if name.isupper()}


def spelled_out(found: Iterable[ast.AST]) -> list[int]:
    """Lines that write one of them as a text."""
    return [node.lineno for node in found if isinstance(node, ast.Constant) and node.value in OWN]


def test_a_header_that_is_spelled_out_is_found() -> None:
    source = 'a = headers.get("hub-claim")\nb = headers.get("hub-other")\n'
    assert spelled_out(ast.walk(ast.parse(source))) == [1]


def test_no_header_is_spelled_out_elsewhere() -> None:
    assert [name for name in trees() if name != HOME and spelled_out(nodes(name))] == []
