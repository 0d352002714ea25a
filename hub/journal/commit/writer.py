"""What a group commit runs for its entries, all within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
Key = TypeVar("Key")
Answer = TypeVar("Answer")


class EntryWriter(Protocol[Item_contra]):
    """Writes what the entries of one transaction want of it (`items`, in the order in which they were submitted, at
    least one), and may answer. A transaction that meets another one runs again from its beginning."""

    def write(self, connection: Connection, items: Sequence[Item_contra], /) -> Mapping[Any, Any] | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Change(Generic[Item]):
    """A writer that answers nothing."""

    write: Callable[[Connection, Sequence[Item]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Question(Generic[Item, Key, Answer]):
    """A writer that answers. `key`: under which key the answer to an item stands; where it has none, the answer is
    no."""

    write: Callable[[Connection, Sequence[Item]], Mapping[Key, Answer]]
    key: Callable[[Item], Key]
