"""The plug-ins of an installation, and where a module declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hub.core.errors import ConfigError
from hub.core.plugin import KINDS, Plugin, PluginKind, declarations

P = TypeVar("P", bound=Plugin[Any])


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plug-ins that this installation has, by kind and name."""

    by_kind: Mapping[PluginKind, Mapping[str, Plugin[Any]]]

    @classmethod
    def of(cls, plugins: Iterable[Plugin[Any]]) -> Plugins:
        """Raises ConfigError for two of one kind and name."""
        table: dict[PluginKind, dict[str, Plugin[Any]]] = {kind: {} for kind in KINDS}
        for plugin in plugins:
            first = table[plugin.kind].setdefault(plugin.name, plugin)
            if first is not plugin:
                places = " and ".join(sorted({one.found_in or "a program" for one in (first, plugin)}))
                raise ConfigError(f"two plug-ins are called {plugin.kind} {plugin.name!r}, in {places}")
        return cls(table)

    def find(self, kind: type[P], name: str) -> P | None:
        found = self.by_kind[kind.kind].get(name)
        return found if isinstance(found, kind) else None

    def every(self, kind: type[P]) -> tuple[P, ...]:
        """All of a kind, in the order of their names."""
        return tuple(found for name in self.names(kind) if (found := self.find(kind, name)) is not None)

    def names(self, kind: type[Plugin[Any]]) -> tuple[str, ...]:
        return tuple(sorted(self.by_kind[kind.kind]))


def declared(thing: object, place: str) -> tuple[Plugin[Any], ...]:
    """The declarations of a module (PLUGIN or PLUGINS), or a declaration itself; none where a module has neither. They
    know that they stand at `place`. Raises ConfigError for what is no declaration."""
    if isinstance(thing, Plugin):
        return (_placed(thing, place, "it"),)
    one, many = getattr(thing, "PLUGIN", None), getattr(thing, "PLUGINS", ())
    if one is not None:
        return (_placed(one, place, "PLUGIN"),)
    if not isinstance(many, tuple | list):
        raise ConfigError(f"{place}: PLUGINS should be a tuple of declarations, not {type(many).__name__}")
    return tuple(_placed(each, place, f"PLUGINS[{position}]") for position, each in enumerate(many))


def _placed(thing: object, place: str, what: str) -> Plugin[Any]:
    if not isinstance(thing, Plugin):
        raise ConfigError(f"{place}: {what} is {type(thing).__name__}; expected one of {declarations()}")
    return replace(thing, found_in=place)
