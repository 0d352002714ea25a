"""Many waits at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from itertools import islice
from typing import Any

from hub.core.clock import Clock

AT_ONCE = 64


async def side_by_side(works: Iterable[Awaitable[object]]) -> None:
    """Does them, some at a time. Raises the first error; what had begun with that one goes on."""
    waiting = iter(works)
    while some := tuple(islice(waiting, AT_ONCE)):
        await asyncio.gather(*some)


async def end_within(clock: Clock, tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Waits for the tasks at most so many seconds, cancels those that are not done then, and waits for their end."""
    if not tasks:
        return
    try:
        async with clock.timeout(seconds):
            await asyncio.wait(tasks)
    except TimeoutError:
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
