"""Finds plug-ins: every module in `adapters` and `transformers`, and what other distributions offer as entry points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import adapters
import transformers
from hub.core.errors import ConfigError
from hub.core.plugin import Plugin, declarations
from hub.core.plugins import Plugins, declared

GROUP = "hub.plugins"


def discover() -> Plugins:
    """All plug-ins of this installation. Raises ConfigError for two of one kind and name, for one that can't be loaded,
    and for what is no declaration."""
    found: list[Plugin[Any]] = []
    for package in (adapters, transformers):
        for module in modules(package):
            found.extend(declared(module, module.__name__))
    for point in entry_points(group=GROUP):
        found.extend(offered(point))
    return Plugins.of(found)


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def offered(point: EntryPoint) -> tuple[Plugin[Any], ...]:
    """What an entry point declares. Raises ConfigError, with the distribution, where that can't be loaded or is
    nothing."""
    where = point.value.partition(" ")[0]
    try:
        found = declared(point.load(), where)
    except ConfigError as error:
        raise ConfigError(f"the plug-in {point.value!r} of {point.dist}: {error.text}", hint=error.hint) from error
    except Exception as error:
        hint = f"a declaration is one of {declarations()}" if isinstance(error, TypeError) else None
        raise ConfigError(f"the plug-in {point.value!r} of {point.dist} can't be loaded: {error}", hint=hint) from error
    if not found:
        wanted = f"expected PLUGIN, or PLUGINS, of {declarations()}"
        raise ConfigError(f"the plug-in {point.value!r} of {point.dist}: {where} declares nothing; {wanted}")
    return found
