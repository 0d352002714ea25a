"""A value of a file against a pydantic model: every error with the place of the key that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from hub.configuration.files.finding import Findings
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.options.nearest import hint
from hub.core.options.secret_names import is_secret_key

M = TypeVar("M", bound=BaseModel)

OF_KEYS = ("missing", "extra_forbidden")
"""Types of errors that are about a mapping's keys; what is wrong with the mapping itself is said better by them."""


def validated(model: type[M], file: YamlFile, node: YamlNode, findings: Findings, data: Any = None) -> M | None:
    """The model's instance, or None with findings. Validates as JSON, so that strict models take lists for tuples.

    `data` replaces the node's own value where a shorthand stands for more. What a variable holds is never shown."""
    try:
        return model.model_validate_json(json.dumps(node.data() if data is None else data))
    except ValidationError as error:
        for problem in _telling(node, error.errors(include_url=False, include_input=False)):
            _report(model, file, node, findings, problem)
        return None


def _telling(root: YamlNode, problems: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Where one of several types is allowed, pydantic tells what each of them misses. Of these only those are told that
    concern the deepest key, and one for each key; a mapping that is allowed beside plain words is told with them
    (`or_mapping`)."""
    places = [tuple(_follow(root, problem["loc"])[2]) for problem in problems]
    better = {names[:depth] for names in places for depth in range(len(names))}
    better |= {names for names, problem in zip(places, problems, strict=True) if problem["type"] in OF_KEYS}
    mappings = {names for names, problem in zip(places, problems, strict=True) if problem["type"] == "model_type"}
    told: set[tuple[str, ...]] = set()
    for names, problem in zip(places, problems, strict=True):
        if problem["type"] in OF_KEYS:
            yield problem
        elif names not in better and names not in told:
            told.add(names)
            yield {**problem, "or_mapping": names in mappings and problem["type"] == "literal_error"}


def _report(
    model: type[BaseModel], file: YamlFile, root: YamlNode, findings: Findings, problem: Mapping[str, Any]
) -> None:
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
        plain = kind == "string_type" and type(node.value) in (int, float)
        quoted = f'write it in quotes: "{node.raw}"' if plain else None
        or_mapping = _or_mapping(fields_at(model, tuple(names))) if problem.get("or_mapping") else ""
        findings.error(file.place_of(node), f"{where}{_message(node, names, problem, or_mapping)}", quoted)


def _follow(root: YamlNode, loc: tuple[str | int, ...]) -> tuple[YamlNode, YamlNode, list[str]]:
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


PLAINER = {
    "string_type": "should be a text",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "dict_type": "should be a mapping",
    "model_type": "should be a mapping",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
}
"""pydantic's types of errors, in the words of a site's files."""


FEW_KEYS = 2
"""Keys of a mapping that is written out as what a value may be instead."""


def _or_mapping(keys: Sequence[str]) -> str:
    return f" or {{{', '.join(f'{key}: ...' for key in keys)}}}" if 0 < len(keys) <= FEW_KEYS else " or a mapping"


def _message(node: YamlNode, names: list[str], problem: Mapping[str, Any], or_mapping: str) -> str:
    plainer = PLAINER.get(problem["type"])
    message = plainer.format(**problem.get("ctx", {})) if plainer else str(problem["msg"])
    message = message.removeprefix("Value error, ").replace("Input should be", "should be")
    for part in node.walk():
        if part.referenced and part.value:
            message = message.replace(str(part.value), part.raw)
    if problem["type"] in ("value_error", "assertion_error", "json_invalid"):
        return message
    return f"{message}{or_mapping}, found {_describe_value(node, names)}"


def _describe_value(node: YamlNode, names: list[str]) -> str:
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
