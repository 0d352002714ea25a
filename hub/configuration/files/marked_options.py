"""The options of a plug-in that its declaration marks: as secrets, as files of the site."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from hub.configuration.files.yaml_file import YamlNode


def marked(model: type[BaseModel], node: YamlNode, mark: str) -> Iterator[tuple[YamlNode, Any]]:
    """The nodes of the options whose `json_schema_extra` has the mark, with its value; those further inside come
    later."""
    for name, field in model.model_fields.items():
        child = node.child(field.alias or name)
        if child is None:
            continue
        extra = field.json_schema_extra
        if isinstance(extra, dict) and mark in extra:
            yield child, extra[mark]
        yield from _inner(field.annotation, child, mark)


def _inner(annotation: Any, node: YamlNode, mark: str) -> Iterator[tuple[YamlNode, Any]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from marked(annotation, node, mark)
    elif origin in (Union, UnionType):
        for each in arguments:
            yield from _inner(each, node, mark)
    elif origin is Annotated:
        yield from _inner(arguments[0], node, mark)
    elif origin is dict:
        for value in node.entries.values():
            yield from _inner(arguments[1], value, mark)
    elif origin in (tuple, list):
        for item in node.items:
            yield from _inner(arguments[0], item, mark)
