"""The options of a model as tables: one for the model, one for each model within it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
NAMES = {"string": "text", "integer": "number", "boolean": "true or false", "object": "mapping"}


def tables(schema: Schema, root: Schema) -> Iterator[str]:
    """The table of a model, and below it those of the mappings that stand in it, each under its option's name."""
    if not schema.get("properties"):
        yield "It has no options.\n"
        return
    yield from table(schema, root)
    yield from inner_tables(schema, root, "", set())


def inner_tables(schema: Schema, root: Schema, above: str, shown: set[str]) -> Iterator[str]:
    for name, field in schema["properties"].items():
        for reference in references(field):
            inner = root["$defs"][reference]
            if reference in shown or not inner.get("properties"):
                continue
            shown.add(reference)
            yield f"`{above}{name}`:\n"
            yield from table(inner, root)
            yield from inner_tables(inner, root, f"{above}{name}.", shown)


def table(schema: Schema, root: Schema) -> Iterator[str]:
    yield "| option | type | default | |"
    yield "| --- | --- | --- | --- |"
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        default = "required" if name in required else plain(field.get("default"))
        text = str(field.get("description", "")).replace("|", "\\|").replace("\n", " ")
        yield f"| `{name}` | {shape(field, root)} | {default} | {text} |"
    yield ""


def references(field: Schema) -> Iterator[str]:
    """The models that an option holds, itself, as one of several, in a list, or by name."""
    if "$ref" in field:
        yield field["$ref"].rsplit("/", 1)[-1]
    within = [*field.get("anyOf", ()), field.get("items"), field.get("additionalProperties")]
    for inner in within:
        if isinstance(inner, dict):
            yield from references(inner)


def plain(value: Any) -> str:
    """A default as YAML would have it; nothing for none, and for a mapping, whose own table says it."""
    if value in (None, []) or isinstance(value, dict):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def shape(field: Schema, root: Schema) -> str:
    """What a value looks like, in a few words."""
    if "$ref" in field:
        target = root.get("$defs", {}).get(field["$ref"].rsplit("/", 1)[-1], {})
        inner = ", ".join(f"`{name}`" for name in target.get("properties", {}))
        return f"mapping of {inner}" if inner else "mapping"
    if "anyOf" in field:
        return " or ".join(shape(each, root) for each in field["anyOf"] if each.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {shape(field.get('items', {}), root)}"
    if isinstance(field.get("additionalProperties"), dict) and "$ref" in field["additionalProperties"]:
        return f"name to {shape(field['additionalProperties'], root)}"
    return NAMES.get(str(field.get("type")), str(field.get("type", "any")))
