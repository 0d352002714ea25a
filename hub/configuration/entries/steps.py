"""`steps` of a source, before a document is routed, and of a destination, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from hub.configuration.draft import Draft
from hub.configuration.entries.plug import PlacedUse, Use
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.site import StepConfig
from hub.core.plugin import StepPlugin
from hub.core.routing.condition import Condition
from hub.core.routing.expression_tree import ExpressionError


def read_steps(
    draft: Draft,
    file: YamlFile,
    node: YamlNode | None,
    check_use: Callable[[Draft, PlacedUse[StepPlugin[Any]]], object],
    where: Literal["source", "destination"],
) -> tuple[StepConfig, ...]:
    """In their order; each has a name of its own, and its conditions are ones."""
    if node is None:
        return ()
    if node.kind != "sequence":
        draft.findings.error(file.place_of(node), "`steps` should be a list: [{name: ours, filter: ...}]")
        return ()
    found: list[StepConfig] = []
    for item in node.items:
        name = item.child("name") if item.kind == "mapping" else None
        if name is None or not isinstance(name.value, str) or not name.value:
            draft.findings.error(file.place_of(item), "a step needs a `name`, by which `hub trace` speaks of it")
            continue
        if any(step.name == name.value for step in found):
            draft.findings.error(file.place_of(name), f"two steps are called {name.value}")
        placed = draft.reading.keyed(StepPlugin, file, name.value, item, ("name",))
        if placed is not None:
            check_use(draft, placed)
            _check_conditions(draft, placed)
            _check_place(draft, placed, where)
            _check_order(draft, placed, found)
            found.append(StepConfig(name.value, placed.use))
    return tuple(found)


def _check_place(draft: Draft, placed: PlacedUse[StepPlugin[Any]], where: str) -> None:
    plugin = placed.use.plugin
    if plugin.place is not None and plugin.place != where:
        text = f"{plugin.name} is a step of a {plugin.place}, and this is a {where}"
        draft.findings.error(placed.place(""), text)
    for field in plugin.holds if where == "source" else ():
        if placed.use.value(field) is not None:
            text = "nothing is held before it is routed: a hold belongs to a step of a destination"
            draft.findings.error(placed.place(field), text)


def _check_order(draft: Draft, placed: PlacedUse[StepPlugin[Any]], before: list[StepConfig]) -> None:
    """What is split must be the same each time it is read: only then do its parts keep their names."""
    asking = next((step.name for step in before if step.use.endpoint is not None), None)
    if placed.use.plugin.keeps_number is not None and asking is not None:
        text = f"{asking} may answer otherwise when the same document is read again, and its parts would be others"
        draft.findings.error(placed.place(""), text, f"put {asking} behind it")


def _check_conditions(draft: Draft, placed: PlacedUse[StepPlugin[Any]]) -> None:
    for field in placed.use.plugin.conditions:
        for text in _texts(placed.use, field):
            try:
                Condition(text, draft.facts.facts)
            except ExpressionError as error:
                draft.findings.error(placed.place(field), error.text, error.hint)


def _texts(use: Use[StepPlugin[Any]], field: str) -> Iterator[str]:
    value = use.value(field)
    yield from (value.values() if isinstance(value, dict) else (value,))
