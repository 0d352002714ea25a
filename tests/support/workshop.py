"""The parts of the runtime put together without a hub: a journal, an embedded broker, and far ends in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.core.clock import Clock
from hub.core.context import Context
from hub.core.options.containment import Containment
from hub.core.outgoing_address import OutgoingAddress
from hub.core.ports import Arrival, BytesBody, Outgoing, Receipt, Taken
from hub.core.routing.facts import FactSet
from hub.core.routing.route import Route
from hub.core.routing.route_table import RouteTable
from hub.core.topology import Topology, hub_topology, route_topology, source_topology
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.journal import Journal
from hub.journal.processes.suspects import Suspects
from hub.journal.rows import DeadLetterFound
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.delivery.batching import Batching
from hub.runtime.delivery.hand_over import HandOver
from hub.runtime.delivery.limit import Limit
from hub.runtime.delivery.replies import Replies
from hub.runtime.delivery.sending import Sender
from hub.runtime.delivery.settling import Settling
from hub.runtime.delivery.suspicion import Suspicion
from hub.runtime.delivery.worker import RouteWorker
from hub.runtime.intake.acknowledgments import Acknowledgments
from hub.runtime.intake.intake import Intake
from hub.runtime.metrics import Metrics
from hub.runtime.recovery.flight_recorder import FlightRecorder
from hub.runtime.recovery.keeper import Keeper
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.recovery.replay import Replay
from hub.runtime.recovery.waits import Waker
from hub.runtime.runtime import OpenDestination, Runtime, Snapshot
from tests.support.migrated import lay_journal
from tests.support.site import order
from transformers.json import PLUGIN as JSON_READER
from transformers.x12.declarations.code_names import ack_code_names

SOURCE = "shop"


class PeerAddress(OutgoingAddress):
    kind = "peer"


@dataclass
class FarEnd:
    """A far end, in memory. `answer` raises what it has against the n-th request, from 1. `asked` holds when each came,
    and its key."""

    clock: Clock
    answer: Callable[[int], None] = lambda times: None
    asked: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def address(self, outgoing: Outgoing) -> OutgoingAddress:
        return PeerAddress()

    async def send(self, outgoing: Outgoing) -> Receipt:
        self.asked.append(round(self.clock.monotonic(), 1))
        self.keys.append(outgoing.key)
        self.bodies.append(outgoing.body)
        self.answer(len(self.asked))
        return Receipt("taken")

    async def check(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Workshop:
    """All parts, and what a test asks of them."""

    runtime: Runtime
    intake: Intake
    replay: Replay
    batching: Batching
    waker: Waker
    keeper: Keeper
    workers: Mapping[str, RouteWorker]

    async def take(self, *numbers: str, **more: Any) -> list[Taken]:
        """Orders come in, one after the other."""
        found = []
        for number in numbers:
            found.append(await self.intake.take(Arrival(SOURCE, BytesBody(order(number, **more)), number)))
            await self.runtime.clock.sleep(0.01)
        return found

    async def story(self, number: str) -> Story:
        (found,) = await Timeline(self.runtime.journal).trace(number)
        return found

    async def stages(self, number: str) -> list[str]:
        return [str(event.stage) for event in (await self.story(number)).events]

    async def statuses(self, number: str) -> dict[str, str]:
        return {effect.destination: str(effect.status) for effect in (await self.story(number)).effects}

    async def dead(self) -> list[DeadLetterFound]:
        return await Decisions(self.runtime.journal).dead_letters(DeadFilter(), self.runtime.clock())


@asynccontextmanager
async def workshop(
    folder: Path,
    clock: Clock,
    routes: list[Route],
    destinations: list[OpenDestination],
    limits: Mapping[str, Limit] | None = None,
) -> AsyncIterator[Workshop]:
    """Workers and keeper run; what looks now and then (`waker`, `batching`) is started by the test that needs it."""
    lay_journal(folder / "hub.db")
    journal = Journal(str(folder / "hub.db"), folder / "claims", clock)
    broker = EmbeddedBroker(folder / "broker.db", clock)
    await journal.open(worker=True)
    await broker.open()
    topologies = (hub_topology(), source_topology(SOURCE), *(route_topology(route.id) for route in routes))
    await broker.declare(Topology.joined(topologies))
    log = structlog.get_logger()
    reader = JSON_READER.build(SOURCE, JSON_READER.options.model_validate({"document": "order@1"}), Context(site=None))
    snapshot = Snapshot(
        "v1",
        RouteTable(routes),
        FactSet(),
        {SOURCE: reader},
        {destination.name: destination for destination in destinations},
        {},
        limits=limits or {},
    )
    pool = WorkerPool(Containment(), log, clock)
    runtime = Runtime(
        broker, journal, Metrics(), log, snapshot, pool, Suspects(journal), FlightRecorder(folder / "r"), journal.clock
    )
    recoverability = Recoverability(runtime)
    replies = Replies(runtime, lambda arrival: intake.take(arrival))
    sender = Sender(runtime, Settling(runtime, replies, recoverability))
    intake = Intake(runtime, Acknowledgments(runtime, ack_code_names()), HandOver(runtime, sender, recoverability))
    replay = Replay(runtime, intake)
    suspicion = Suspicion(runtime)
    workers = {route.id: RouteWorker(route, runtime, sender, recoverability, suspicion) for route in routes}
    keeper = Keeper(runtime)
    await keeper.watch([route.id for route in routes], [SOURCE])
    for worker in workers.values():
        await worker.start()
    try:
        yield Workshop(runtime, intake, replay, Batching(runtime, replay.go_on), Waker(runtime), keeper, workers)
    finally:
        for worker in workers.values():
            await worker.stop(5.0)
        await keeper.stop(5.0)
        await broker.close()
        await journal.close()
