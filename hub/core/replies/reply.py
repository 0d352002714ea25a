"""What a far end replied, whatever it meant by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub.core.errors import EndpointError
from hub.core.message import empty


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` have lower-case names. `cut`: the body is only its beginning. What lets us in is blackened by the
    adapter."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=empty)
    body: bytes = b""
    cut: bool = False

    @property
    def says_something(self) -> bool:
        return self.status is not None or bool(self.body)


@contextmanager
def explained_by(reply: Reply) -> Iterator[None]:
    """The errors of the block have the reply, as it came."""
    try:
        yield
    except EndpointError as error:
        error.reply = reply
        raise
