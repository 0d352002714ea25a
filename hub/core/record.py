"""`record`: the frozen dataclass of what is made for every document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

T = TypeVar("T")

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    def record(cls: type[T]) -> type[T]:
        """A frozen dataclass with slots. mypy refuses whoever assigns to a field. At run time nobody does: there a
        frozen `__init__` would take three times as long as a plain one, for each of some twenty records a document."""
        raise NotImplementedError

else:
    record = dataclass(slots=True, unsafe_hash=True)
