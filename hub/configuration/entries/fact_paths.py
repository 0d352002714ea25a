"""config/facts.yaml: facts of the site, checked against the documents they are promoted from."""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from hub.configuration.draft import Draft
from hub.configuration.files.models import FactEntry
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.errors import ConfigError
from hub.core.options.nearest import hint
from hub.core.routing.facts import BUILT_IN, FACT_NAME, FactPath, FactSet, FactType
from hub.documents import Document

ARRIVAL = "arrival."
"""How a path begins that leads to what a source gives: `from: arrival.region`."""

LEAVES: Mapping[FactType, tuple[type, ...]] = {
    "text": (str,),
    "number": (Decimal, int),
    "integer": (int,),
    "boolean": (bool,),
    "date": (date,),
}


def read_facts(draft: Draft, file: YamlFile) -> None:
    """Reads all facts and compiles the fact set."""
    for name, node, place in draft.entries(file, file.root, file.name):
        if not FACT_NAME.fullmatch(name):
            draft.findings.error(place, f"{name!r} is no name of a fact", "small letters, digits and _")
        elif name in BUILT_IN:
            draft.findings.error(place, f"{name} is a built-in fact")
        elif draft.declare("fact", name, place) and (path := _read_fact(draft, file, name, node)):
            draft.fact_paths.append(path)
    draft.facts = FactSet(draft.fact_paths)


def _read_fact(draft: Draft, file: YamlFile, name: str, node: YamlNode) -> FactPath | None:
    model = validated(FactEntry, file, node, draft.findings)
    if model is None:
        return None
    paths: dict[str, tuple[str, ...]] = {}
    listed = (model.path,) if isinstance(model.path, str) else model.path
    from_node = node.child("from") or node
    if any(text.startswith(ARRIVAL) for text in listed):
        return _path_from_arrival(draft, file, name, node, model, listed)
    for position, text in enumerate(listed):
        place = file.place_of(from_node.child(position) or from_node)
        try:
            kind, path = checked_path(draft.documents, text, model.type)
        except ConfigError as error:
            draft.findings.raised(error, place)
            return None
        if kind in paths:
            draft.findings.error(place, f"fact {name} has two paths for {kind}")
        paths[kind] = path
    default = _default(draft, file, node, model)
    return FactPath(name, model.type, paths, default)


def _path_from_arrival(
    draft: Draft, file: YamlFile, name: str, node: YamlNode, model: FactEntry, listed: tuple[str, ...]
) -> FactPath | None:
    """A fact that sources give with what they bring."""
    place = file.place_of(node.child("from") or node)
    given = listed[0].removeprefix(ARRIVAL)
    if len(listed) > 1:
        draft.findings.error(place, f"fact {name}: {ARRIVAL}... stands alone", "give each its own fact")
        return None
    if not FACT_NAME.fullmatch(given) or given in BUILT_IN:
        draft.findings.error(place, f"{given!r} is no name that a source can give", "small letters, digits and _")
        return None
    return FactPath(name, model.type, {}, _default(draft, file, node, model), given)


def _default(draft: Draft, file: YamlFile, node: YamlNode, model: FactEntry) -> Any:
    found = node.child("default")
    if found is None or (found.value is None and found.kind == "scalar"):
        return None
    try:
        return fact_value(model.type, found)
    except ConfigError as error:
        draft.findings.raised(error, file.place_of(found))
        return None


def fact_value(kind: FactType, node: YamlNode) -> Any:
    """The value that a scalar of a file stands for, as a fact of that type. Raises ConfigError, saying what to
    write."""
    value = node.value
    if node.kind != "scalar" or value is None:
        raise ConfigError(f"should be {kind}, found {'nothing' if node.kind == 'scalar' else f'a {node.kind}'}")
    found = f"{kind} is wanted, found {node.raw!r}" if isinstance(value, str) else f"{kind} is wanted, found {node.raw}"
    if kind == "text":
        if not isinstance(value, str):
            raise ConfigError(found, hint=f'write "{node.raw}" in quotes')
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "integer" and type(value) is int:
        return value
    if kind == "number" and type(value) in (int, float):
        return _decimal(node.raw, value)
    if kind == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ConfigError(found, hint="dates are written 2026-01-31") from None
    hints = {"boolean": "write true or false", "number": "write it without quotes", "integer": "write a whole number"}
    raise ConfigError(found, hint=hints.get(kind))


def _decimal(raw: str, value: float) -> Decimal:
    try:
        return Decimal(raw)
    except InvalidOperation:
        return Decimal(value)


def checked_path(documents: Mapping[str, type[Document]], text: str, wanted: FactType) -> tuple[str, tuple[str, ...]]:
    """The document kind and the attributes of `order.ship_to.address.state`. Raises ConfigError for a part that doesn't
    exist, a list on the way, or a value of another type."""
    kind, *path = text.split(".")
    if kind not in documents:
        raise ConfigError(f"{text}: there is no document {kind!r}", hint=hint(kind, documents))
    if not path:
        raise ConfigError(f"{text} is a whole document", hint=f"name a field: {kind}.number")
    found: Any = documents[kind]
    for position, name in enumerate(path):
        before = ".".join((kind, *path[:position]))
        owner = _class_of(found)
        if owner is None:
            raise ConfigError(f"{text}: {before} is {_described(found)}, it has no {name!r}")
        members = _members(owner)
        if name not in members:
            raise ConfigError(f"{text}: {before} has no {name!r}", hint=hint(name, members))
        found = members[name]
    _check_leaf(text, found, wanted)
    return kind, tuple(path)


def _check_leaf(text: str, annotation: Any, wanted: FactType) -> None:
    leaf = _stripped(annotation)
    if get_origin(leaf) is Literal:
        leaf = type(get_args(leaf)[0])
    if isinstance(leaf, type) and issubclass(leaf, Enum) and issubclass(leaf, str):
        leaf = str
    if leaf not in LEAVES[wanted]:
        fits = next((kind for kind, leaves in LEAVES.items() if leaf is leaves[0]), None)
        raise ConfigError(
            f"{text} is {_described(annotation)}, not {wanted}", hint=f"write type: {fits}" if fits else None
        )


def _members(owner: type[BaseModel]) -> dict[str, Any]:
    """Fields and annotated public properties of a model, with their types."""
    members: dict[str, Any] = {}
    for cls in reversed(owner.__mro__):
        for name, value in vars(cls).items():
            if isinstance(value, property) and not name.startswith(("_", "model_")) and value.fget:
                members[name] = get_type_hints(value.fget, include_extras=True).get("return")
    members.update({name: field.annotation for name, field in owner.model_fields.items()})
    return members


def _stripped(annotation: Any) -> Any:
    """Without Optional and Annotated."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            rest = [argument for argument in get_args(annotation) if argument is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def _class_of(annotation: Any) -> type[BaseModel] | None:
    found = _stripped(annotation)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _described(annotation: Any) -> str:
    found = _stripped(annotation)
    if get_origin(found) in (tuple, list):
        return "a list"
    if get_origin(found) is not None:
        return "a mapping"
    if isinstance(found, type) and issubclass(found, BaseModel):
        return f"a whole {found.__name__}"
    names = {str: "text", Decimal: "number", int: "integer", bool: "boolean", date: "date", datetime: "a time"}
    return names.get(found, getattr(found, "__name__", str(found)))
