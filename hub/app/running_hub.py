"""A hub that runs: journal, broker, workers, keeper, sources and command desk, composed, started, reloaded and
stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from hub.app.acts import Acts
from hub.app.diagnosing.health import Health
from hub.app.keeping.left_behind import refuse_left
from hub.app.keeping.private_files import repair
from hub.app.live_site import LiveSite
from hub.app.opening import Opened, Opening
from hub.app.route_workers import RouteWorkers
from hub.app.site_folder import SiteFolder
from hub.app.site_queues import SiteQueues
from hub.app.site_stores import journal_url, make_broker
from hub.broker.embedded.lock import FileLock
from hub.configuration.site import Site
from hub.core.clock import Clock
from hub.core.errors import JournalUnavailable, TransientError
from hub.core.plugins import Plugins
from hub.journal.bindings import DeclaredBindings
from hub.journal.commands import Commands
from hub.journal.journal import Journal
from hub.journal.processes.suspects import Suspects
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
from hub.runtime.sources.supervisor import SourceSupervisor
from transformers.x12.declarations.code_names import ack_code_names

T = TypeVar("T")

RESUME_SECONDS = 60.0
"""After so long, a replay or release that is not finished belongs to a process that is gone."""

STOP_SECONDS = 20.0
"""How long a stop waits for what is in work; the rest goes back to the broker."""


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
        self.log = log
        self.metrics = Metrics()
        settings = site.settings
        self.settings = settings
        self.journal = Journal(
            journal_url(folder, settings), folder.resolve(settings.claims), clock, on_state=self._journal_state
        )
        self.broker = make_broker(folder, settings, clock)
        self.outcomes = JournalOutcomes(self.journal, lambda: self.live.opened.answering)
        self.pool = WorkerPool(settings.containment, log, clock)
        look = ContainedLooking(self.pool).look
        apart = ContainedApart(self.pool).do
        opening = Opening(folder, self.broker, log, self.journal.clock, self.journal, self.outcomes, look, apart)
        opened = opening.open(site)
        self.runtime = Runtime(
            self.broker,
            self.journal,
            self.metrics,
            log,
            opened.snapshot,
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
        self.workers = RouteWorkers(
            lambda route: RouteWorker(route, self.runtime, self._sender, self.recoverability, self._suspicion)
        )
        self.queues = SiteQueues(self.broker, self.journal, log)
        self.live = LiveSite(
            opened,
            check=lambda: folder.check(plugins, environ),
            opening=opening,
            runtime=self.runtime,
            queues=self.queues,
            workers=self.workers,
            keeper=self._keeper,
            supervisor=self.supervisor,
            waker=self.waker,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._lock = FileLock(folder.resolve("var/hub.lock")) if self.journal.is_sqlite else None
        self._owned = False
        self.health = Health(self)
        self.started = False
        self.waiting_for = "not started"

    @property
    def opened(self) -> Opened:
        return self.live.opened

    @property
    def site(self) -> Site:
        return self.live.opened.site

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
        await self.journal.announce(self.site.version)
        await self._insist("journal", lambda: self.journal.open(worker=True))
        self._left = self.runtime.recorder.open(self.journal.process)
        await self._insist("journal", self._look_back)
        await self._insist("broker", self.broker.open)
        bindings = self.opened.topology().bindings
        await self._insist("journal", lambda: DeclaredBindings(self.journal).need(bindings))
        await self._insist("broker", lambda: self.broker.declare(self.opened.topology()))
        await self.queues.record(self.opened)
        await self.queues.unbind(self.opened)
        await self.queues.report_orphans(self.opened)
        await self._keeper.watch(self.site.table.by_id, self.site.sources)
        await self.workers.start(self.site.table.routes)
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
                await self.queues.unbind(self.opened)
            with Logged(self.log, "resume_failed"):
                await self.replay.resume(RESUME_SECONDS)

    async def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Sources first, then the routes; what is not finished after `timeout` seconds goes back to the broker."""
        self.started, self.waiting_for = False, "stopping"
        await self._leave()  # whoever kills this process from now on: no copy does
        for task in self._tasks:
            task.cancel()
        await self.supervisor.stop(timeout / 2)
        await asyncio.gather(self._hand_over.stop(timeout / 2), self.workers.stop(timeout / 2))
        await self.live.close_replaced()
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
        """See `LiveSite.reload`."""
        return await self.live.reload()

    async def orphans(self) -> dict[str, int]:
        """See `SiteQueues.orphans`."""
        return await self.queues.orphans(self.opened)

    async def tell_others(self, kind: str, who: str) -> None:
        """Leaves a command for every other process. Raises JournalUnavailable."""
        await Commands(self.journal).submit_to_all(kind, {}, who, but=self.journal.process)

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
