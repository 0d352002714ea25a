"""Many waits at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from hub.core.clock import Clock

T = TypeVar("T")

AT_ONCE = 64


async def side_by_side(works: Iterable[Awaitable[object]]) -> None:
    """Does them, some at a time. Raises the first error; what had begun with that one goes on."""
    waiting = iter(works)
    while some := tuple(islice(waiting, AT_ONCE)):
        await asyncio.gather(*some)


async def wait_within(clock: Clock, tasks: Collection[asyncio.Task[T]], seconds: float) -> set[asyncio.Task[T]]:
    """Waits for the tasks at most so many seconds; those that are not done then."""
    if tasks:
        with suppress(TimeoutError):
            async with clock.timeout(seconds):
                await asyncio.wait(tasks)
    return {task for task in tasks if not task.done()}


async def end_within(clock: Clock, tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Waits for the tasks at most so many seconds, cancels those that are not done then, and waits for their end."""
    late = await wait_within(clock, tasks, seconds)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
