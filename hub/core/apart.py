"""Pure work on foreign bytes, for adapters and other callers that wait: elsewhere, where it may take long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

Piece = tuple[Mapping[str, Any], bytes]
"""Plain values as JSON has them, and bytes."""

PureWork = Callable[..., Iterable[Piece]]
"""A function of a module. It raises DecodeError for bytes that it can't make sense of."""

Apart = Callable[..., Awaitable[list[Piece]]]
"""`await apart(owner, size, work, *arguments)`: what the work makes of the arguments, which can be pickled. `owner` is
the source or destination for which it is done, `size` that of the bytes. Work on few bytes is done at once, all other
in a worker process. Raises DecodeError, also where the work passes the bounds of `containment`, and TransientError
where no worker can do it now."""


async def apart_here(owner: str, size: int, work: PureWork, *arguments: Any) -> list[Piece]:
    """In this process, whatever it costs."""
    return list(work(*arguments))
