"""A site while it is being read: what stands in which file, what has been understood so far, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.configuration.entries.plug import PlacedUse, PlugReader
from hub.configuration.files.finding import Findings
from hub.configuration.files.models import NAME
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.site import DestinationConfig, EndpointConfig, HoldConfig, Settings, SourceConfig
from hub.core.errors import FilePlace
from hub.core.options.nearest import hint
from hub.core.partners import Agreement
from hub.core.plugin import DestinationPlugin, SourcePlugin, TransformerPlugin
from hub.core.plugins import Plugins
from hub.core.retry import QUICK, RetryClass
from hub.core.routing.condition import Condition
from hub.core.routing.facts import FactPath, FactSet
from hub.core.routing.route import Route
from hub.documents import Document

if TYPE_CHECKING:
    from pathlib import Path

NAME_PATTERN = re.compile(NAME)

Text = Callable[[str, str], str]
"""The text of a file of the site, by folder and name. Raises ConfigError."""


@dataclass(slots=True)
class RouteDraft:
    """A compiled route with the places of its parts."""

    route: Route
    file: YamlFile
    node: YamlNode

    def place(self, *path: str | int) -> FilePlace:
        """Where a part of the route stands: `place("to", 0)`."""
        node = self.node
        for key in path:
            node = node.child(key) or node
        return self.file.place_of(node)


@dataclass(frozen=True, slots=True)
class AgreementDraft:
    """An agreement, and the file that says it."""

    agreement: Agreement
    file: YamlFile


@dataclass(slots=True)
class Draft:
    """Filled by one reader for each kind of file, in an order in which names are known before they are used."""

    plugins: Plugins
    exists: Callable[[str], bool]
    documents: Mapping[str, type[Document]]
    folder: Path | None = None
    """The site's, for plug-ins that look into files; None: there is none."""
    text: Text | None = None
    """Where readers, writers and steps can be built on trial; None: they aren't."""
    findings: Findings = field(default_factory=Findings)
    files: dict[str, YamlFile] = field(default_factory=dict)
    declared: dict[str, dict[str, FilePlace]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    """Kinds of names of which it can't be said that nothing uses them, because what could has errors."""
    settings: Settings = field(default_factory=Settings)
    retry_classes: dict[str, RetryClass] = field(default_factory=lambda: {QUICK.name: QUICK})
    holds: dict[str, HoldConfig] = field(default_factory=dict)
    fact_paths: list[FactPath] = field(default_factory=list)
    facts: FactSet = field(default_factory=FactSet)
    conditions: dict[str, Condition] = field(default_factory=dict)
    """Each text compiled once, however many routes say it."""
    agreements: dict[str, AgreementDraft] = field(default_factory=dict)
    endpoints: dict[str, EndpointConfig] = field(default_factory=dict)
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    destinations: dict[str, DestinationConfig] = field(default_factory=dict)
    placed: dict[str, PlacedUse[DestinationPlugin[Any]]] = field(default_factory=dict)
    """The adapter of each destination, with its places."""
    placed_sources: dict[str, PlacedUse[SourcePlugin[Any]]] = field(default_factory=dict)
    """The adapter of each source, with its places."""
    transformers: list[PlacedUse[TransformerPlugin[Any]]] = field(default_factory=list)
    """Readers, writers and steps of which nothing wrong is known yet."""
    routes: list[RouteDraft] = field(default_factory=list)

    @property
    def reading(self) -> PlugReader:
        return PlugReader(self.plugins, self.findings)

    def declare(self, kind: str, name: str, place: FilePlace) -> bool:
        """Takes a name; False, with an error that names both places, when it is taken or no name."""
        if not NAME_PATTERN.fullmatch(name):
            allowed = "letters, digits, - and _, beginning with a letter or digit"
            self.findings.error(place, f"{name!r} is no name of a {kind}", allowed)
            return False
        names = self.declared.setdefault(kind, {})
        if name in names:
            self.findings.error(place, f"the {kind} {name} is declared twice, first at {names[name]}")
            return False
        names[name] = place
        return True

    def use(self, kind: str, name: str, place: FilePlace, hint_when_none: str = "there are none") -> bool:
        """Notes that a name is used; False, with an error and the nearest word, when nothing has it."""
        self.used.add((kind, name))
        if name in self.declared.get(kind, {}):
            return True
        self.doubtful.add(kind)
        self.findings.error(
            place, f"there is no {kind} {name!r}", hint(name, self.declared.get(kind, {}), hint_when_none)
        )
        return False

    def writers_for(self, partner: str) -> tuple[str, ...]:
        """The destinations that write by the partner's agreement."""
        return tuple(
            name
            for name, destination in self.destinations.items()
            if (writer := destination.writer) is not None
            and any(writer.value(field) == partner for field in writer.plugin.partners)
        )

    def entries(self, file: YamlFile, node: YamlNode, what: str) -> Iterator[tuple[str, YamlNode, FilePlace]]:
        """The entries of a mapping of names: name, value, place of the name. An error when it is no mapping."""
        if node.kind == "mapping":
            for name, value in node.entries.items():
                yield name, value, file.place_of(node.keys[name])
        elif node.kind != "scalar" or node.value is not None:
            self.findings.error(file.place_of(node), f"{what} should be a mapping of names")
