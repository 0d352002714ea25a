"""The use of a plug-in in a file: which one, with which options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.configuration.files.finding import Findings
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.errors import FilePlace
from hub.core.options.nearest import did_you_mean, hint
from hub.core.plugin import OnEndpoint, Options, Plugin, endpoint_field
from hub.core.plugins import Plugins

P = TypeVar("P", bound=Plugin[Any])
Plugged = TypeVar("Plugged", bound=Plugin[Any], covariant=True)


@dataclass(frozen=True, slots=True)
class Use(Generic[Plugged]):
    """A plug-in with its checked options."""

    plugin: Plugged
    options: Options

    def __repr__(self) -> str:
        """Without the options, which may hold secrets."""
        return f"Use({self.plugin.kind} {self.plugin.name})"

    def value(self, field: str) -> Any:
        """The value of an option."""
        return getattr(self.options, field)

    @property
    def on_endpoint(self) -> OnEndpoint | None:
        """The field that names an endpoint, and the plug-in that it must be of."""
        return endpoint_field(self.plugin)

    @property
    def endpoint(self) -> str | None:
        """The endpoint that the options name."""
        named: str | None = self.value(self.on_endpoint[0]) if self.on_endpoint is not None else None
        return named


@dataclass(frozen=True, slots=True)
class PlacedUse(Generic[Plugged]):
    """A use, and where its parts stand, for the checks that come after."""

    use: Use[Plugged]
    file: YamlFile
    node: YamlNode

    def place(self, field: str) -> FilePlace:
        """Where an option stands; the options themselves when it isn't written out."""
        return self.file.place_of(self.node.child(written(self.use.plugin, field)) or self.node)


class PlugReader:
    """Finds plug-ins by their keys and validates their options."""

    def __init__(self, plugins: Plugins, findings: Findings) -> None:
        self._plugins = plugins
        self._findings = findings

    def keyed(
        self, kind: type[P], file: YamlFile, name: str, node: YamlNode, others: Sequence[str] = ()
    ) -> PlacedUse[P] | None:
        """`acme-inbox: {file: {...}, read: x12}`: exactly one key is a plug-in, the rest are among `others`."""
        if node.kind != "mapping":
            self._findings.error(
                file.place_of(node),
                f"{kind.kind} {name} should be a mapping with a plug-in",
                self._name_installed(kind),
            )
            return None
        keys = [key for key in node.entries if key not in others]
        known = [key for key in keys if self._plugins.find(kind, key)]
        if len(known) != 1:
            self._no_plugin(kind, file, name, node, keys, known)
            return None
        for key in keys:
            if key != known[0]:
                self._findings.error(file.place_of(node.keys[key]), f"unknown key {key!r}", hint(key, others))
        return self._options(kind, known[0], file, node.entries[known[0]], [])

    def chosen(self, kind: type[P], file: YamlFile, node: YamlNode) -> PlacedUse[P] | None:
        """`read: x12`, or `read: {json: order@1}` with further options beside the plug-in's key."""
        if node.kind == "scalar" and isinstance(node.value, str):
            if self._plugins.find(kind, node.value) is None:
                self._unknown(kind, node.value, file.place_of(node))
                return None
            return self._options(kind, node.value, file, YamlNode("mapping", node.line, node.column), [])
        if node.kind != "mapping" or not node.entries:
            self._findings.error(file.place_of(node), f"expected the name of a {kind.kind}", self._name_installed(kind))
            return None
        known = [key for key in node.entries if self._plugins.find(kind, key)]
        if len(known) != 1:
            self._no_plugin(kind, file, "this", node, list(node.entries), known)
            return None
        others = [(key, node.keys[key], value) for key, value in node.entries.items() if key != known[0]]
        return self._options(kind, known[0], file, node.entries[known[0]], others)

    def _no_plugin(
        self, kind: type[Plugin[Any]], file: YamlFile, name: str, node: YamlNode, keys: list[str], known: list[str]
    ) -> None:
        if len(known) > 1:
            place = file.place_of(node.keys[known[1]])
            self._findings.error(place, f"{name} names two {kind.kind} plug-ins: {known[0]} and {known[1]}")
        elif keys:
            self._unknown(kind, keys[0], file.place_of(node.keys[keys[0]]))
        else:
            self._findings.error(
                file.place_of(node), f"{kind.kind} {name} names no plug-in", self._name_installed(kind)
            )

    def _unknown(self, kind: type[Plugin[Any]], name: str, place: FilePlace) -> None:
        hint = did_you_mean(name, self._plugins.names(kind)) or self._name_installed(kind)
        self._findings.error(place, f"there is no {kind.kind} plug-in {name!r}", hint)

    def _name_installed(self, kind: type[Plugin[Any]]) -> str:
        return f"installed: {', '.join(self._plugins.names(kind)) or 'none'}"

    def _options(
        self, kind: type[P], name: str, file: YamlFile, node: YamlNode, others: list[tuple[str, YamlNode, YamlNode]]
    ) -> PlacedUse[P] | None:
        plugin = self._plugins.find(kind, name)
        if plugin is None:  # the callers looked
            return None
        merged = self._merged(plugin, file, node, others)
        if merged is None:
            return None
        options = validated(plugin.options, file, merged, self._findings)
        return PlacedUse(Use(plugin, options), file, merged) if options is not None else None

    def _merged(
        self, plugin: Plugin[Any], file: YamlFile, node: YamlNode, others: list[tuple[str, YamlNode, YamlNode]]
    ) -> YamlNode | None:
        """One mapping of all options, each at its own place."""
        merged = YamlNode("mapping", node.line, node.column)
        if node.kind == "mapping":
            merged.keys.update(node.keys)
            merged.entries.update(node.entries)
        elif node.kind == "sequence" or node.value is not None:
            if plugin.shorthand is None:
                self._findings.error(file.place_of(node), f"{plugin.name} takes a mapping of options")
                return None
            key = written(plugin, plugin.shorthand)
            merged.keys[key] = merged.entries[key] = node
        for key, key_node, value in others:
            if key in merged.entries:
                self._findings.error(file.place_of(key_node), f"the option {key!r} stands twice")
            merged.keys[key] = key_node
            merged.entries[key] = value
        return merged


def written(plugin: Plugin[Any], field: str) -> str:
    """The key under which a file writes an option: the field's alias where it has one. What the options derive from
    others has the key that it is called by."""
    known = plugin.options.model_fields.get(field)
    return (known.alias if known is not None else None) or field
