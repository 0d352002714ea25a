"""The version of the site that a hub works by, and how another one takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hub.app.opening import Opened, Opening
from hub.app.route_workers import RouteWorkers
from hub.app.site_queues import SiteQueues
from hub.configuration.site import Checked, Site
from hub.core.errors import HubError, JournalUnavailable, TransientError
from hub.runtime.boundary import Boundary
from hub.runtime.recovery.keeper import Keeper
from hub.runtime.recovery.waits import Waker
from hub.runtime.runtime import Runtime
from hub.runtime.sources.supervisor import SourceSupervisor

RETIRE_SECONDS = 60.0
"""How long what a reload has replaced stays open for what is under way there."""


class RefusedReload(HubError):
    """The site on disk has errors: the version that runs keeps running. `findings` say what and where."""

    def __init__(self, checked: Checked) -> None:
        self.findings = checked.findings
        super().__init__("\n".join(str(finding) for finding in checked.errors))


class LiveSite:
    """`opened` is the version that runs. `check` reads the site on disk."""

    def __init__(
        self,
        opened: Opened,
        *,
        check: Callable[[], Checked],
        opening: Opening,
        runtime: Runtime,
        queues: SiteQueues,
        workers: RouteWorkers,
        keeper: Keeper,
        supervisor: SourceSupervisor,
        waker: Waker,
    ) -> None:
        self.opened = opened
        self._settings = opened.site.settings
        self._check = check
        self._opening = opening
        self._runtime = runtime
        self._queues = queues
        self._workers = workers
        self._keeper = keeper
        self._supervisor = supervisor
        self._waker = waker
        self._reloading = asyncio.Lock()
        self._retiring: list[asyncio.Task[None]] = []
        """Each closes what a reload has replaced; sends may be under way there."""

    @property
    def site(self) -> Site:
        return self.opened.site

    async def reload(self) -> dict[str, Any]:
        """Reads, checks and swaps the table at once; new messages take the new one. Raises RefusedReload, and changes
        nothing, when the site has errors; HubError when it can't be opened; TransientError and JournalUnavailable while
        broker or journal are away: it may be tried again."""
        async with self._reloading:
            with Boundary(but=(TransientError, JournalUnavailable)) as boundary:  # nothing is wrong with the site then
                opened = await self._read_anew()
            if (error := boundary.error) is not None:
                refused = self._refused(error)
                raise refused from None if refused is error else error
            result = await self._swap(opened)
            if opened.site.settings != self._settings:
                result["restart_needed"] = (
                    "config/hub.yaml has changed; broker, journal, claims, console and containment need a restart"
                )
            if orphans := await self._queues.orphans(self.opened):
                result["orphans"] = orphans
            self._runtime.metrics.reloads.labels("done").inc()
            self._runtime.log.info("reloaded", **result)
            return result

    async def _read_anew(self) -> Opened:
        checked = await asyncio.to_thread(self._check)
        if checked.site is None:
            raise RefusedReload(checked)
        opened = self._opening.open(checked.site, self.opened)
        both = self.opened.topology() + opened.topology()
        await self._queues.declare(both, opened.topology())
        return opened

    def _refused(self, error: Exception) -> HubError:
        """Counts and logs it. What a plug-in breaks while it is built is an error of the site as any other."""
        told = error if isinstance(error, HubError) else HubError(f"{type(error).__name__}: {error}")
        trace = None if told is error else error
        self._runtime.metrics.reloads.labels("refused").inc()
        self._runtime.log.warning("reload_refused", error=str(told), table=self.site.version, exc_info=trace)
        return told

    async def _swap(self, opened: Opened) -> dict[str, Any]:
        """What may fail comes first: a swap that is begun is finished. Raises JournalUnavailable and TransientError."""
        before, after, version = self.opened.site.table, opened.site.table, opened.site.version
        told = {"table": version, "before": self.opened.site.version}
        await self._queues.record(opened)
        await self._keeper.watch(after.by_id, opened.site.sources)
        await self._runtime.journal.announce(version)
        replaced = self.opened.replaced_by(opened)
        self.opened, self._runtime.snapshot = opened, opened.snapshot
        if replaced:
            self._retiring.append(asyncio.create_task(self._retire(replaced), name="retire"))
        await self._workers.start(after.routes)
        with Boundary():
            await self._waker.measure()
        await self._supervisor.apply(opened.sources)
        with Boundary():
            await self._queues.unbind(self.opened)
        self._runtime.metrics.table.clear()
        self._runtime.metrics.table.labels(version).set(1)
        return {
            **told,
            "added": sorted(set(after.by_id) - set(before.by_id)),
            "removed": sorted(set(before.by_id) - set(after.by_id)),
            "changed": sorted(
                id for id in set(before.by_id) & set(after.by_id) if before.by_id[id].content != after.by_id[id].content
            ),
        }

    async def _retire(self, replaced: list[Any]) -> None:
        """Closes what a reload has replaced, once nothing is under way there any more; a stop doesn't wait for that."""
        try:
            await self._runtime.clock.sleep(RETIRE_SECONDS)
        finally:
            for thing in replaced:
                with Boundary():
                    await thing.close()

    async def close_replaced(self) -> None:
        """Closes at once what reloads have replaced."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
