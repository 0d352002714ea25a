"""Strict YAML 1.2 on PyYAML's parser, with the position of every value.

Plain scalars follow the core schema of YAML 1.2 (10.3): `true`, `false`, `null` and numbers; everything else is text,
so `on`, `no`, `12:30` and `010` are what they look like. Refused, each with its place: duplicate keys, tags, several
documents, tabs, bytes that are not UTF-8, nesting and sizes beyond reason, aliases that blow up. `${NAME}` stands for
an environment variable; `$${` for a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.errors import ConfigError, FilePlace
from hub.core.options.nearest import did_you_mean

MAX_BYTES = 16 << 20
MAX_DEPTH = 40
MAX_NODES = 1_000_000

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
BASED = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,30}|(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?")
WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{")


def load(name: str, content: bytes, environ: Mapping[str, str]) -> YamlFile:
    """Parses one file. Raises ConfigError for what makes the file unreadable; collects in `errors` what doesn't."""
    text = _decoded(name, content)
    return _NodeBuilder(name, environ).build(text)


def _decoded(name: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise ConfigError(f"the file has {len(content)} bytes, more than the {MAX_BYTES} allowed", FilePlace(name))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise ConfigError("the file is not UTF-8 here", FilePlace(name, line, column)) from None
    return text


class _NodeBuilder:
    """Turns the parser's events into nodes without recursion."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = environ
        self._errors: list[ConfigError] = []
        self._count = 0
        self._anchors: dict[str, tuple[YamlNode, int]] = {}

    def build(self, text: str) -> YamlFile:
        root: YamlNode | None = None
        stack: list[_Open] = []
        try:
            for event in yaml.parse(text, Loader=PARSER):
                if isinstance(event, yaml.DocumentStartEvent):
                    if root is not None:
                        raise ConfigError("a second document begins here; a file is one document", self._at(event))
                    self._version(event)
                elif isinstance(event, yaml.NodeEvent):
                    node = self._node(event, stack)
                    if node is not None and not stack and node.kind in ("scalar", "alias"):
                        root = node
                elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                    closed = stack.pop()
                    if closed.anchor:
                        self._anchors[closed.anchor] = (closed.node, self._count - closed.count)
                    if not stack:
                        root = closed.node
        except yaml.YAMLError as error:
            raise self._syntax(error, text) from None
        return YamlFile(self._name, root or YamlNode("scalar", 1, 1, None, plain=True), tuple(self._errors))

    def _node(self, event: Any, stack: list[_Open]) -> YamlNode | None:
        place = self._at(event)
        self._count_nodes(1, place)
        if isinstance(event, yaml.AliasEvent):
            node = self._alias(event, place)
        elif isinstance(event, yaml.ScalarEvent):
            self._untagged(event, place)
            is_key = bool(stack) and stack[-1].wants_key
            node = self._scalar(event, place, is_key)
            if event.anchor:
                self._anchors[event.anchor] = (node, 1)
        else:
            self._untagged(event, place)
            kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
            node = YamlNode(kind, place.line, place.column)
            if len(stack) >= MAX_DEPTH:
                raise ConfigError(f"nested deeper than {MAX_DEPTH}", place)
        if stack:
            self._put(stack[-1], node, place)
        if isinstance(event, yaml.CollectionStartEvent):
            self._anchors.pop(event.anchor or "", None)
            stack.append(_Open(node, event.anchor, self._count))
        return node

    def _put(self, parent: _Open, node: YamlNode, place: FilePlace) -> None:
        if parent.node.kind == "sequence":
            parent.node.items.append(node)
        elif parent.key is None:
            if node.kind != "scalar":
                raise ConfigError("a key must be a plain text", place)
            parent.key = node
        else:
            self._entry(parent, parent.key, node)
            parent.key = None

    def _entry(self, parent: _Open, key: YamlNode, node: YamlNode) -> None:
        first = parent.node.keys.get(key.raw)
        if first is not None:
            text = f"the key {key.raw!r} stands twice, first in line {first.line}"
            self._errors.append(ConfigError(text, FilePlace(self._name, key.line, key.column)))
            return
        parent.node.keys[key.raw] = key
        parent.node.entries[key.raw] = node

    def _scalar(self, event: Any, place: FilePlace, is_key: bool) -> YamlNode:
        raw: str = event.value
        plain = bool(event.implicit[0])
        node = YamlNode("scalar", place.line, place.column, raw, raw, plain, _width(event))
        if is_key:
            return node
        if "${" in raw:
            self._referenced(node, place)
        elif plain:
            node.value = _resolved(raw)
        return node

    def _referenced(self, node: YamlNode, place: FilePlace) -> None:
        def value(match: re.Match[str]) -> str:
            if match.group() == "$${":
                return "${"
            name, default = match.groups()
            if name is None:
                self._errors.append(ConfigError("`${` without a name and `}`", place, "write `$${` for a literal `${`"))
                return ""
            node.referenced = True
            if name in self._environ and (self._environ[name] or default is None):
                return self._environ[name]
            if default is None:
                text = f"the environment variable {name} is not set"
                self._errors.append(ConfigError(text, place, did_you_mean(name, self._environ)))
                node.missing = True
                return ""
            node.defaulted = True
            return default

        node.value = REFERENCE.sub(value, node.raw)

    def _alias(self, event: Any, place: FilePlace) -> YamlNode:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise ConfigError(f"nothing before this is called &{event.anchor}", place)
        self._count_nodes(found[1], place)
        return found[0]

    def _count_nodes(self, more: int, place: FilePlace) -> None:
        self._count += more
        if self._count > MAX_NODES:
            raise ConfigError(f"more than {MAX_NODES} values, aliases counted", place)

    def _untagged(self, event: Any, place: FilePlace) -> None:
        if event.tag is not None:
            raise ConfigError(f"the tag {event.tag} is not allowed", place)

    def _version(self, event: Any) -> None:
        if event.version not in (None, (1, 1), (1, 2)):
            raise ConfigError("this is no YAML 1.2", self._at(event))

    def _at(self, event: Any) -> FilePlace:
        return FilePlace(self._name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _syntax(self, error: yaml.YAMLError, text: str) -> ConfigError:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is no YAML"
        if mark is None:
            return ConfigError(f"not YAML: {problem}", FilePlace(self._name))
        line = text.split("\n", mark.line + 1)[mark.line : mark.line + 1]
        tab = bool(line) and line[0][mark.column : mark.column + 1] == "\t"
        place = FilePlace(self._name, mark.line + 1, mark.column + 1)
        return ConfigError(f"not YAML: {problem}", place, "a tab; indent with spaces" if tab else None)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has begun and not ended."""

    node: YamlNode
    anchor: str | None
    count: int
    key: YamlNode | None = None

    @property
    def wants_key(self) -> bool:
        return self.node.kind == "mapping" and self.key is None


def _width(event: Any) -> int:
    start, end = event.start_mark, event.end_mark
    return int(end.column - start.column) if start.line == end.line else 0


def _resolved(raw: str) -> Any:
    if raw in WORDS:
        return WORDS[raw]
    if INTEGER.fullmatch(raw):
        return int(raw)
    if BASED.fullmatch(raw):
        return int(raw, 0)
    if FLOAT.fullmatch(raw):
        return float(raw)
    return raw
