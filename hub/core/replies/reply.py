"""What a far end replied, whatever it meant by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.message import empty


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` have lower-case names. `cut`: the body is only its beginning. What lets us in is blackened by the adapter."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=empty)
    body: bytes = b""
    cut: bool = False

    @property
    def says_something(self) -> bool:
        return self.status is not None or bool(self.body)
