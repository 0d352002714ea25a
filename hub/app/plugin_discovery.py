"""Finds plug-ins: every module in `adapters` and `transformers`, and what other distributions offer as entry points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from types import ModuleType

import adapters
import transformers
from hub.core.errors import ConfigError
from hub.core.plugin import Plugin, Plugins, declared

GROUP = "hub.plugins"


def discover() -> Plugins:
    """All plug-ins of this installation. Raises ConfigError for two of one kind and name, or one that can't be
    loaded."""
    found: list[Plugin] = []
    for package in (adapters, transformers):
        for module in modules(package):
            found.extend(declared_at(module, module.__name__))
    for point in entry_points(group=GROUP):
        try:
            found.extend(declared_at(point.load(), point.value.partition(" ")[0]))
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the plug-in {point.value!r} of {point.dist} can't be loaded: {error}") from error
    try:
        return Plugins.of(found)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def declared_at(thing: object, place: str) -> list[Plugin]:
    """The declarations that stand at `place`, which know it: a worker process finds them there again."""
    return [replace(plugin, found_in=place) for plugin in declared(thing)]
