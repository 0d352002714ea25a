"""What the declaration of a plug-in says of its options: files, facts in names, partners, the endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from hub.configuration.draft import Draft
from hub.configuration.entries.plug import PlacedUse
from hub.core.errors import FilePlace
from hub.core.options.naming import names_in
from hub.core.options.nearest import did_you_mean
from hub.core.plugin import Options, Problem

DECLARED_IN = "declare it in config/{}.yaml"
TRANSFORMERS = ("reader", "writer", "step")


def check_use(draft: Draft, placed: PlacedUse) -> str | None:
    """All of it, told where it stands. Gives the endpoint's name."""
    before = draft.findings.errors
    endpoint = _check_options(draft, placed)
    if placed.use.plugin.kind in TRANSFORMERS and draft.findings.errors == before:
        draft.transformers.append(placed)
    return endpoint


def _check_options(draft: Draft, placed: PlacedUse) -> str | None:
    use = placed.use
    for field, folder in use.plugin.files.items():
        for value in texts(use.value(field)):
            _check_file(draft, placed.place(field), folder, value)
    own = set(use.plugin.own_names(use.options))
    for field in use.plugin.fact_templates:
        for value in texts(use.value(field)):
            for fact in names_in(value):
                if fact not in draft.facts.facts and fact not in own:
                    draft.findings.error(
                        placed.place(field), f"unknown fact {fact}", did_you_mean(fact, draft.facts.names)
                    )
    for field in use.plugin.partners:
        for value in texts(use.value(field)):
            draft.use("partner", value, placed.place(field), "declare it in config/partners/")
    for sender in use.plugin.senders(use.options):
        draft.use("partner", sender, placed.place(""), "declare it in config/partners/")
    for field in use.plugin.holds:
        for value in texts(use.value(field)):
            draft.use("hold", value, placed.place(field), DECLARED_IN.format("policies"))
    if use.plugin.endpoint is None:
        _inspect(draft, placed, None)
        return None
    field, kind = use.plugin.endpoint
    name = _check_endpoint(draft, placed.place(field), use.value(field), kind)
    endpoint = draft.endpoints.get(name) if name is not None else None
    if endpoint is not None and endpoint.use.plugin.name == kind:
        if use.plugin.on_endpoint is not None:
            _tell(draft, placed, field, use.plugin.on_endpoint(use.options, endpoint.use.options))
        _inspect(draft, placed, endpoint.use.options)
    return name


def _inspect(draft: Draft, placed: PlacedUse, endpoint: Options | None) -> None:
    """What stands in the files, once they are there."""
    use = placed.use
    names = [(folder, name) for field, folder in use.plugin.files.items() for name in texts(use.value(field))]
    if use.plugin.inspect is None or draft.folder is None:
        return
    if all(draft.exists(f"{folder}/{name}") for folder, name in names):
        field = next(iter(use.plugin.files), use.plugin.endpoint[0] if use.plugin.endpoint else "")
        _tell(draft, placed, field, use.plugin.inspect(use.options, endpoint, draft.folder))


def _tell(draft: Draft, placed: PlacedUse, field: str, problems: Iterable[Problem]) -> None:
    """Each at the option that its path begins with, else at `field`."""
    for problem in problems:
        tell = draft.findings.warning if problem.warning else draft.findings.error
        tell(placed.place(str(problem.path[0]) if problem.path else field), problem.text, problem.hint)


def _check_endpoint(draft: Draft, place: FilePlace, name: str | None, kind: str) -> str | None:
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
