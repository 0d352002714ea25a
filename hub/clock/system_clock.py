"""The clock of this host: the only place that reads the time and waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any


class SystemClock:
    """See `hub.core.clock.Clock`. Without a database to ask, the time that processes share is the one of this host."""

    def __call__(self) -> float:
        return time.time()

    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Holds up the thread."""
        time.sleep(seconds)

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        return asyncio.timeout(seconds)

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call, *arguments)
