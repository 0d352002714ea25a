"""JSON Schemas of the site's files, for editors: made from the models and from what the plug-ins declare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.configuration.files.models import (
    NAME,
    UNPACK,
    FactEntry,
    Gather,
    Hold,
    HubFile,
    ReplyEntry,
    RetryEntry,
    RouteEntry,
)
from hub.configuration.files.partner_file import PartnerFile
from hub.core.plugin import (
    DestinationPlugin,
    EndpointPlugin,
    Plugin,
    ReaderPlugin,
    SourcePlugin,
    StepPlugin,
    WriterPlugin,
)
from hub.core.plugins import Plugins
from hub.core.routing.facts import BUILT_IN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{model}"

Json = dict[str, Any]

PACKED: Json = {
    "enum": list(UNPACK),
    "description": "What bodies are packed in; auto looks at each. What is inside is read as `read` says.",
}


def schemas(plugins: Plugins) -> dict[str, Json]:
    """File name to schema, for every kind of YAML file of a site. The same plug-ins always give the same schemas."""
    routes = _routes(plugins)
    return {
        "hub.schema.json": _join_models("config/hub.yaml", [HubFile], lambda refs: refs[HubFile]),
        "endpoints.schema.json": _endpoints(plugins),
        "policies.schema.json": _join_models(
            "config/policies.yaml",
            [RetryEntry, Hold],
            lambda refs: _closed({"retry": _names(refs[RetryEntry]), "holds": _names(refs[Hold])}),
        ),
        "facts.schema.json": _join_models("config/facts.yaml", [FactEntry], lambda refs: _names(refs[FactEntry])),
        "partner.schema.json": _join_models("config/partners/*.yaml", [PartnerFile], lambda refs: refs[PartnerFile]),
        "destinations.schema.json": _destinations(plugins),
        "routes.schema.json": routes,
    }


def _endpoints(plugins: Plugins) -> Json:
    used = plugins.every(EndpointPlugin)
    return _join_models(
        "config/endpoints.yaml",
        [plugin.options for plugin in used],
        lambda refs: _names(_keyed(used, refs, {}, ())),
    )


def _destinations(plugins: Plugins) -> Json:
    used, writers, readers = plugins.every(DestinationPlugin), plugins.every(WriterPlugin), plugins.every(ReaderPlugin)
    steps = plugins.every(StepPlugin)
    used_by = (*used, *writers, *readers, *steps)
    models: list[type[BaseModel]] = [ReplyEntry, Gather, *(plugin.options for plugin in used_by)]
    return _join_models(
        "config/destinations.yaml", models, lambda refs: _names(_destination(used, writers, readers, steps, refs))
    )


def _routes(plugins: Plugins) -> Json:
    used, writers = plugins.every(DestinationPlugin), plugins.every(WriterPlugin)
    sources, readers = plugins.every(SourcePlugin), plugins.every(ReaderPlugin)
    models: list[type[BaseModel]] = [ReplyEntry, Gather, RouteEntry]
    steps = plugins.every(StepPlugin)
    models += (plugin.options for plugin in (*used, *writers, *sources, *readers, *steps))

    def root(refs: Refs) -> Json:
        source = _keyed(
            sources,
            refs,
            {"read": _chosen(readers, refs), "unpack": PACKED, "steps": _steps(steps, refs, "routed")},
            ("read",),
        )
        return _closed(
            {
                "format": {"const": 1, "description": "The version of this file's format."},
                "owner": {"type": "string", "minLength": 1, "description": "Who answers for these routes."},
                "sources": _names(source),
                "destinations": _names(_destination(used, writers, readers, steps, refs)),
                "routes": {"type": "array", "items": refs[RouteEntry]},
            },
            ("format", "owner"),
        )

    schema = _join_models("routes/*.yaml", models, root)
    known = "; ".join(f"{fact.name}: {fact.about}" for fact in BUILT_IN.values())
    schema["$defs"][RouteEntry.__name__]["properties"]["when"]["description"] += f" Built-in facts: {known}."
    return schema


def _steps(used: Sequence[Plugin[Any]], refs: Refs, before: str) -> Json:
    name = {"type": "string", "minLength": 1, "description": "By which the trace speaks of it."}
    step = _keyed(used, refs, {"name": name}, ("name",))
    return {
        "type": "array",
        "items": step,
        "description": f"What happens to documents before they are {before}, in order.",
    }


def _destination(
    used: Sequence[Plugin[Any]],
    writers: Sequence[Plugin[Any]],
    readers: Sequence[Plugin[Any]],
    steps: Sequence[Plugin[Any]],
    refs: Refs,
) -> Json:
    others: Json = {
        "read": _chosen(readers, refs),
        "capture": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^(/|header[.])"},
            "description": "Names of business keys to where the far end's reply says them: /id, header.Location.",
        },
        "answer": {"type": "boolean", "description": "true: its replies answer who has sent the document and waits."},
        "steps": _steps(steps, refs, "written"),
        "gather": refs[Gather],
        "write": _chosen(writers, refs),
        "retry": {"type": "string", "description": "A retry class of config/policies.yaml; without it quick."},
        "replies": {
            "type": "array",
            "items": refs[ReplyEntry],
            "description": "What replies mean; the first that applies.",
        },
    }
    return _keyed(used, refs, others, ())


class Refs:
    """Where each model's schema stands among the definitions."""

    def __init__(self, found: dict[Any, Json]) -> None:
        self._found = found

    def __getitem__(self, model: type[BaseModel]) -> Json:
        return dict(self._found[(model, "validation")])


