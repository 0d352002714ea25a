"""Paths to fields of a canonical document, as a site writes them: `ship_to.name`, `products.VP`. Pure.

They are those of its canonical JSON. A list is entered only by whoever goes through its items (`each: lines`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from hub.core.errors import MappingError
from hub.core.options.nearest import did_you_mean
from hub.documents import DOCUMENTS

NOTHING = object()


def known_path(path: str, each: str | None = None) -> bool:
    """Whether at least one kind of document has such a field; of the items of the list `each`, where there is one."""
    return any(_leads(model, path) for model in _starts(each))


def known_field(path: str, each: str | None = None) -> bool:
    """Whether it is a field that can be given a value: known, no list, and not what says the kind of the document."""
    return path != "document" and any(_leads(model, path, lists=False) for model in _starts(each))


def no_such_field(path: str, each: str | None = None) -> str:
    """What is wrong with a path that isn't known, with the nearest right name."""
    owner = f"the items of {each}" if each else "a document"
    first = path.partition(".")[0]
    names = {name for model in _starts(each) for name in model.model_fields}
    meant = did_you_mean(first, names) if first not in names else None
    return f"{path!r} is no field of {owner}" + (f"; {meant}" if meant else "")


def known_list(path: str) -> bool:
    """Whether at least one kind of document has a list there, of parts."""
    return any(True for _ in _starts(path))


def at(value: Any, path: str) -> Any:
    """What stands there in canonical JSON; NOTHING where nothing does."""
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return NOTHING
        value = value[key]
    return value


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value there, and what is missing on the way. Raises MappingError where something else stands on the
    way."""
    *way, last = path.split(".")
    for key in way:
        document = document.setdefault(key, {})
        if not isinstance(document, dict):
            raise MappingError(f"{path}: {key} has no fields")
    document[last] = value


def _starts(each: str | None) -> Iterator[type[BaseModel]]:
    for model in DOCUMENTS.values():
        if each is None:
            yield model
        elif (field := model.model_fields.get(each)) is not None:
            yield from _parts(field.annotation, in_list=True)


def _leads(model: type[BaseModel], path: str, *, lists: bool = True) -> bool:
    first, _, rest = path.partition(".")
    field = model.model_fields.get(first)
    if field is None:
        return False
    if not rest:
        return lists or not _is(field.annotation, tuple)
    if _is(field.annotation, Mapping):
        return "." not in rest
    return any(_leads(part, rest, lists=lists) for part in _parts(field.annotation, in_list=False))


def _parts(annotation: Any, *, in_list: bool) -> Iterator[type[BaseModel]]:
    """The models of parts that a field may hold: one, or as the items of a list."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not in_list:
            yield annotation
    elif origin is tuple:
        if in_list:
            for item in get_args(annotation):
                yield from _parts(item, in_list=False)
    elif origin in (Union, UnionType, Annotated):
        for one in get_args(annotation):
            yield from _parts(one, in_list=in_list)


def _is(annotation: Any, wanted: type) -> bool:
    """Whether a field may hold that."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated):
        return any(_is(one, wanted) for one in get_args(annotation))
    kind = annotation if origin is None else origin
    return isinstance(kind, type) and issubclass(kind, wanted)
