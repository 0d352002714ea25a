"""What the workers of a site need to know, from the checked site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.configuration.entries.plug import Use
from hub.configuration.site import DestinationConfig, Site, SourceConfig, StepConfig
from hub.core.plugin import TransformerPlugin
from hub.runtime.contained.recipe import DestinationRecipe, PluginUse, Recipe, SourceRecipe, can_travel


def recipe_of(
    site: Site, folder: Path, texts: Mapping[tuple[str, str], str], log: Any, before: Recipe | None
) -> Recipe:
    """`texts` are those that the site was built from. What was removed from the site stays, for copies that are on
    their way. A plug-in that no module declares can't be built by a worker: the hub does its work, and says so in the
    log."""
    most = site.settings.containment.in_process_up_to
    sources = {name: source_recipe(config, most) for name, config in site.sources.items()}
    destinations = {name: destination_recipe(config, most) for name, config in site.destinations.items()}
    for made in (sources, destinations):
        for name in [name for name, one in made.items() if not all(map(can_travel, uses_of(one)))]:
            log.warning("not_contained", name=name, cause="a plug-in of it is declared by no module")
            del made[name]
    if before is not None:
        destinations = {**before.destinations, **destinations}
    return Recipe(folder.absolute(), sources, destinations, site.partners, site.facts, dict(texts), site.settings.work)


def source_recipe(config: SourceConfig, most: int) -> SourceRecipe:
    steps = tuple(step_of(step) for step in config.steps)
    bounds = [bound(config.reader), *(bound(step.use) for step in config.steps)]
    bounded = 0 if config.unpack is not None else min(most, *bounds)
    return SourceRecipe(use_of(config.reader, config.name), config.unpack, steps, bounded)


def destination_recipe(config: DestinationConfig, most: int) -> DestinationRecipe:
    steps = tuple(step_of(step) for step in config.steps)
    bounds = [bound(step.use) for step in config.steps]
    if config.writer is not None:
        bounds.append(bound(config.writer))
    writer = use_of(config.writer, config.name) if config.writer is not None else None
    return DestinationRecipe(writer, steps, config.gather is not None, min([most, *bounds]))


def bound(use: Use[TransformerPlugin[Any]]) -> int:
    return use.plugin.bounded(use.options)


def step_of(step: StepConfig) -> PluginUse:
    return use_of(step.use, step.name)


def use_of(use: Use[TransformerPlugin[Any]], name: str) -> PluginUse:
    return PluginUse(name, use.plugin.kind, use.plugin.name, use.plugin.found_in, use.options)


def uses_of(recipe: SourceRecipe | DestinationRecipe) -> list[PluginUse]:
    first = recipe.reader if isinstance(recipe, SourceRecipe) else recipe.writer
    return [*((first,) if first is not None else ()), *recipe.steps]
