"""What the declaration of a plug-in says of its options: files, facts in names, partners, the endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.configuration.draft import Draft
from hub.configuration.entries.plug import PlacedUse, Use
from hub.core.errors import FilePlace
from hub.core.options.naming import names_in
from hub.core.options.nearest import did_you_mean
from hub.core.plugin import (
    AdapterPlugin,
    DestinationPlugin,
    Options,
    Plugin,
    Problem,
    SourcePlugin,
    StepPlugin,
    TransformerPlugin,
)

DECLARED_IN = "declare it in config/{}.yaml"
IN_PARTNERS = "declare it in config/partners/"


def check_use(draft: Draft, placed: PlacedUse[Plugin[Any]]) -> str | None:
    """All of it, told where it stands. Gives the endpoint's name."""
    before = draft.findings.errors
    endpoint = _check_options(draft, placed)
    use = placed.use
    if isinstance(use.plugin, TransformerPlugin) and draft.findings.errors == before:
        draft.transformers.append(PlacedUse(Use(use.plugin, use.options), placed.file, placed.node))
    return endpoint


def _check_options(draft: Draft, placed: PlacedUse[Plugin[Any]]) -> str | None:
    plugin, options = placed.use.plugin, placed.use.options
    for field, value in _values(placed, plugin.files):
        _check_file(draft, placed.place(field), plugin.files[field], value)
    if isinstance(plugin, DestinationPlugin):
        _check_facts(draft, placed, plugin.fact_templates, ())
    if isinstance(plugin, StepPlugin):
        _check_facts(draft, placed, plugin.fact_templates, plugin.own_names(options))
        for field, value in _values(placed, plugin.holds):
            draft.use("hold", value, placed.place(field), DECLARED_IN.format("policies"))
    if isinstance(plugin, SourcePlugin | TransformerPlugin):
        for field, value in _values(placed, plugin.partners):
            draft.use("partner", value, placed.place(field), IN_PARTNERS)
    if isinstance(plugin, SourcePlugin):
        for sender in plugin.senders(options):
            draft.use("partner", sender, placed.place(""), IN_PARTNERS)
    return _check_endpoint(draft, placed)


def _values(placed: PlacedUse[Plugin[Any]], fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each text in these fields, with its field."""
    return ((field, value) for field in fields for value in texts(placed.use.value(field)))


def _check_facts(draft: Draft, placed: PlacedUse[Plugin[Any]], fields: Iterable[str], own: Iterable[str]) -> None:
    known = {*draft.facts.facts, *own}
    for field, value in _values(placed, fields):
        for fact in names_in(value):
            if fact not in known:
                hint = did_you_mean(fact, draft.facts.names)
                draft.findings.error(placed.place(field), f"unknown fact {fact}", hint)


def _check_endpoint(draft: Draft, placed: PlacedUse[Plugin[Any]]) -> str | None:
    use = placed.use
    if use.on_endpoint is None:
        _inspect(draft, placed, None)
        return None
    field, kind = use.on_endpoint
    name = _find_endpoint(draft, placed.place(field), use.endpoint, kind)
    endpoint = draft.endpoints.get(name) if name is not None else None
    if endpoint is not None and endpoint.use.plugin.name == kind:
        if isinstance(use.plugin, SourcePlugin) and use.plugin.on_endpoint is not None:
            _tell(draft, placed, field, use.plugin.on_endpoint(use.options, endpoint.use.options))
        _inspect(draft, placed, endpoint.use.options)
    return name


def _inspect(draft: Draft, placed: PlacedUse[Plugin[Any]], endpoint: Options | None) -> None:
    """What stands in the files, once they are there."""
    use = placed.use
    if not isinstance(use.plugin, AdapterPlugin) or use.plugin.inspect is None or draft.folder is None:
        return
    if all(draft.exists(f"{use.plugin.files[field]}/{name}") for field, name in _values(placed, use.plugin.files)):
        field = next(iter(use.plugin.files), use.on_endpoint[0] if use.on_endpoint else "")
        _tell(draft, placed, field, use.plugin.inspect(use.options, endpoint, draft.folder))


def _tell(draft: Draft, placed: PlacedUse[Plugin[Any]], field: str, problems: Iterable[Problem]) -> None:
    """Each at the option that its path begins with, else at `field`."""
    for problem in problems:
        tell = draft.findings.warning if problem.warning else draft.findings.error
        tell(placed.place(str(problem.path[0]) if problem.path else field), problem.text, problem.hint)


def _find_endpoint(draft: Draft, place: FilePlace, name: str | None, kind: str) -> str | None:
    if name is None or not draft.use("endpoint", name, place, DECLARED_IN.format("endpoints")):
        return None
    endpoint = draft.endpoints.get(name)
    if endpoint and endpoint.use.plugin.name != kind:
        draft.findings.error(place, f"endpoint {name} is of {endpoint.use.plugin.name}, {kind} is needed here")
    return name


def _check_file(draft: Draft, place: FilePlace, folder: str, name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts):
        draft.findings.error(place, f"{name!r} should be the name of a file in {folder}")
    elif not draft.exists(f"{folder}/{name}"):
        draft.findings.error(place, f"there is no file {folder}/{name}")


def texts(value: object) -> tuple[str, ...]:
    """The texts in the value of an option: itself, or those of a list or a mapping."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return tuple(one for one in value.values() if isinstance(one, str))
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, (tuple, list)) else ()
