"""What a worker has built from a recipe: readers, steps and writers, each when it is first needed. Endpoints are in the
hub alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.ports import NumberedWriter, Reader, Writer
from hub.core.step import NamedStep
from hub.runtime.contained.recipe import PluginUse, Recipe
from transformers.unpack import unpacked_by


@dataclass(frozen=True, slots=True)
class BenchForm:
    """How a destination makes its bytes, as `hub.runtime.delivery.rendering` needs it."""

    name: str
    writer: Writer | None
    gathers: bool
    sequence: str | None


class Bench:
    """Of one version of a site. Raises ConfigError for what can't be built any more."""

    def __init__(self, recipe: Recipe) -> None:
        self.facts = recipe.facts
        self._recipe = recipe
        facts = recipe.facts.facts
        self._context = Context(
            site=recipe.site, partners=recipe.partners, text=self._text, facts=facts, work=recipe.work
        )
        self._built: dict[int, Any] = {}
        """By the identity of the use: options need not be hashable, and the recipe keeps its uses."""

    def reader(self, source: str) -> Reader:
        recipe = self._recipe.sources[source]
        reader: Reader = self._make(recipe.reader)
        return unpacked_by(recipe.unpack, reader) if recipe.unpack is not None else reader

    def source_steps(self, source: str) -> tuple[NamedStep, ...]:
        return self._steps(self._recipe.sources[source].steps)

    def destination_steps(self, destination: str) -> tuple[NamedStep, ...]:
        return self._steps(self._recipe.destinations[destination].steps)

    def form(self, destination: str) -> BenchForm:
        recipe = self._recipe.destinations[destination]
        writer = self._make(recipe.writer) if recipe.writer is not None else None
        sequence = writer.sequence if isinstance(writer, NumberedWriter) else None
        return BenchForm(destination, writer, recipe.gathers, sequence)

    def _steps(self, uses: tuple[PluginUse, ...]) -> tuple[NamedStep, ...]:
        return tuple(NamedStep(use.name, self._make(use)) for use in uses)

    def _make(self, use: PluginUse) -> Any:
        if id(use) not in self._built:
            self._built[id(use)] = use.find().build(use.name, use.options, self._context)
        return self._built[id(use)]

    def _text(self, folder: str, name: str) -> str:
        """As the hub has read it, whatever stands in the file now. What the hub has not read (a template that another
        one names by a variable) is read from the site."""
        if (folder, name) in self._recipe.texts:
            return self._recipe.texts[folder, name]
        site = self._recipe.site.resolve()
        path = (site / folder / name).resolve()
        if not path.is_relative_to(site) or not path.is_file():
            raise ConfigError(f"there is no file {folder}/{name} in the site")
        return path.read_text(encoding="utf-8")
