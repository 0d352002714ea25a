"""The headers that are the hub's own stand in one file, by name."""

from __future__ import annotations

import ast
from pathlib import Path

from hub.core.message import Header

ROOT = Path(__file__).parents[2]
HOME = "hub/core/message.py"
OWN = {value for name, value in vars(Header).items() if name.isupper()}


def spelled_out(source: str) -> list[int]:
    """Lines that write one of them as a text."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and node.value in OWN]


def test_a_header_that_is_spelled_out_is_found() -> None:
    assert spelled_out('a = headers.get("hub-claim")\nb = headers.get("hub-other")\n') == [1]


def test_no_header_is_spelled_out_elsewhere() -> None:
    for folder in ("hub", "adapters", "transformers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            assert name == HOME or not spelled_out(path.read_text(encoding="utf-8")), name
