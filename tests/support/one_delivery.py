"""One delivery without a hub: a copy, a far end in memory, and a runtime with a journal and a broker of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.clock.system_clock import SystemClock
from hub.core.options.containment import Containment
from hub.core.outgoing_address import OutgoingAddress
from hub.core.ports import Arrival, Outgoing, Receipt, Taken
from hub.core.routing.facts import FactSet
from hub.core.routing.route import Route, Send
from hub.core.routing.route_table import RouteTable
from hub.core.topology import route_topology
from hub.journal.journal import Journal
from hub.journal.processes.suspects import Suspects
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.copy import RouteCopy, make_copy
from hub.runtime.delivery.replies import Replies
from hub.runtime.delivery.sending import Sender
from hub.runtime.delivery.settling import Settling
from hub.runtime.metrics import Metrics
from hub.runtime.recovery.flight_recorder import FlightRecorder
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.runtime import Runtime, Snapshot
from tests.support.site import order

BODY = order("PO-1")
ROUTE = Route("orders", (Send("erp"), Send("wms")))


def copy_of(*open: str, attempt: int = 1) -> RouteCopy:
    made = make_copy(
        document="order@1",
        document_id="d1",
        body=BODY,
        canonical="",
        route="orders",
        send=("erp", "wms"),
        facts="{}",
        table="v1",
        source="shop",
        correlation_id=None,
        hops=0,
    )
    return RouteCopy.of(made.with_headers(hub_open=",".join(open) or "erp", hub_attempt=attempt), "orders")


class PeerAddress(OutgoingAddress):
    kind = "peer"


@dataclass
class Peer:
    """A far end, in memory. It takes a document, or answers with the error."""

    error: Exception | None = None
    taken: list[bytes] = field(default_factory=list)

    def address(self, outgoing: Outgoing) -> OutgoingAddress:
        return PeerAddress()

    async def send(self, outgoing: Outgoing) -> Receipt:
        if self.error is not None:
            raise self.error
        self.taken.append(outgoing.body)
        return Receipt("taken")

    async def check(self) -> None: ...

    async def close(self) -> None: ...


async def take(arrival: Arrival) -> Taken:
    raise AssertionError(f"nothing here reads a reply: {arrival}")


@asynccontextmanager
async def a_runtime(folder: Path) -> AsyncIterator[Runtime]:
    journal = Journal(str(folder / "hub.db"), folder / "claims", SystemClock())
    broker = EmbeddedBroker(folder / "broker.db", SystemClock())
    await journal.open(worker=True)
    await broker.open()
    await broker.declare(route_topology("orders"))
    log = structlog.get_logger()
    yield Runtime(
        broker,
        journal,
        Metrics(),
        log,
        Snapshot("v1", RouteTable([ROUTE]), FactSet(), {}, {}, {}),
        WorkerPool(Containment(), log, SystemClock()),
        Suspects(journal),
        FlightRecorder(folder / "reading"),
        journal.clock,
    )
    await broker.close()
    await journal.close()


def sender_of(runtime: Runtime) -> Sender:
    return Sender(runtime, Settling(runtime, Replies(runtime, take), Recoverability(runtime)))
