"""Answers that come back to a queue of this process."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from hub.core.broker import Broker
from hub.core.clock import Clock
from hub.core.errors import TransientError
from hub.core.message import Message
from hub.core.topology import Queue, Topology


def status_of(answer: Message, header: str) -> int:
    """What the header says, where it says a status; else 200."""
    said = answer.headers.get(header)
    text = str(said) if not isinstance(said, bool) else ""
    return int(text) if text.isdecimal() and 100 <= int(text) <= 599 else 200


def texts_of(answer: Message) -> dict[str, str]:
    """The headers of an answer that are plain values, by lower-case name."""
    headers = answer.without_broker_headers().headers
    return {name.lower(): str(value) for name, value in headers.items() if isinstance(value, str | int | float)}


class Answers:
    """The queue of this process in which answers arrive, and who waits for which."""

    def __init__(self, broker: Broker, queue: str, clock: Clock) -> None:
        self._clock = clock
        self._broker = broker
        self._queue = queue
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._subscription: Any = None
        self._beginning = asyncio.Lock()

    async def to(self, publish: Any, message: Message, within: float) -> Message:
        """The answer. Raises TransientError(timeout) when none comes."""
        async with self._beginning:
            if self._subscription is None:
                await self._broker.declare(Topology(queues=(Queue(self._queue, kind="passing"),)))
                self._subscription = await self._broker.consume(self._queue, self._arrived, prefetch=100)
        waiting = self._waiting.setdefault(message.id, asyncio.get_running_loop().create_future())
        try:
            await publish(replace(message, reply_to=self._queue))
            async with self._clock.timeout(within):
                return await asyncio.shield(waiting)
        except TimeoutError as error:
            raise TransientError(f"no answer within {within:g}s", "timeout") from error
        finally:
            self._waiting.pop(message.id, None)

    def _arrived(self, delivery: Any) -> None:
        """An answer that nobody waits for any more is not kept: the question was asked again."""
        waiting = self._waiting.get(delivery.message.correlation_id or "")
        if waiting is not None and not waiting.done():
            waiting.set_result(delivery.message)
        delivery.ack()

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.cancel()
