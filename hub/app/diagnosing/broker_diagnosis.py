"""What `hub doctor` looks at where messages wait: the broker, its queues, and copies that are in none of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Sequence

from hub.app.diagnosing.finding import GONE, HealthFinding
from hub.app.keeping.left_behind import BROKER_FILE, file_depths
from hub.app.opening import Opening
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import COMMAND_PATIENCE, make_broker
from hub.broker.rabbit.declaration import limit_hint
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.configuration.site import Site
from hub.core import topology
from hub.core.errors import ConfigError, HubError, plain
from hub.core.topology import Topology, own_queues, topology_of
from hub.journal.copies.open_copies import LOST, OpenCopies
from hub.journal.copies.waits import Waits
from hub.journal.declared_queues import DeclaredQueues, Depths
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from hub.runtime.recovery.rebuilding import LEFT, OWNER


class FileDepths:
    """Of the embedded broker, read from its file, which a running hub owns. Without the file no queue is there."""

    def __init__(self, folder: SiteFolder) -> None:
        self._path = folder.resolve(BROKER_FILE)

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]:
        """Raises ConfigError when the file can't be read."""
        found = file_depths(self._path) if self._path.exists() else {}
        return {queue: found.get(queue) for queue in queues}


class BrokerDiagnosis:
    """Looks once."""

    def __init__(self, folder: SiteFolder, site: Site, journal: Journal, *, running: bool) -> None:
        self._folder, self._site, self._journal, self._running = folder, site, journal, running

    async def run(self) -> AsyncIterator[HealthFinding]:
        broker = make_broker(self._folder, self._site.settings, SystemClock(), COMMAND_PATIENCE)
        declared = Opening(self._folder, broker, None, SystemClock()).open(self._site).topology()
        if self._site.settings.broker == "embedded":
            async for finding in self._embedded(declared):
                yield finding
            return
        try:
            await broker.open()
            yield HealthFinding("broker", "ok", self._site.settings.broker)
            async for finding in self._queues(broker, declared):
                yield finding
            if isinstance(broker, RabbitBroker) and self._running:
                yield await self._limits(broker, declared)
        except HubError as error:
            yield HealthFinding("broker", "error", plain(error))
        finally:
            await broker.close()

    async def _embedded(self, declared: Topology) -> AsyncIterator[HealthFinding]:
        """Looks into the file and makes none: it would belong to who looks."""
        try:
            found = [finding async for finding in self._queues(FileDepths(self._folder), declared)]
        except ConfigError as error:
            yield HealthFinding("broker", "error", plain(error))
            return
        yield HealthFinding("broker", "ok", "embedded, owned by the hub that runs" if self._running else "embedded")
        for finding in found:
            yield finding

    async def _queues(self, depths: Depths, declared: Topology) -> AsyncIterator[HealthFinding]:
        yield await self._missing(depths, declared)
        yield await orphans(depths, self._journal, declared, self._site.table.by_id)
        yield await self._lost(depths)

    async def _limits(self, broker: RabbitBroker, declared: Topology) -> HealthFinding:
        """Declaring what is there already changes nothing, and tells how it was declared; retry queues are found in the
        record."""
        recorded = [topology_of(name) for name, _ in await DeclaredQueues(self._journal).all() if ".retry." in name]
        await broker.declare(sum(recorded, declared))
        if broker.without_limit:
            return HealthFinding("limits", "error", limit_hint(broker.without_limit))
        return HealthFinding("limits", "ok", "no queue of the hub drops messages after redeliveries")

    async def _missing(self, depths: Depths, declared: Topology) -> HealthFinding:
        found = await depths.depths(own_queues(declared)) if self._running else {}
        gone = sorted(queue for queue, count in found.items() if count is None)
        if gone:
            text = f"missing at the broker: {', '.join(gone)}: hub reload declares them again"
            return HealthFinding("queues", "error", text)
        return HealthFinding("queues", "ok", "all are there" if self._running else "not looked at: no hub runs")

    async def _lost(self, depths: Depths) -> HealthFinding:
        """Effects that are open need a copy: in work, as a row, or in a queue of their route."""
        queues = await DeclaredQueues(self._journal).all()
        missing = []
        for one in await OpenCopies(self._journal).unclaimed():
            own = topology.route_queue(one.route)
            mine = [name for name, _ in queues if name == own or name.startswith(f"{own}.retry.")]
            held = sum(count or 0 for count in (await depths.depths(mine)).values())
            if one.count > held:
                missing.append(f"{one.count - held} of route {one.route}")
        if missing:
            text = f"{', '.join(missing)} have been open for more than {LOST / 60:.0f} minutes, and no queue holds them"
            text = f"{text}: `hub broker rebuild` publishes them from the journal"
            if left := await JournalMemory(self._journal, OWNER).get(LEFT):
                text = f"{text}; the last rebuild could make no copy for {left} (copy_not_rebuilt in the log)"
            return HealthFinding("open copies", "error", text)
        return HealthFinding("open copies", "ok", "each is in a queue, in work or waits")


async def orphans(depths: Depths, journal: Journal, declared: Topology, routes: Container[str]) -> HealthFinding:
    """Copies that wait for a route or source which the site has no more."""
    queues = await DeclaredQueues(journal).orphans(depths, declared, routes)
    waiting = await Waits(journal).without(routes)
    told = [f"{queue} holds {count}" for queue, count in queues.items()]
    told += [f"{count} wait as rows for the route {route}" for route, count in waiting.items()]
    if told:
        text = f"{', '.join(told)}, and no route or source of the site takes them"
        return HealthFinding("orphans", "error", f"{text}: {GONE}")
    return HealthFinding("orphans", "ok", "nothing waits for a route or source that is gone")
