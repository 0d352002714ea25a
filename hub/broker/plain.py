"""RabbitMQ through aio-pika as its manual shows it: the path to compare `RabbitBroker` with.

Same promises, with a task for every message. aio-pika keeps floats to single precision, misreads negative decimals and
draws an id for a message that has none; nothing else differs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode
from aio_pika.exceptions import (
    ChannelClosed,
    ChannelNotFoundEntity,
    DeliveryError,
    PublishError,
)

from hub.broker.address import AmqpAddress
from hub.broker.declaration import bind_arguments, queue_arguments, refusal
from hub.broker.plain_consumer import GOODBYE, LOST, PlainSubscription, Tasks
from hub.broker.properties import check_names, check_size, encode_properties
from hub.broker.wire import LARGEST_FRAME
from hub.core.broker import ConsumerArguments, DeliveryHandler
from hub.core.errors import ConfigError, TransientError, Unroutable
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, Topology

T = TypeVar("T")
PAUSE = 0.2
TIMEOUT = 30.0


class PlainRabbitBroker:
    """Implements `hub.core.broker.BrokerLifecycle` with aio-pika alone: one connection, one supervisor, a new epoch
    after every loss."""

    blocked = False

    def __init__(self, url: str, *, name: str = "hub", heartbeat: int = 10, timeout: float = TIMEOUT) -> None:
        self._address = AmqpAddress.parse(url)
        self._url, self._name, self._heartbeat = url, name, heartbeat
        self._timeout = timeout
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._up = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._subscriptions: list[PlainSubscription] = []
        self._tasks = Tasks()
        self._attempts: set[asyncio.Task[Any]] = set()
        self._abandoned = 0
        self._publishing: set[asyncio.Future[None]] = set()
        self._one_id: dict[str, asyncio.Lock] = {}
        self._problem: Exception | None = None
        self._log = structlog.get_logger("hub.broker")
        self._open = False
        self._epochs = 0

    @property
    def connected(self) -> bool:
        return self._up.is_set()

    @property
    def reconnects(self) -> int:
        return max(0, self._epochs - 1)

    async def open(self) -> None:
        self._open = True
        self._supervisor = asyncio.create_task(self._supervise())
        await self._insist(_nothing)

    async def close(self) -> None:
        self._open = False
        for subscription in self._subscriptions:
            subscription.active = False
        self._subscriptions.clear()
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor], timeout=GOODBYE)
        self._abandon()
        if self._publishing:
            await asyncio.wait(self._publishing, timeout=GOODBYE)
        await self._tasks.settle()
        await self._end()

    def publish(
        self, exchange: str, key: str, message: Message, *, mandatory: bool = True, timeout: float = 30.0
    ) -> Awaitable[None]:
        task = asyncio.ensure_future(self._publish(exchange, key, message, mandatory, timeout))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)
        return task

    async def consume(
        self,
        queue: str,
        handler: DeliveryHandler,
        *,
        prefetch: int = 100,
        arguments: ConsumerArguments | None = None,
        on_missing: Callable[[], None] | None = None,
    ) -> PlainSubscription:
        """`on_missing` is not served: this broker is there to compare with, and runs in no hub."""
        subscription = PlainSubscription(queue, handler, prefetch, self._tasks, arguments)
        try:
            await self._insist(subscription.start)
        except ChannelClosed as refused:
            raise ConfigError(f"queue {queue!r} can't be consumed: {refused}") from refused
        self._subscriptions.append(subscription)
        return subscription

    async def declare(self, topology: Topology) -> None:
        await self._insist(lambda connection: self._declare(connection, topology))

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]:
        async def look(connection: AbstractConnection) -> dict[str, int | None]:
            found = {queue: await self._look(connection, queue) for queue in queues}
            return {queue: None if counts is None else counts[0] for queue, counts in found.items()}

        return await self._insist(look)

    async def unbind(self, bindings: Sequence[Binding]) -> None:
        async def remove(connection: AbstractConnection) -> None:
            for binding in bindings:
                async with connection.channel() as channel:
                    underlay = await channel.get_underlay_channel()
                    await underlay.queue_unbind(
                        binding.queue, binding.exchange, binding.key, arguments=bind_arguments(binding)
                    )

        await self._insist(remove)

    async def delete_queue(self, queue: str, *, if_empty: bool = True) -> bool:
        async def delete(connection: AbstractConnection) -> bool:
            counts = await self._look(connection, queue)
            if counts is None or (if_empty and any(counts)):
                return False
            async with connection.channel() as channel:
                await channel.queue_delete(queue)
            return True

        return await self._insist(delete)

    # --- epochs

    async def _supervise(self) -> None:
        while True:
            try:
                await self._epoch()
            except LOST as error:
                self._problem = error if isinstance(error, Exception) else None
                self._log.warning("connection lost", broker=str(self._address), cause=type(error).__name__)
            await self._end()
            await asyncio.sleep(PAUSE)

    async def _epoch(self) -> None:
        properties: Any = {"connection_name": self._name}
        connection = await aio_pika.connect(
            self._url, client_properties=properties, heartbeat=self._heartbeat, timeout=10
        )
        self._connection = connection
        self._channel = await connection.channel(on_return_raises=True)
        self._epochs += 1
        self._up.set()
        while not connection.is_closed:
            if self._channel.is_closed:
                self._abandon()
                self._channel = await connection.channel(on_return_raises=True)
            for subscription in self._subscriptions:
                if subscription.active and not subscription.running:
                    await self._resume(subscription, connection)
            await asyncio.sleep(PAUSE)

    async def _resume(self, subscription: PlainSubscription, connection: AbstractConnection) -> None:
        try:
            await subscription.start(connection)
        except ChannelClosed as refused:
            self._log.warning("consumer ended", queue=subscription.queue, cause=str(refused))

    async def _end(self) -> None:
        self._up.clear()
        self._abandon()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                await asyncio.wait_for(connection.close(), GOODBYE)
            except (*LOST, TimeoutError):
                return

    async def _insist(self, action: Callable[[AbstractConnection], Awaitable[T]]) -> T:
        """Does it on this connection, or on the next one when this is lost meanwhile."""
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    await self._up.wait()
                    connection = self._connection
                    try:
                        if connection is not None:
                            return await action(connection)
                    except ChannelClosed:
                        raise
                    except LOST:
                        await asyncio.sleep(PAUSE)
                    await asyncio.sleep(0)
        except TimeoutError:
            raise TransientError(f"no connection to {self._address}: {self._problem or ''}", "unreachable") from None

    # --- one message, one topology

    async def _publish(self, exchange: str, key: str, message: Message, mandatory: bool, timeout: float) -> None:
        """One message of an id at a time: aio-pika finds a returned message by its id."""
        outgoing = _outgoing(message)
        check_names(exchange, key)
        lock = self._one_id.setdefault(message.id, asyncio.Lock())
        try:
            async with asyncio.timeout(timeout), lock:
                while not await self._attempt(exchange, key, outgoing, mandatory):  # noqa: ASYNC110
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            kind = "timeout" if self.connected else "unreachable"
            raise TransientError("the broker did not confirm in time", kind) from None  # type: ignore[arg-type]
        finally:
            if not lock.locked() and self._one_id.get(message.id) is lock:
                del self._one_id[message.id]

    async def _attempt(self, exchange: str, key: str, outgoing: aio_pika.Message, mandatory: bool) -> bool:
        """Whether it was confirmed; False when that is in doubt. It ends with its channel: aio-pika's may wait on."""
        if not self._open:
            raise TransientError("the broker is closed", "unreachable")
        task, ended = asyncio.current_task(), self._abandoned
        assert task is not None  # noqa: S101
        self._attempts.add(task)
        try:
            return await self._send(exchange, key, outgoing, mandatory)
        except asyncio.CancelledError:
            if self._abandoned == ended:
                raise
            task.uncancel()
            return False
        finally:
            self._attempts.discard(task)

    def _abandon(self) -> None:
        """The channel has ended: nothing waits for its confirms."""
        self._abandoned += 1
        for task in list(self._attempts):
            task.cancel()

    async def _send(self, exchange: str, key: str, outgoing: aio_pika.Message, mandatory: bool) -> bool:
        await self._up.wait()
        channel = self._channel
        if channel is None or channel.is_closed:
            return False
        try:
            target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            await target.publish(outgoing, key, mandatory=mandatory)
        except PublishError as error:
            raise Unroutable(exchange, key) from error
        except DeliveryError as error:
            raise TransientError(f"the broker refused a message for {exchange or key!r}", "busy") from error
        except ChannelNotFoundEntity as error:
            if f"no exchange '{exchange}'" in str(error):
                raise Unroutable(exchange, key, str(error)) from error
            return False
        except LOST:
            return False
        return True

    async def _declare(self, connection: AbstractConnection, topology: Topology) -> None:
        version = str(connection.transport.connection.server_properties["version"])  # type: ignore[union-attr]
        async with connection.channel() as channel:
            for exchange in topology.exchanges:
                await _said(
                    exchange,
                    channel.declare_exchange(
                        exchange.name,
                        exchange.type,
                        durable=True,
                        passive=exchange.passive,
                        arguments=dict(exchange.arguments) or None,
                    ),
                )
            for queue in topology.queues:
                arguments = queue_arguments(queue, version)
                await _said(queue, channel.declare_queue(queue.name, durable=True, arguments=arguments))
            for binding in topology.bindings:
                found = await channel.get_queue(binding.queue, ensure=False)
                arguments = bind_arguments(binding)
                await _said(binding, found.bind(binding.exchange, binding.key, arguments=arguments))

    async def _look(self, connection: AbstractConnection, queue: str) -> tuple[int, int] | None:
        """Ready messages and consumers; None when there is no such queue."""
        channel = await connection.channel()
        try:
            found = await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            return None
        await channel.close()
        result = found.declaration_result
        return result.message_count or 0, result.consumer_count or 0


