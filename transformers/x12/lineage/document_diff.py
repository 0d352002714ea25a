"""Two documents side by side: every field of which one says otherwise than the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.documents.base import Extra, Part
from transformers.x12.declarations.fields import shapes
from transformers.x12.writing.read_back import IGNORED

NAMED_BY = ("number", "id", "qualifier", "role", "purpose", "kind", "code", "segment", "set")
"""The fields by which one part of a list is told from another."""

EMPTY: tuple[Any, ...] = (None, "", ())


@dataclass(frozen=True, slots=True)
class Difference:
    """The path of a field (`lines[2].quantity`, from 0) and what each of the two says there; None for nothing."""

    path: str
    one: Any
    other: Any


def diff_documents(one: Part, other: Part, path: str = "") -> Iterator[Difference]:
    """Of two parts of one class. Neither the partner, nor where a kept segment stood, nor the order of parts in a list
    counts."""
    for name in shapes(type(one)):
        if (not path and name in IGNORED) or (isinstance(one, Extra) and name == "position"):
            continue
        left, right = getattr(one, name), getattr(other, name)
        own = f"{path}{name}"
        if left == right or (left in EMPTY and right in EMPTY):
            continue
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            yield from _of_ids(left, right, own)
        elif isinstance(left, Part) and isinstance(right, Part):
            yield from diff_documents(left, right, f"{own}.")
        elif _parts(left) and _parts(right):
            yield from _of_lists(left, right, own)
        else:
            yield Difference(own, None if left in EMPTY else left, None if right in EMPTY else right)


def _parts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, Part) for each in value)


def _of_ids(one: Mapping[str, str], other: Mapping[str, str], path: str) -> Iterator[Difference]:
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            yield Difference(f"{path}.{key}", one.get(key), other.get(key))


def _of_lists(one: tuple[Part, ...], other: tuple[Part, ...], path: str) -> Iterator[Difference]:
    left, right = list(enumerate(one)), list(enumerate(other))
    _pair(left, right, _alike)
    pairs = [*_pair(left, right, _named), *_pair(left, right, type)]
    for (number, mine), (_, theirs) in sorted(pairs, key=lambda pair: pair[0][0]):
        yield from diff_documents(mine, theirs, f"{path}[{number}].")
    yield from (Difference(f"{path}[{number}]", part, None) for number, part in left)
    yield from (Difference(f"{path}[{number}]", None, part) for number, part in right)


Numbered = tuple[int, Part]


def _pair(left: list[Numbered], right: list[Numbered], key: Any) -> list[tuple[Numbered, Numbered]]:
    """Takes out of both lists what has the same key (None has none), in their order."""
    waiting: dict[Any, list[Numbered]] = {}
    for numbered in right:
        waiting.setdefault(key(numbered[1]), []).append(numbered)
    for found in waiting.values():
        found.reverse()
    waiting.pop(None, None)
    pairs = []
    for numbered in left:
        if found := waiting.get(key(numbered[1]), []):
            pairs.append((numbered, found.pop()))
    mine, theirs = {a for (a, _), _ in pairs}, {b for _, (b, _) in pairs}
    left[:] = [each for each in left if each[0] not in mine]
    right[:] = [each for each in right if each[0] not in theirs]
    return pairs


def _alike(part: Part) -> Part:
    return part.model_copy(update={"position": 0}) if isinstance(part, Extra) else part


def _named(part: Part) -> tuple[Any, ...] | None:
    names = tuple(getattr(part, name, None) for name in NAMED_BY)
    return names if any(names) else None
