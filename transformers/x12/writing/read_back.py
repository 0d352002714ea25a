"""Two documents compared by what they say: the first field that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.documents.base import PLACE, Extra, Part
from transformers.x12.declarations.fields import present, shapes

IGNORED = frozenset({"partner", "document"})


def changed_fields(wanted: Part, found: Part, *, added: bool = False, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Fields of `wanted` that `found` says otherwise: path, the value there, the value here. `added`: also what only
    `found` has. Where a segment stood (Extra.position, and extras that the fields say) doesn't count; neither does the
    order of parts that stand in different places of a transaction, nor blanks at the end of values."""
    for name, shape in shapes(type(wanted)).items():
        if (not path and name in IGNORED) or (isinstance(wanted, Extra) and name in ("position", "kept_for")):
            continue
        one, other = getattr(wanted, name), getattr(found, name)
        own = f"{path}{name}"
        if shape.part is Extra:
            one, other = (tuple(extra for extra in extras if extra.kept_for != PLACE) for extras in (one, other))
        if one == other or (not added and one == shape.default):
            continue
        if shape.kind == "parts":
            yield from _parts(one, other, own, added)
        elif _says_nothing(one) and _says_nothing(other):
            continue
        elif isinstance(one, Part) and isinstance(other, Part):
            yield from changed_fields(one, other, added=added, path=f"{own}.")
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _ids(one, other, own)
        elif not _same(one, other):
            yield own, one, other


def _says_nothing(value: Any) -> bool:
    """Whether it is nothing, or a part without a value: an address of which only extras hold anything."""
    return value is None or (isinstance(value, Part) and not present(value))


def _parts(one: tuple[Part, ...], other: tuple[Part, ...], path: str, added: bool) -> Iterator[tuple[str, Any, Any]]:
    if len(one) != len(other):
        yield path, f"{len(one)} of them", f"{len(other)} of them"
        return
    left = list(other)
    for number, part in enumerate(one):
        match = next((o for o in left if not any(changed_fields(part, o, added=added, path="."))), None)
        if match is not None:
            left.remove(match)
            continue
        found = list(changed_fields(part, other[number], added=added, path=f"{path}[{number}]."))
        yield from found or [(f"{path}[{number}]", part, other[number])]


def _ids(one: Mapping[str, str], other: Mapping[str, str], path: str) -> Iterator[tuple[str, Any, Any]]:
    for key in dict.fromkeys((*one, *other)):
        if not _same(one.get(key), other.get(key)):
            yield f"{path}.{key}", one.get(key), other.get(key)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one == other
    one, other = _unpadded(one), _unpadded(other)
    return bool(one == other) or (one in (None, "") and other in (None, ""))


def _unpadded(value: Any) -> Any:
    """A value without blanks at the end of its lines: they are padding, in X12."""
    if isinstance(value, str):
        return "\n".join(line.rstrip(" ") for line in value.split("\n")) if " " in value else value
    return tuple(map(_unpadded, value)) if isinstance(value, tuple) else value
