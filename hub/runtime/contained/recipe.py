"""What a worker needs to know of a site: its plug-ins with their options, and the texts that they are built from. No
secret of an endpoint is in it."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.core.errors import ConfigError
from hub.core.identity import digest
from hub.core.options.work import WorkBounds
from hub.core.partners import PartnerDirectory
from hub.core.plugin import Plugin, PluginKind
from hub.core.plugins import declared
from hub.core.routing.facts import FactSet


@dataclass(frozen=True, slots=True)
class PluginUse:
    """A plug-in with its options, as `name` of the site uses it. `found_in` is the module, or `module:attribute`, that
    declares it."""

    name: str
    kind: PluginKind
    plugin: str
    found_in: str
    options: Any

    def find(self) -> Plugin[Any]:
        """Raises ConfigError where the installation has changed since the hub began."""
        module, _, attribute = self.found_in.partition(":")
        try:
            thing = importlib.import_module(module)
            for part in attribute.split(".") if attribute else ():
                thing = getattr(thing, part)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the plug-in {self.plugin} is not at {self.found_in} any more: {error}") from error
        for plugin in declared(thing, self.found_in):
            if (plugin.kind, plugin.name) == (self.kind, self.plugin):
                return plugin
        raise ConfigError(f"{self.found_in} declares no {self.kind} {self.plugin!r} any more")


@dataclass(frozen=True, slots=True)
class SourceRecipe:
    """How a source reads. Bodies up to `bounded` bytes cost little, whatever is in them."""

    reader: PluginUse
    unpack: str | None = None
    steps: tuple[PluginUse, ...] = ()
    bounded: int = 0


@dataclass(frozen=True, slots=True)
class DestinationRecipe:
    """How a destination makes its bytes. Canonical forms up to `bounded` bytes cost little, whatever is in them."""

    writer: PluginUse | None = None
    steps: tuple[PluginUse, ...] = ()
    gathers: bool = False
    bounded: int = 0


@dataclass(frozen=True)
class Recipe:
    """Of one version of a site. `texts`: by folder and name."""

    site: Path
    sources: Mapping[str, SourceRecipe]
    destinations: Mapping[str, DestinationRecipe]
    partners: PartnerDirectory
    facts: FactSet
    texts: Mapping[tuple[str, str], str]
    work: WorkBounds

    @cached_property
    def pickled(self) -> bytes:
        return pickle.dumps(Recipe(*(getattr(self, one.name) for one in fields(self))), pickle.HIGHEST_PROTOCOL)

    @cached_property
    def id(self) -> str:
        """Two recipes with one id are the same."""
        return digest(self.pickled)


def can_travel(use: PluginUse) -> bool:
    """Whether a worker can build it: a plug-in that was made by hand, within a program, can't be found there."""
    if not use.found_in:
        return False
    try:
        pickle.dumps(use)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return True
