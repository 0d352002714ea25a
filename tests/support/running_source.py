"""A source at work, without a hub around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.core.ports import Source, Take


@asynccontextmanager
async def running_source(source: Source, take: Take) -> AsyncIterator[None]:
    """Runs it until the block ends. An error that ended it before is raised."""
    task = asyncio.create_task(source.run(take))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
