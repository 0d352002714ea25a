"""A value of a file against a pydantic model: every error with the place of the key that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from hub.configuration.finding import Findings
from hub.configuration.secrets import is_secret_key
from hub.configuration.yaml_loader import Node, YamlFile
from hub.core.nearest import hint

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], file: YamlFile, node: Node, findings: Findings, data: Any = None) -> M | None:
    """The model's instance, or None with findings. Validates as JSON, so that strict models take lists for tuples.

    `data` replaces the node's own value where a shorthand stands for more. What a variable holds is never shown."""
    try:
        return model.model_validate_json(json.dumps(node.data() if data is None else data))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            _report(model, file, node, findings, problem)
        return None


def _report(model: type[BaseModel], file: YamlFile, root: Node, findings: Findings, problem: Mapping[str, Any]) -> None:
    loc, kind = problem["loc"], problem["type"]
    node, parent, names = _follow(root, loc)
    if any(part.missing for part in node.walk()):
        return
    if kind == "extra_forbidden":
        key = parent.keys.get(str(loc[-1]))
        place = file.place_of(key or node)
        findings.error(place, f"unknown key {str(loc[-1])!r}", hint(str(loc[-1]), fields_at(model, loc[:-1])))
    elif kind == "missing":
        findings.error(file.place_of(node), f"the key {str(loc[-1])!r} is missing")
    else:
        where = f"{'.'.join(names)}: " if names else ""
        findings.error(file.place_of(node), f"{where}{_message(node, names, problem)}")


def _follow(root: Node, loc: tuple[str | int, ...]) -> tuple[Node, Node, list[str]]:
    """The deepest node that `loc` leads to, its parent, and the keys on the way. Names of union members, which pydantic
    puts between the keys, lead nowhere and are skipped."""
    node, parent, names = root, root, []
    for step in loc:
        child = node.child(step)
        if child is not None:
            node, parent = child, node
            names.append(str(step))
    last = str(loc[-1]) if loc else ""
    if names and last != names[-1]:
        parent = node
    return node, parent, names


def _message(node: Node, names: list[str], problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "should be")
    for part in node.walk():
        if part.referenced and part.value:
            message = message.replace(str(part.value), part.raw)
    if problem["type"] in ("value_error", "assertion_error", "json_invalid"):
        return message
    return f"{message}, found {_found(node, names)}"


def _found(node: Node, names: list[str]) -> str:
    if node.kind == "mapping":
        return "a mapping"
    if node.kind == "sequence":
        return "a list"
    if any(is_secret_key(name) for name in names):
        return "a text"
    if node.value is None:
        return "nothing"
    return repr(node.raw) if isinstance(node.value, str) else node.raw


def fields_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that a model allows at `loc`."""
    models: list[type[BaseModel]] = [model]
    for step in loc:
        deeper = [m for owner in models for m in _models_in(_annotation(owner, step))]
        models = deeper or models
    return [field.alias or name for owner in models for name, field in owner.model_fields.items()]


def _annotation(owner: type[BaseModel], step: str | int) -> Any:
    for name, field in owner.model_fields.items():
        if step in (name, field.alias):
            return field.annotation
    return None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
