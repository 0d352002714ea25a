"""Running a source in one process at a time, by a lease in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hub.core.clock import Clock
from hub.core.errors import JournalUnavailable, TransientError
from hub.journal.processes.leases import Leases
from hub.runtime.boundary import Boundary

LEASE_SECONDS = 15.0
"""How long a lease lives that nobody keeps: so soon another process takes over from one that is gone."""

STANDS_BY = "stands by: another process runs it"


class SingleProcess:
    """Runs a step while this process holds a lease."""

    def __init__(self, leases: Leases, clock: Clock, seconds: float = LEASE_SECONDS) -> None:
        self._leases = leases
        self._clock = clock
        self._seconds = seconds

    async def run(self, name: str, step: Callable[[], Awaitable[None]], on_state: Callable[[str], None]) -> None:
        """Waits for the lease, runs the step, and gives the lease back when the step has ended, however it ends. The
        step is cancelled before a lease ends that could not be kept, and TransientError says so. `on_state` hears
        STANDS_BY while another process has it, and "" when it is ours. Raises what the step raises, and
        JournalUnavailable."""
        while not await self._leases.take(name, self._seconds):
            on_state(STANDS_BY)
            await self._clock.sleep(self._seconds / 4)
        on_state("")
        running = asyncio.ensure_future(step())
        keeping = asyncio.create_task(self._keep(name))
        try:
            await asyncio.wait({running, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise TransientError(
                    f"the lease {name} could not be kept: stopped, so that no two processes do this", "busy"
                )
        finally:
            keeping.cancel()
            running.cancel()
            await asyncio.wait({running, keeping})
            with Boundary():
                await self._leases.give(name)
        running.result()

    async def _keep(self, name: str) -> None:
        """Ends when the lease is lost, or was not kept for so long that it may end."""
        kept_at = self._clock.monotonic()
        while self._clock.monotonic() - kept_at < self._seconds * 2 / 3:
            await self._clock.sleep(self._seconds / 4)
            asked_at = self._clock.monotonic()
            try:
                async with self._clock.timeout(self._seconds / 4):
                    if not await self._leases.take(name, self._seconds):
                        return
            except (JournalUnavailable, TimeoutError):
                continue
            kept_at = asked_at
