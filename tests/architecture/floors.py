"""The floors of the architecture, and what of an import breaks them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.architecture.code import nodes, trees

FLOORS = {
    "hub.core": 0,
    "hub.documents": 0,
    "hub.mapping": 0,
    "transformers": 1,
    "hub.configuration": 1,
    "hub.broker": 2,
    "hub.journal": 2,
    "adapters": 2,
    "hub.clock": 2,
    "hub.runtime": 3,
    "hub.app": 4,
    "hub.cli": 5,
    "hub.demo": 5,
    "hub.console": 5,
    "hub.client": 5,
    "hub.main": 6,
    "hub.__main__": 6,
}
"""Package to floor. A module imports its own package or a lower floor. On floor 0, documents may use core, and mapping
both. Above the faces stands only the entry point that puts them together."""

SAME_FLOOR = {
    ("hub.documents", "hub.core"),
    ("hub.mapping", "hub.core"),
    ("hub.mapping", "hub.documents"),
    ("hub.demo", "hub.cli"),
    ("hub.__main__", "hub.main"),
}

FORBIDDEN = {("adapters", "transformers"), ("transformers", "adapters")}

APART = ("transformers", "adapters")
"""In these every module is a plug-in of its own: none imports another, unless it is a package of its own parts."""

SHARED = {"adapters.inbox"}
"""What plug-ins may share: the parts of a source that watches a folder. It imports none of them."""

CONFINED = {
    "aio_pika": ("hub/broker/",),
    "aiormq": ("hub/broker/rabbit/aiormq_connection.py",),
    "pamqp": ("hub/broker/",),
    "sqlalchemy": ("hub/journal/", "hub/client/outbox.py"),
    "alembic": ("hub/journal/",),
    "aiosqlite": ("hub/journal/",),
    "asyncpg": ("hub/journal/",),
    "paramiko": ("adapters/sftp/connection.py",),
    "asyncssh": ("adapters/sftp_server/",),
    "fastapi": ("adapters/http/", "hub/console/"),
    "uvicorn": ("adapters/http/", "hub/cli/", "hub/console/"),
    "zeep": ("adapters/soap/",),
    "kombu": ("adapters/bridge.py", "adapters/bridge/", "hub/client/"),
    "fsspec": ("adapters/file/store.py",),
    "cronsim": ("hub/core/options/cron.py",),
    "jwt": ("adapters/http/",),
    "aiohttp": ("adapters/",),
    "httpx": ("adapters/",),
    "jinja2": ("hub/mapping/", "hub/cli/new/plugin_scaffold.py"),
    "yaml": ("hub/configuration/files/yaml_loader.py", "transformers/x12/"),
    "typer": ("hub/cli/", "hub/demo/"),
    "rich": ("hub/cli/", "hub/demo/"),
}
"""A third-party package, and the places whose business it is to wrap it."""

IMPURE = {
    "asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "queue", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "structlog",
    "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid", "anyio", "requests", "sys",
}  # fmt: skip
"""What floors 0 and 1 never import: I/O, clocks, event loops, loggers, chance."""

ALLOWED = {
    ("hub/core/ports.py", "pathlib"): "FileBody names the file that a body stands in; adapters open it",
    ("hub/core/context.py", "pathlib"): "Context names the site's folder and the spool; adapters open files there",
}
"""Exceptions, each with its reason."""


@dataclass(frozen=True, order=True)
class Import:
    """One import: the file it stands in, the line, the module it names; `typing_only` inside `if TYPE_CHECKING`."""

    file: str
    line: int
    module: str
    typing_only: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: imports {self.module}"


def imports() -> Iterator[Import]:
    """Every import of every module."""
    for name in trees():
        yield from _imports(name, nodes(name))


def imports_of(name: str, source: str) -> Iterator[Import]:
    """The imports of one file, wherever in it they stand, relative ones resolved."""
    yield from _imports(name, tuple(ast.walk(ast.parse(source, name))))


def _imports(name: str, found: Sequence[ast.AST]) -> Iterator[Import]:
    for_typing = {
        id(inner)
        for node in found
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in found:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name, id(node) in for_typing)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node)
            for alias in node.names:
                yield Import(name, node.lineno, f"{base}.{alias.name}", id(node) in for_typing)


def _absolute(name: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = name.removesuffix(".py").split("/")[: -node.level]
    return ".".join([*parts, node.module] if node.module else parts)


def violations(found: Iterator[Import]) -> list[str]:
    """What breaks the floors, a sentence each."""
    return sorted(f"{one}: {why}" for one in found for why in _why(one))


def _why(one: Import) -> Iterator[str]:
    here = _package(one.file.removesuffix(".py").replace("/", "."))
    there = _package(one.module)
    if here and there and here != there and not (one.typing_only and FLOORS[here] == FLOORS[there]):
        if (here, there) in FORBIDDEN or FLOORS[there] > FLOORS[here]:
            yield f"{here} (floor {FLOORS[here]}) may not reach {there} (floor {FLOORS[there]})"
        elif FLOORS[there] == FLOORS[here] and (here, there) not in SAME_FLOOR:
            yield f"{here} and {there} stand on one floor and may not know each other"
    own, other = _part(one.file.removesuffix(".py").replace("/", ".")), _part(one.module)
    if here in APART and there == here and own != other and f"{there}.{other}" not in SHARED:
        yield f"two plug-ins of {here} may not know each other"
    yield from _confined(one)
    if here and FLOORS[here] <= 1 and not one.typing_only:
        yield from _impure(one)


def _confined(one: Import) -> Iterator[str]:
    top = one.module.split(".")[0]
    places = CONFINED.get(top)
    if places and not one.file.startswith(places):
        yield f"{top} belongs to {' and '.join(places)}"


def _impure(one: Import) -> Iterator[str]:
    for module in IMPURE:
        if (one.module == module or one.module.startswith(f"{module}.")) and (one.file, module) not in ALLOWED:
            yield f"floors 0 and 1 do no I/O and know no clock, loop, logger or chance ({module})"


def _package(module: str) -> str | None:
    return next((package for package in FLOORS if module == package or module.startswith(f"{package}.")), None)


def _part(module: str) -> str:
    """The plug-in that a module of `transformers` or `adapters` belongs to."""
    return module.split(".")[1] if "." in module else ""
