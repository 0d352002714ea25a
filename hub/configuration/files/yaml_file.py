"""A parsed YAML file: its values as nodes, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.core.errors import ConfigError, FilePlace

Path = tuple[str | int, ...]


@dataclass(slots=True)
class YamlNode:
    """One value of a file. `raw` is a scalar's text as the file has it (before `${...}`), so that an error never shows
    what a variable holds. `width`: characters it takes in its line, 0 when it has several. `referenced`: it came wholly
    or partly from the environment; `defaulted`: from the default in `${NAME:-default}`; `missing`: the variable is not
    set, which is an error already."""

    kind: str
    line: int
    column: int
    value: Any = None
    raw: str = ""
    plain: bool = False
    width: int = 0
    referenced: bool = False
    defaulted: bool = False
    missing: bool = False
    items: list[YamlNode] = field(default_factory=list)
    keys: dict[str, YamlNode] = field(default_factory=dict)
    entries: dict[str, YamlNode] = field(default_factory=dict)

    def child(self, key: str | int) -> YamlNode | None:
        if isinstance(key, int):
            return self.items[key] if 0 <= key < len(self.items) else None
        return self.entries.get(key)

    def walk(self) -> Iterator[YamlNode]:
        yield self
        for node in (*self.items, *self.entries.values()):
            yield from node.walk()

    def data(self) -> Any:
        """The value as plain Python: dict, list, str, int, float, bool, None."""
        if self.kind == "mapping":
            return {key: node.data() for key, node in self.entries.items()}
        return [node.data() for node in self.items] if self.kind == "sequence" else self.value


class YamlFile:
    """A parsed file: its root node, and the place of everything in it. `findings` are the errors that parsing got
    past: duplicate keys and missing environment variables."""

    def __init__(self, name: str, root: YamlNode, errors: tuple[ConfigError, ...] = ()) -> None:
        self.name = name
        self.root = root
        self.errors = errors

    @property
    def data(self) -> Any:
        return self.root.data()

    def place_of(self, node: YamlNode) -> FilePlace:
        return FilePlace(self.name, node.line, node.column)

    def find(self, path: Path) -> YamlNode | None:
        node: YamlNode | None = self.root
        for key in path:
            node = node.child(key) if node else None
        return node

    def place(self, path: Path = ()) -> FilePlace:
        """Where the value at `path` stands; that of its nearest known parent when there is no such value."""
        node = self.root
        for key in path:
            found = node.child(key)
            if found is None:
                break
            node = found
        return self.place_of(node)

    def key_place(self, path: Path) -> FilePlace:
        """Where the key stands under which the value at `path` was written."""
        parent = self.find(path[:-1]) if path else None
        key = parent.keys.get(str(path[-1])) if parent else None
        return self.place_of(key) if key else self.place(path)
