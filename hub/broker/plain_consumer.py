"""Consuming through aio-pika: a channel for every subscription, a task for every settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from hub.core.broker import ConsumerArguments, DeliveryHandler, Origin
from hub.core.message import Message

GOODBYE = 2.0
LOST = (*CONNECTION_EXCEPTIONS, asyncio.InvalidStateError)
"""What aio-pika raises when a connection or a channel has ended."""


class PlainDelivery:
    """A message of one channel. After that channel `ack` and `requeue` do nothing."""

    def __init__(self, incoming: AbstractIncomingMessage, tasks: Tasks) -> None:
        self._incoming: AbstractIncomingMessage | None = incoming
        self._tasks = tasks
        self.redelivered = bool(incoming.redelivered)
        self.origin = Origin(incoming.exchange or "", incoming.routing_key or "")
        self.message = Message(
            incoming.message_id or "",
            incoming.body,
            incoming.content_type or "",
            {name: _frozen(value) for name, value in incoming.headers.items()},
            incoming.correlation_id,
            incoming.reply_to,
            incoming.type,
            further(incoming),
        )

    def ack(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._tasks.add(incoming.ack())

    def requeue(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._tasks.add(incoming.reject(requeue=True))


def further(incoming: AbstractIncomingMessage) -> dict[str, Any]:
    """The properties that have no field of their own."""
    found = {
        "content_encoding": incoming.content_encoding,
        "priority": incoming.priority or None,
        "expiration": incoming.expiration,
        "timestamp": incoming.timestamp,
        "user_id": incoming.user_id,
        "app_id": incoming.app_id,
    }
    return {name: value for name, value in found.items() if value is not None}


class Tasks:
    """Work that nobody waits for; that its connection was lost meanwhile is no news."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def add(self, work: Awaitable[Any]) -> None:
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Waits for it, for a while: an ack on a lost channel may wait for ever."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GOODBYE)
            for task in late:
                task.cancel()

    @staticmethod
    async def _run(work: Awaitable[Any]) -> None:
        try:
            await work
        except LOST:
            return


class PlainSubscription:
    """A consumer on a channel of its own, made anew with every connection."""

    def __init__(
        self,
        queue: str,
        handler: DeliveryHandler,
        prefetch: int,
        tasks: Tasks,
        arguments: ConsumerArguments | None = None,
    ) -> None:
        self.queue = queue
        self._arguments = arguments
        self.active = True
        self._handler = handler
        self._prefetch = prefetch
        self._tasks = tasks
        self._channel: AbstractChannel | None = None
        self._cancelled = False
        self._consumer: tuple[Any, str] | None = None

    async def start(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=self._prefetch)
        queue = await channel.get_queue(self.queue, ensure=False)
        self._channel = channel
        self._cancelled = False
        (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(self._on_cancel)
        self._consumer = (
            queue,
            await queue.consume(self._on_message, arguments=dict(self._arguments()) if self._arguments else None),
        )

    @property
    def running(self) -> bool:
        return self._channel is not None and not self._channel.is_closed and not self._cancelled

    def _on_cancel(self, _: Any) -> None:
        """The broker ended the consumer: its queue was deleted, or has moved."""
        self._cancelled = True

    async def cancel(self) -> None:
        self.active = False
        consumer, self._consumer = self._consumer, None
        if consumer is not None and self.running:
            await consumer[0].cancel(consumer[1])

    async def _on_message(self, incoming: AbstractIncomingMessage) -> None:
        delivery = PlainDelivery(incoming, self._tasks)
        if self.active:
            self._handler(delivery)
        else:
            delivery.requeue()


def _frozen(value: Any) -> Any:
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, dict):
        return {name: _frozen(item) for name, item in value.items()}
    return [_frozen(item) for item in value] if isinstance(value, list) else value
