"""What the fields of the canonical parts hold, read from the models: so that a declaration is checked against them."""

from __future__ import annotations

import datetime
import types
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from hub.documents.base import Part
from hub.documents.parts.identifiers import Identifiers

Kind = Literal["text", "number", "whole", "date", "ids", "part", "parts", "texts", "elements"]


@dataclass(frozen=True, slots=True)
class FieldShape:
    """A field: its kind (`elements`: those of a segment kept whole), its part class where it holds parts, its default
    (`required`: it has none)."""

    kind: Kind
    part: type[Part] | None = None
    default: Any = None
    required: bool = False
    optional: bool = False


@lru_cache(maxsize=256)
def shapes(cls: type[Part]) -> Mapping[str, FieldShape]:
    """All fields of a part class, in the order of the model."""
    found = {}
    for name, info in cls.model_fields.items():
        required = info.default is PydanticUndefined
        kind, part, optional = _kind(info.annotation)
        found[name] = FieldShape(kind, part, None if required else info.default, required, optional)
    return found


def field_shape(cls: type[Part], name: str) -> FieldShape:
    """Raises ValueError for a field that the class doesn't have."""
    try:
        return shapes(cls)[name]
    except KeyError:
        raise ValueError(f"{cls.__name__} has no field {name!r}") from None


def _kind(annotation: Any) -> tuple[Kind, type[Part] | None, bool]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        kind, part, _ = _kind(inner[0])
        return kind, part, True
    if origin is tuple:
        inner_type = get_args(annotation)[0]
        if inner_type is str:
            return "texts", None, False
        if str in get_args(inner_type):
            return "elements", None, False
        return "parts", inner_type, False
    if origin is Literal:
        return "text", None, False
    if isinstance(annotation, type):
        for cls, kind in _KINDS.items():
            if issubclass(annotation, cls):
                return kind, annotation if issubclass(annotation, Part) else None, False
    raise ValueError(f"no kind for {annotation!r}")


_KINDS: dict[type, Kind] = {
    str: "text",
    Decimal: "number",
    int: "whole",
    datetime.date: "date",
    Identifiers: "ids",
    Part: "part",
}


def numeric(kind: str) -> bool:
    """Whether elements of a type are numbers: R, N0 to N9."""
    return kind == "R" or (kind[0] == "N" and len(kind) == 2)


def fits(shape: str, kind: str) -> bool:
    """Whether a field of that kind can hold an element of that type."""
    match shape:
        case "text" | "texts":
            return kind != "B"
        case "number":
            return numeric(kind)
        case "whole":
            return kind == "N0"
        case "date":
            return kind == "DT"
        case _:
            return False


@lru_cache(maxsize=256)
def defaults_of(cls: type[Part]) -> tuple[tuple[str, Any], ...]:
    """The fields of a part and their defaults; one that must be given has a default that nothing is equal to."""
    return tuple((name, object() if shape.required else shape.default) for name, shape in shapes(cls).items())


def present(part: Part) -> frozenset[str]:
    """The fields of a part that have another value than their default."""
    values = part.__dict__
    return frozenset(
        [name for name, default in defaults_of(type(part)) if values[name] is not default and values[name] != default]
    )
