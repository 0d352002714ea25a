"""The schemas within a JSON Schema, and where their `$ref`s lead: only into itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema_specifications import REGISTRY as OF_THE_STANDARD  # type: ignore[import-untyped]
from referencing import Resource
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

REFERENCES = ("$ref", "$dynamicRef")


def lost_references(schema: Any) -> Iterator[str]:
    """Each reference that leads nowhere, or out of the schema; nothing is fetched. The schemas of JSON Schema itself
    are known."""
    for at, contents in _within(schema):
        yield from _lost(at, contents)


def schemas_within(schema: Any) -> list[dict[str, Any]]:
    """It, and each that it holds."""
    return [contents for _, contents in _within(schema)]


def _within(schema: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    root = DRAFT202012.create_resource(schema)
    resolver = OF_THE_STANDARD.resolver_with_root(root)
    waiting: list[tuple[Any, Resource[Any]]] = [(resolver, root)]
    while waiting:
        at, resource = waiting.pop()
        if isinstance(resource.contents, dict):
            yield at, resource.contents
        waiting += [(at.in_subresource(inner), inner) for inner in resource.subresources()]


def _lost(resolver: Any, schema: dict[str, Any]) -> Iterator[str]:
    for reference in (schema[key] for key in REFERENCES if isinstance(schema.get(key), str)):
        try:
            resolver.lookup(reference)
        except (Unresolvable, NoSuchResource):
            yield reference