def _join_models(title: str, models: Iterable[type[BaseModel]], root: Any) -> Json:
    found, shared = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template=REFERENCE
    )
    schema: Json = {"$schema": DIALECT, "title": title}
    made = root(Refs(found))
    schema.update(made if "$ref" not in made else {"allOf": [made]})
    schema["$defs"] = {name: _untitled(one) for name, one in sorted(shared.get("$defs", {}).items())}
    return schema


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of field names: they say nothing new."""
    if isinstance(schema, dict):
        return {key: _untitled(one) for key, one in schema.items() if not (key == "title" and isinstance(one, str))}
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


def _names(value: Json) -> Json:
    """A mapping of names to such values."""
    return {"type": ["object", "null"], "propertyNames": {"pattern": NAME}, "additionalProperties": value}


def _closed(properties: Json, required: tuple[str, ...] = ()) -> Json:
    closed: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": list(required)} if required else closed


def _keyed(used: Sequence[Plugin[Any]], refs: Refs, others: Json, required: tuple[str, ...]) -> Json:
    """Exactly one plug-in's key, beside the others."""
    choices = {plugin.name: _options(plugin, refs) for plugin in used}
    schema = _closed({**choices, **others}, required)
    schema["oneOf"] = [{"required": [name]} for name in choices]
    return schema


def _chosen(used: Sequence[Plugin[Any]], refs: Refs) -> Json:
    """A plug-in's name, or a mapping with its key and further options beside it."""
    names: Json = {"enum": [plugin.name for plugin in used], "description": "A plug-in, without options."}
    return {"anyOf": [names, *(_with_options(plugin, refs) for plugin in used)]}


def _with_options(plugin: Plugin[Any], refs: Refs) -> Json:
    beside = {
        field.alias or name: {"description": field.description or ""}
        for name, field in plugin.options.model_fields.items()
    }
    return _closed({**beside, plugin.name: _options(plugin, refs)}, (plugin.name,))


def _options(plugin: Plugin[Any], refs: Refs) -> Json:
    forms: list[Json] = [refs[plugin.options]]
    if plugin.shorthand is not None:
        forms.append({"type": ["string", "number", "boolean"], "description": f"Short for its {plugin.shorthand}."})
    if not any(field.is_required() for field in plugin.options.model_fields.values()):
        forms.append({"type": "null"})
    return {"anyOf": forms, "description": plugin.summary}