async def _nothing(connection: AbstractConnection) -> None:
    """Only whether there is a connection."""


async def _said(thing: Exchange | Queue | Binding, request: Awaitable[Any]) -> None:
    try:
        await request
    except ChannelClosed as refused:
        code, text = (*refused.args, "")[:2]
        raise refusal(thing, code if isinstance(code, int) else _code(refused), str(text or code)) from refused


def _code(refused: ChannelClosed) -> int:
    return 404 if isinstance(refused, ChannelNotFoundEntity) else 406


def _outgoing(message: Message) -> aio_pika.Message:
    message = message.without_broker_headers()
    check_size(encode_properties(message), LARGEST_FRAME)  # says what can't be carried
    return aio_pika.Message(
        message.body,
        headers={name: _thawed(value) for name, value in message.headers.items()},
        content_type=message.content_type or None,
        delivery_mode=DeliveryMode.PERSISTENT,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        message_id=message.id or None,
        type=message.type,
        **{name: value for name, value in message.properties.items() if name != "app_id"},
    )


def _thawed(value: Any) -> Any:
    """As pamqp wants it: bytes as bytearray."""
    if isinstance(value, bytes):
        return bytearray(value)
    if isinstance(value, dict):
        return {name: _thawed(item) for name, item in value.items()}
    return [_thawed(item) for item in value] if isinstance(value, (list, tuple)) else value
