"""The exchange adapters on a real RabbitMQ, without a hub around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.context import Context
from hub.core.ports import Arrival, Outgoing, Taken
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from tests.support.brokers import eventually
from tests.support.running_source import running_source


class Takes:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []

    async def __call__(self, arrival: Arrival) -> Taken:
        self.arrivals.append(arrival)
        return Taken(1)

    @property
    def bodies(self) -> list[bytes]:
        return [b"".join(arrival.body.chunks()) for arrival in self.arrivals]

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.arrivals) >= number

        await eventually(reached)


def context_on(broker: BrokerLifecycle, journal: Journal, site: Path) -> Context:
    return Context(
        site,
        broker,
        log=structlog.get_logger(),
        memory=lambda name: JournalMemory(journal, name),
        connect=lambda url, name: RabbitBroker(url, SystemClock(), name=name, timeout=5.0),
        clock=SystemClock(),
    )


@asynccontextmanager
async def running(source: Any, take: Any) -> AsyncIterator[None]:
    """Begins once its queue is bound."""
    async with running_source(source, take):
        await asyncio.sleep(0.2)
        yield


def outgoing(body: bytes = b"{}", key: str = "k1", **facts: str) -> Outgoing:
    return Outgoing(
        "id", "order@1", key, body, "application/json", facts={"partner": "ACME", "document": "order", **facts}
    )
