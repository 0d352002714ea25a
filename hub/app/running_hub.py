"""A hub that runs: journal, broker, workers, keeper, sources and command desk, composed, started, reloaded and
stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hub.app.acts import Acts
from hub.app.diagnosing.health import Health
from hub.app.keeping.left_behind import BROKER_FILE, refuse_left
from hub.app.keeping.private_files import repair
from hub.app.opening import Opened, Opening
from hub.app.site_folder import SiteFolder
from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.broker.embedded.lock import FileLock
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.configuration.site import Checked, Settings, Site
from hub.core import topology
from hub.core.broker import BrokerLifecycle
from hub.core.clock import Clock
from hub.core.errors import ConfigError, HubError, JournalUnavailable, TransientError
from hub.core.plugins import Plugins
from hub.core.routing.route import Route
from hub.core.topology import Topology
from hub.journal.bindings import DeclaredBindings
from hub.journal.commands import Commands
from hub.journal.commit.bulk import QUEUE
from hub.journal.commit.entry import Entry
from hub.journal.copies.waits import Waits
from hub.journal.declared_queues import DeclaredQueues
from hub.journal.journal import Journal
from hub.journal.processes.suspects import Suspects
from hub.journal.rows import QueueRow
from hub.runtime.boundary import Boundary, Logged
from hub.runtime.contained.apart import ContainedApart
from hub.runtime.contained.looking import ContainedLooking
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.delivery.batching import Batching
from hub.runtime.delivery.hand_over import HandOver
from hub.runtime.delivery.replies import Replies
from hub.runtime.delivery.sending import Sender
from hub.runtime.delivery.settling import Settling
from hub.runtime.delivery.suspicion import Suspicion
from hub.runtime.delivery.worker import RouteWorker
from hub.runtime.intake.acknowledgments import Acknowledgments
from hub.runtime.intake.awaited_outcomes import JournalOutcomes
from hub.runtime.intake.intake import Intake
from hub.runtime.metrics import Metrics
from hub.runtime.recovery.command_desk import CommandDesk
from hub.runtime.recovery.flight_recorder import FlightRecorder
from hub.runtime.recovery.keeper import Keeper
from hub.runtime.recovery.rebuilding import Rebuilding
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.recovery.replay import Replay
from hub.runtime.recovery.waits import Waker
from hub.runtime.runtime import Runtime
from hub.runtime.side_by_side import side_by_side
from hub.runtime.sources.supervisor import SourceSupervisor
from transformers.x12.declarations.code_names import ack_code_names

T = TypeVar("T")

RESUME_SECONDS = 60.0
"""After so long, a replay or release that is not finished belongs to a process that is gone."""

RETIRE_SECONDS = 60.0
"""How long what a reload has replaced stays open for what is under way there."""

STOP_SECONDS = 20.0
"""How long a stop waits for what is in work; the rest goes back to the broker."""


class RefusedReload(HubError):
    """The site on disk has errors: the version that runs keeps running. `findings` say what and where."""

    def __init__(self, checked: Checked) -> None:
        self.findings = checked.findings
        super().__init__("\n".join(str(finding) for finding in checked.errors))


class RunningHub:
    """One hub process. `start` returns when it takes messages; until then, and while broker or journal are away,
    `readiness` says what is missing."""

    def __init__(
        self,
        folder: SiteFolder,
        site: Site,
        plugins: Plugins,
        log: Any,
        clock: Clock,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._plugins = plugins
        self._environ = environ
        self.log = log
        self.metrics = Metrics()
        settings = site.settings
        self.settings = settings
        self.journal = Journal(
            journal_url(folder, settings), folder.resolve(settings.claims), clock, on_state=self._journal_state
        )
        self.broker = make_broker(folder, settings, clock)
        self.outcomes = JournalOutcomes(self.journal, lambda: self.opened.answering)
        self.pool = WorkerPool(settings.containment, log, clock)
        look = ContainedLooking(self.pool).look
        apart = ContainedApart(self.pool).do
        self._opening = Opening(folder, self.broker, log, self.journal.clock, self.journal, self.outcomes, look, apart)
        self.opened: Opened = self._opening.open(site)
        self.runtime = Runtime(
            self.broker,
            self.journal,
            self.metrics,
            log,
            self.opened.snapshot,
            self.pool,
            Suspects(self.journal),
            FlightRecorder(folder.resolve("var/reading")),
            self.journal.clock,
            settled=self.outcomes.settled,
        )
        self.acknowledgments = Acknowledgments(self.runtime, ack_code_names())
        self.recoverability = Recoverability(self.runtime)
        replies = Replies(self.runtime, lambda arrival: self.intake.take(arrival))
        self._sender = Sender(self.runtime, Settling(self.runtime, replies, self.recoverability))
        self._hand_over = HandOver(self.runtime, self._sender, self.recoverability, enabled=settings.hand_over)
        self.intake = Intake(self.runtime, self.acknowledgments, self._hand_over)
        self.replay = Replay(self.runtime, self.intake)
        self.batching = Batching(self.runtime, self.replay.go_on)
        self.waker = Waker(self.runtime)
        self.rebuilding = Rebuilding(self.runtime)
        self._suspicion = Suspicion(self.runtime)
        self._left: list[str] = []
        """Names of arrivals that dead processes were reading."""
        self._keeper = Keeper(self.runtime)
        self.supervisor = SourceSupervisor(self.runtime, self.intake)
        self._workers: dict[str, RouteWorker] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._retiring: list[asyncio.Task[None]] = []
        """Each closes what a reload has replaced; sends may be under way there."""
        self._reloading = asyncio.Lock()
        self._lock = FileLock(folder.resolve("var/hub.lock")) if self.journal.is_sqlite else None
        self._owned = False
        self.health = Health(self)
        self.started = False
        self.waiting_for = "not started"

    @property
    def site(self) -> Site:
        return self.opened.site

    def own(self) -> None:
        """Takes the site for this process, where only one may have it. Raises ConfigError, which names the owner. Twice
        is harmless."""
        if self._lock is not None and not self._owned:
            self._lock.acquire("this site")
            self._owned = True

    def _make_private(self) -> None:
        """Repairs the modes of the hub's own files, which an earlier version or a copy has left open."""
        repaired, left = repair(self._folder, self.site)
        for each in repaired:
            self.log.info("made_private", path=str(each.path), mode=f"{each.mode:04o}", now=f"{each.wanted:04o}")
        for each in left:
            self.log.error("open_to_others", path=str(each.path), mode=f"{each.mode:04o}", wanted=f"{each.wanted:04o}")

    async def start(self) -> None:
        """Waits for journal and broker as long as it takes. Raises ConfigError for what waiting can't mend."""
        self.own()
        refuse_left(self._folder, self.settings)
        await asyncio.to_thread(self._make_private)
        self.journal.table_version = self.site.version
        await self._insist("journal", lambda: self.journal.open(worker=True))
        self._left = self.runtime.recorder.open(self.journal.process)
        await self._insist("journal", self._look_back)
        await self._insist("broker", self.broker.open)
        bindings = self.opened.topology().bindings
        await self._insist("journal", lambda: DeclaredBindings(self.journal).need(bindings))
        await self._insist("broker", lambda: self.broker.declare(self.opened.topology()))
        await self._record_queues(self.opened)
        await self._unbind()
        await self._report_orphans()
        await self._keeper.watch(self.site.table.by_id, self.site.sources)
        await self._start_workers()
        await self._insist("broker", self.rebuilding.begin)
        await self.replay.resume(0.0 if self.journal.is_sqlite else RESUME_SECONDS)
        await self.supervisor.apply(self.opened.sources)
        desk = CommandDesk(self.runtime, Acts(self).table())
        self._tasks.append(asyncio.create_task(desk.run(), name="command-desk"))
        self._tasks.append(asyncio.create_task(self._resume(), name="resume"))
        self._tasks.append(asyncio.create_task(self.acknowledgments.watch(), name="acknowledgments"))
        self._tasks.append(asyncio.create_task(self.batching.watch(), name="batching"))
        self._tasks.append(asyncio.create_task(self.waker.watch(), name="waker"))
        self._tasks.append(asyncio.create_task(self.rebuilding.watch(), name="rebuilding"))
        self.started, self.waiting_for = True, ""
        self.metrics.table.labels(self.site.version).set(1)
        self.log.info(
            "hub_started", routes=len(self.site.table), sources=len(self.site.sources), table=self.site.version
        )

    async def _look_back(self) -> None:
        """Remembers what workers were lost over, and what dead processes were reading when they died."""
        now, suspects = self.runtime.clock(), self.runtime.suspects
        await suspects.load(now)
        while self._left:
            await suspects.add(self._left[-1], "ended the hub's process", now)
            self.log.warning("process_lost", arrival=self._left.pop())

    async def _resume(self) -> None:
        """Takes up, now and then, what another process began to replay or release and did not finish; forgets old
        suspects, and unbinds what a process needed that is gone."""
        while True:
            await self.runtime.clock.sleep(RESUME_SECONDS)
            with Boundary():
                await self.runtime.suspects.load(self.runtime.clock())
            with Boundary():
                await self._unbind()
            with Logged(self.log, "resume_failed"):
                await self.replay.resume(RESUME_SECONDS)

    async def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Sources first, then the routes; what is not finished after `timeout` seconds goes back to the broker."""
        self.started, self.waiting_for = False, "stopping"
        await self._leave()  # whoever kills this process from now on: no copy does
        for task in self._tasks:
            task.cancel()
        await self.supervisor.stop(timeout / 2)
        works = [worker.stop(timeout / 2) for worker in self._workers.values()]
        await asyncio.gather(self._hand_over.stop(timeout / 2), *works)
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await self._keeper.stop(5.0)
        await self.pool.close()
        await self._leave()
        self.runtime.recorder.close()
        await self.opened.close()
        await self.broker.close()
        await self.journal.close()
        if self._lock is not None:
            self._lock.release()
        self.log.info("hub_stopped")

    async def _leave(self) -> None:
        if self.journal.available:
            with Boundary():
                await self._suspicion.leave()

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
            if opened.site.settings != self.settings:
                result["restart_needed"] = (
                    "config/hub.yaml has changed; broker, journal, claims, console and containment need a restart"
                )
            if orphans := await self.orphans():
                result["orphans"] = orphans
            self.metrics.reloads.labels("done").inc()
            self.log.info("reloaded", **result)
            return result

    async def tell_others(self, kind: str, who: str) -> None:
        """Leaves a command for every other process. Raises JournalUnavailable."""
        await Commands(self.journal).submit_to_all(kind, {}, who, but=self.journal.process)

    async def _read_anew(self) -> Opened:
        checked = await asyncio.to_thread(self._folder.check, self._plugins, self._environ)
        if checked.site is None:
            raise RefusedReload(checked)
        opened = self._opening.open(checked.site, self.opened)
        both = self.opened.topology() + opened.topology()
        await DeclaredBindings(self.journal).need(both.bindings)
        await self.broker.declare(opened.topology())
        return opened

    def _refused(self, error: Exception) -> HubError:
        """Counts and logs it. What a plug-in breaks while it is built is an error of the site as any other."""
        told = error if isinstance(error, HubError) else HubError(f"{type(error).__name__}: {error}")
        trace = None if told is error else error
        self.metrics.reloads.labels("refused").inc()
        self.log.warning("reload_refused", error=str(told), table=self.site.version, exc_info=trace)
        return told

    async def _swap(self, opened: Opened) -> dict[str, Any]:
        """What may fail comes first: a swap that is begun is finished. Raises JournalUnavailable and TransientError."""
        before, after, version = self.opened.site.table, opened.site.table, opened.site.version
        told = {"table": version, "before": self.opened.site.version}
        await self._record_queues(opened)
        await self._keeper.watch(after.by_id, opened.site.sources)
        await self.journal.announce(version)
        replaced = self.opened.replaced_by(opened)
        self.opened, self.runtime.snapshot = opened, opened.snapshot
        if replaced:
            self._retiring.append(asyncio.create_task(self._retire(replaced), name="retire"))
        await self._start_workers()
        with Boundary():
            await self.waker.measure()
        await self.supervisor.apply(opened.sources)
        with Boundary():
            await self._unbind()
        self.metrics.table.clear()
        self.metrics.table.labels(version).set(1)
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
            await self.runtime.clock.sleep(RETIRE_SECONDS)
        finally:
            for thing in replaced:
                with Boundary():
                    await thing.close()

    async def _start_workers(self) -> None:
        """A worker for every route. That of a removed route goes on: copies that were made for it are still served."""
        await side_by_side(self._start_worker(route) for route in self.site.table.routes)

    async def _start_worker(self, route: Route) -> None:
        if route.id in self._workers:
            self._workers[route.id].route = route
            return
        worker = RouteWorker(route, self.runtime, self._sender, self.recoverability, self._suspicion)
        await worker.start()
        self._workers[route.id] = worker

    async def _record_queues(self, opened: Opened) -> None:
        entry, now = Entry(), self.runtime.clock()
        for route in opened.site.table.by_id:
            for queue in (topology.route_queue(route), topology.dead_queue(route)):
                entry.add(QUEUE, QueueRow(name=queue, route=route, declared_at=now))
        for queue in topology.own_queues(opened.topology()):
            entry.add(QUEUE, QueueRow(name=queue, route=None, declared_at=now))
        await self.journal.commit(entry)

    async def _unbind(self) -> None:
        """Removes the bindings that no process needs any more: what they brought would wait for nobody."""
        declared = DeclaredBindings(self.journal)
        if not await declared.need((needed := self.opened.topology()).bindings):
            await self.broker.declare(needed)
        unneeded = await declared.unneeded()
        gone = unneeded.bindings
        if gone:
            await self.broker.unbind(gone)
            again = await declared.needed(gone)  # a process has begun meanwhile
            await self.broker.declare(Topology(bindings=tuple(again)))
            self.log.info("unbound", bindings=[f"{each.exchange} -> {each.queue} ({each.key})" for each in gone])
        if gone or unneeded.rows:
            await declared.unbound(unneeded)

    async def _report_orphans(self) -> None:
        """Messages that wait in a queue that no route uses any more are an error: nobody would ever take them."""
        for queue, count in (await self.orphans()).items():
            self.log.error(
                "orphaned_queue", queue=queue, messages=count, hint="bring the route back, or see hub doctor"
            )

    async def orphans(self) -> dict[str, int]:
        """Recorded queues that no route or source of the site uses, and how many messages they hold; rows that wait for
        such a route under the name of its queue."""
        routes = self.site.table.by_id
        found = await DeclaredQueues(self.journal).orphans(self.broker, self.opened.topology(), routes)
        for route, count in (await Waits(self.journal).without(routes)).items():
            queue = topology.route_queue(route)
            found[queue] = found.get(queue, 0) + count
        return found

    async def readiness(self) -> dict[str, Any]:
        """See `Health.readiness`."""
        return await self.health.readiness()

    async def measure(self) -> None:
        """See `Health.measure`."""
        await self.health.measure()

    async def _insist(self, what: str, step: Callable[[], Awaitable[Any]]) -> None:
        """Tries until it works; says once what the hub waits for."""
        while True:
            try:
                await step()
            except (TransientError, JournalUnavailable) as error:
                if self.waiting_for != f"{what}: {error}":
                    self.log.warning("waiting", what=what, error=str(error))
                self.waiting_for = f"{what}: {error}"
                await self.runtime.clock.sleep(1.0)
                continue
            return

    def _journal_state(self, available: bool, text: str) -> None:
        self.metrics.journal_up.set(available)
        if available:
            self.log.info("journal_back")
        else:
            self.log.error("journal_away", error=text, effect="nothing is taken or acknowledged until it is back")


def journal_url(folder: SiteFolder, settings: Settings) -> str:
    """The journal's URL: a path stands in the site."""
    return settings.journal if "://" in settings.journal else str(folder.resolve(settings.journal))


COMMAND_PATIENCE = 8.0
"""Seconds that a command, for which a person waits, tries to reach the broker."""


def make_broker(folder: SiteFolder, settings: Settings, clock: Clock, patience: float = 30.0) -> BrokerLifecycle:
    """`patience`: seconds in which a RabbitMQ must be reached."""
    if settings.broker == "amqp":
        if not settings.amqp:
            raise ConfigError("config/hub.yaml: broker amqp needs a URL")
        return RabbitBroker(settings.amqp, clock, name="hub", timeout=patience)
    return EmbeddedBroker(embedded_path(folder), clock)


def embedded_path(folder: SiteFolder) -> Path:
    return folder.resolve(BROKER_FILE)
