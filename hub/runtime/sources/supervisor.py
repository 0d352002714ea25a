"""Keeps the sources running: one that fails is started again, with a growing pause, and says so. One that may only run
in one process at a time waits for its lease."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hub.core.errors import HubError
from hub.core.ports import SoleSource, Source
from hub.journal.processes.leases import Leases
from hub.runtime.boundary import Boundary
from hub.runtime.intake.intake import Intake
from hub.runtime.runtime import Runtime
from hub.runtime.side_by_side import wait_within
from hub.runtime.sources.single_process import SingleProcess

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
SETTLED = 5.0
"""Seconds after which a source that was started again counts as running."""

CANCELS = 4
"""Times a source is told to stop: libraries lose a cancellation now and then."""


class SourceSupervisor:
    """Runs sources by name. `apply` starts new ones, stops those that are gone, and restarts those that changed."""

    def __init__(self, runtime: Runtime, intake: Intake) -> None:
        self._runtime = runtime
        self._intake = intake
        self._alone = SingleProcess(Leases(runtime.journal), runtime.clock)
        self._running: dict[str, tuple[Source, asyncio.Task[None]]] = {}
        self.failing: dict[str, str] = {}
        self.standing_by: dict[str, str] = {}

    async def apply(self, sources: Mapping[str, Source]) -> None:
        gone = [name for name, (source, _) in self._running.items() if sources.get(name) is not source]
        await self._stop(gone, timeout=30.0)
        for name, source in sources.items():
            if name not in self._running:
                task = asyncio.create_task(self._keep_running(name, source), name=f"source-{name}")
                self._running[name] = (source, task)

    async def stop(self, timeout: float) -> None:
        await self._stop(list(self._running), timeout)

    async def _stop(self, names: list[str], timeout: float) -> None:
        tasks = {self._running.pop(name)[1] for name in names}
        late = tasks
        for _ in range(CANCELS):
            for task in late:
                task.cancel()
            late = await wait_within(self._runtime.clock, late, timeout / CANCELS)
        for name in names:
            self.failing.pop(name, None)
            self.standing_by.pop(name, None)

    async def _keep_running(self, name: str, source: Source) -> None:
        pause, clock = FIRST_PAUSE, self._runtime.clock
        while True:
            begun = clock.monotonic()
            well = clock.call_later(SETTLED, self.failing.pop, name, None)
            with Boundary() as boundary:
                await self._run(name, source)
            error = boundary.error
            well.cancel()
            if clock.monotonic() - begun > 2 * LONGEST_PAUSE:
                pause = FIRST_PAUSE
            self.failing[name] = str(error) or type(error).__name__
            self._runtime.metrics.restarts.labels(name).inc()
            foreseen = isinstance(error, HubError | OSError)
            self._runtime.log.warning(
                "source_failed",
                source=name,
                error=self.failing[name],
                again_in=pause,
                exc_info=None if foreseen else error,
            )
            await clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run(self, name: str, source: Source) -> None:
        if not isinstance(source, SoleSource) or not source.sole:
            await source.run(self._intake.take)
            return

        def stands(text: str) -> None:
            self.failing.pop(name, None)
            self.standing_by[name] = text

        await self._alone.run(f"source:{name}", lambda: source.run(self._intake.take), stands)
