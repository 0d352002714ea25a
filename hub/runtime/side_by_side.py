"""Many waits at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from itertools import islice

AT_ONCE = 64


async def side_by_side(works: Iterable[Awaitable[object]]) -> None:
    """Does them, some at a time. Raises the first error; what had begun with that one goes on."""
    waiting = iter(works)
    while some := tuple(islice(waiting, AT_ONCE)):
        await asyncio.gather(*some)
