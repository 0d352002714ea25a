"""What a person means by ids, each of which may be shortened to how it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class NamedById(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=NamedById)


@dataclass(frozen=True, slots=True)
class Chosen(Generic[N]):
    """`rows`: each that an id names, once. `refused`: why each other id names none."""

    rows: tuple[N, ...]
    refused: tuple[str, ...]


def choose(ids: Iterable[str], known: Iterable[N], noun: str, plural: str = "") -> Chosen[N]:
    """Each id must begin exactly one row's id: what a beginning of several names is a guess, and an empty id (a shell
    variable that is not set) begins all. `known` are rows that the ids may begin; `noun` is what one of them is called,
    as in `dead letter`."""
    rows, found, refused = list(known), dict[str, N](), list[str]()
    for id in dict.fromkeys(ids):
        begun = [row for row in rows if row.id.startswith(id)]
        if not id:
            refused.append(f"an empty id names no {noun}")
        elif not begun:
            refused.append(f"{id}: no such {noun}")
        elif len(begun) > 1:
            refused.append(f"{id}: {len(begun)} {plural or noun + 's'} begin so, write more of the id")
        else:
            found[begun[0].id] = begun[0]
    return Chosen(tuple(found.values()), tuple(refused))
