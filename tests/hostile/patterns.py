"""Every pattern in the code, found by reading it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "transformers", "adapters")
CALLS = frozenset(("compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"))
ASKED = re.compile(r"\bre\.")
"""Without this, a file has no call of `re`."""

SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for name in PACKAGES
    for path in sorted((ROOT / name).rglob("*.py"))
}


@dataclass(frozen=True)
class Use:
    """A call of `re` in the function `within`. `name` is the module's name for a compiled pattern; `text` the pattern
    where it is written out."""

    file: str
    within: str
    method: str
    name: str | None
    text: str | bytes | None

    @property
    def key(self) -> str:
        text = self.text.decode("latin-1") if isinstance(self.text, bytes) else self.text
        return f"{self.file}:{self.name or text or self.within + '()'}"

    def methods(self) -> set[str]:
        """How the code asks it."""
        if self.name is None:
            return {self.method}
        asked = re.compile(rf"\b{self.name}\.(\w+)\(")
        files = (self.file, *(f for f in SOURCES if f.startswith(f"{Path(self.file).parent}/")))
        return {found[1] for file in files for found in asked.finditer(SOURCES[file]) if found[1] in CALLS}

    def pattern(self) -> re.Pattern[Any] | None:
        if self.name is not None:
            found = getattr(import_module(self.file.removesuffix(".py").replace("/", ".")), self.name, None)
            return found if isinstance(found, re.Pattern) else None
        return re.compile(self.text) if self.text is not None else None


def uses() -> Iterator[Use]:
    for file, source in SOURCES.items():
        yield from uses_in(file, source)


def uses_in(file: str, source: str) -> Iterator[Use]:
    if "re." not in source:
        return
    if not ASKED.search(source):
        return
    tree = ast.parse(source)
    named = {
        id(statement.value): statement.targets[0].id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    for node, within in _calls(tree, ""):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in CALLS:
            if not (isinstance(function.value, ast.Name) and function.value.id == "re"):
                continue
            first = node.args[0] if node.args else None
            text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, (str, bytes)) else None
            yield Use(file, within, function.attr, named.get(id(node)), text)


def _calls(node: ast.AST, within: str) -> Iterator[tuple[ast.Call, str]]:
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else within
        if isinstance(child, ast.Call):
            yield child, inner
        yield from _calls(child, inner)
