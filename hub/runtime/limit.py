"""Rate, concurrency and circuit breaker of an endpoint, shared by all destinations that use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.core.duration import seconds
from hub.core.errors import TransientError
from hub.core.limits import LimitOptions


class Limit:
    """Lets requests begin one after the other. While the breaker is open a turn raises TransientError(busy) at once, with the
    time that is left as `retry_after`."""

    def __init__(self, options: LimitOptions) -> None:
        self._gap = 1.0 / options.per_second if options.per_second else 0.0
        self._free = asyncio.Semaphore(options.concurrent) if options.concurrent else None
        self._break_after = options.break_after
        self._break_for = seconds(options.break_for)
        self._next = 0.0
        self._failures = 0
        self._open_until: float | None = None
        self._trying = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One request. Its TransientError counts as a failure, anything else as an answer."""
        if self._free is None:
            async with self._counted():
                yield
            return
        async with self._free, self._counted():
            yield

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._refuse_while_open()
        try:
            await self._pace()
            yield
        except TransientError as error:
            if error.kind != "busy":
                self._failed()
            raise
        finally:
            self._trying = False
        self._failures = 0
        self._open_until = None

    def _refuse_while_open(self) -> None:
        if self._open_until is None:
            return
        left = self._open_until - asyncio.get_running_loop().time()
        if left > 0 or self._trying:
            text = f"left alone after {self._failures} failures in a row, for {max(left, 0.0):.0f} more seconds"
            raise TransientError(text, "busy", max(left, 0.0))
        self._trying = True

    def _failed(self) -> None:
        self._failures += 1
        if self._break_after is not None and self._failures >= self._break_after:
            self._open_until = asyncio.get_running_loop().time() + self._break_for

    async def _pace(self) -> None:
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        begin = max(now, self._next)
        self._next = begin + self._gap
        if begin > now:
            await asyncio.sleep(begin - now)
