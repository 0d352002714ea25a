"""What the contract suite needs of a broker: one of each kind, and a consumer that collects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.message import Message

KINDS = ("embedded", "rabbit")
LIMIT = 30.0
"""Seconds after which a test gives up waiting: a failure, never a measurement."""


def make_broker(kind: str, url: str, folder: Path, *, timeout: float = LIMIT) -> BrokerLifecycle:
    """A broker that isn't open yet. `url` is for the kinds that need one, `folder` for the one that has a file."""
    if kind == "embedded":
        return EmbeddedBroker(folder / "broker.db", SystemClock(), timeout=timeout)
    return RabbitBroker(url, SystemClock(), name="test", timeout=timeout)


class Inbox:
    """A consumer's handler that keeps what it is given."""

    def __init__(self, *, ack: bool = False) -> None:
        self.all: list[Any] = []
        self._waiting: asyncio.Queue[Any] = asyncio.Queue()
        self._ack = ack

    def __call__(self, delivery: Any) -> None:
        self.all.append(delivery)
        self._waiting.put_nowait(delivery)
        if self._ack:
            delivery.ack()

    async def next(self) -> Any:
        return await asyncio.wait_for(self._waiting.get(), LIMIT)

    async def take(self, count: int) -> list[Any]:
        return [await self.next() for _ in range(count)]

    @property
    def ids(self) -> set[str]:
        return {delivery.message.id for delivery in self.all}


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Waits until it is true. Raises TimeoutError when it never is."""
    pause = 0.02
    async with asyncio.timeout(LIMIT):
        while not await check():
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, 0.1)  # what is asked costs more than the wait


async def depth_becomes(broker: BrokerLifecycle, queue: str, count: int | None) -> None:
    async def right() -> bool:
        return (await broker.depths([queue]))[queue] == count

    await eventually(right)


def numbered(numbers: Sequence[int], body: bytes = b"{}") -> list[Message]:
    """Messages whose ids are their numbers."""
    return [Message(str(number), body) for number in numbers]
