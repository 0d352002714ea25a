"""The code of the hub as trees, read once for all tests that judge it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]


@cache
def trees() -> Mapping[str, ast.Module]:
    """By file, relative to the project."""
    paths = (path for folder in ("hub", "adapters", "transformers") for path in sorted((ROOT / folder).rglob("*.py")))
    found = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return MappingProxyType({name: ast.parse(text, name) for name, text in found.items()})


@cache
def nodes(name: str) -> tuple[ast.AST, ...]:
    """All nodes of a file."""
    return tuple(ast.walk(trees()[name]))
