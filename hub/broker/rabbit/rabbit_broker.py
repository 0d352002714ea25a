"""RabbitMQ: supervised connections, one for publishing, and one (or more, where there are many consumers) for
everything else.

RabbitMQ stops reading from a connection that publishes when its memory or disk runs low; acknowledgements go through
all the same because they have a connection of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from pamqp import commands

from hub.broker.rabbit.address import RESERVED_CHANNELS, AmqpAddress
from hub.broker.rabbit.amqp_channel import AmqpChannel, ChannelRefused, ConnectionLost
from hub.broker.rabbit.connection import AmqpConnection
from hub.broker.rabbit.consumer import RabbitSubscription
from hub.broker.rabbit.declaration import (
    NOT_FOUND,
    PRECONDITION_FAILED,
    bind,
    declare_exchange,
    declare_queue,
    limit_hint,
    major,
    other_arguments,
    refusal,
    unbind,
)
from hub.broker.rabbit.publisher import PublishChannel, Publisher
from hub.broker.rabbit.supervisor import ConnectionSupervisor
from hub.core.broker import ConsumerArguments, DeliveryHandler
from hub.core.clock import Clock
from hub.core.errors import ConfigError, TransientError
from hub.core.message import Message
from hub.core.topology import Binding, Queue, Topology

T = TypeVar("T")

HEARTBEAT = 10
TIMEOUT = 30.0


CHANNELS = 2047
"""Channels of a connection, until the broker says how many it allows."""


class _Consuming:
    """A connection for consumers, and those that it carries: as many as it has channels."""

    def __init__(self, address: AmqpAddress, name: str, heartbeat: int, clock: Clock) -> None:
        self.supervisor = ConnectionSupervisor(address, name, heartbeat, clock, self._begin)
        self.subscriptions: list[RabbitSubscription] = []
        self.coming = 0
        """Consumers that are on their way."""
        self._most = CHANNELS

    @property
    def has_room(self) -> bool:
        self.subscriptions = [each for each in self.subscriptions if each.active]
        connection, left = self.supervisor.connection, self._most - len(self.subscriptions)
        if connection is not None:
            self._most = connection.most_channels
            left = min(self._most - len(self.subscriptions), connection.room())
        return left - self.coming > RESERVED_CHANNELS

    async def _begin(self, connection: AmqpConnection) -> None:
        for subscription in self.subscriptions:
            if subscription.active:
                subscription.keep(connection, started=False)


class RabbitBroker:
    """Implements `hub.core.broker.BrokerLifecycle` over AMQP 0-9-1. `timeout`: seconds that `open`, a declaration or a
    question may wait for a broker that is away."""

    def __init__(
        self, url: str, clock: Clock, *, name: str = "hub", heartbeat: int | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._clock = clock
        address = AmqpAddress.parse(url)
        beat = heartbeat if heartbeat is not None else address.heartbeat
        self._timeout = timeout
        self._address = address
        self._publisher = Publisher(clock)
        self._name, self._beat = name, HEARTBEAT if beat is None else beat
        self._publishing = ConnectionSupervisor(
            address, f"{name} publishing", self._beat, clock, self._begin_publishing
        )
        self._consuming = [_Consuming(address, f"{name} consuming", self._beat, clock)]
        self._begin_channel: asyncio.Task[None] | None = None
        self._declaring = asyncio.Lock()
        self._open = False
        self._log = structlog.get_logger("hub.broker")
        self.without_limit: set[str] = set()
        """Queues that were declared before RabbitMQ 4 and have no limit of their own: it gives them one of 20 and then
        drops."""

    def __repr__(self) -> str:
        return f"RabbitBroker({self._address})"

    @property
    def connected(self) -> bool:
        publishing = self._publishing.connection
        if publishing is None or publishing.is_silent or publishing.blocked or self._publisher.channel is None:
            return False
        for each in self._consuming:
            connection = each.supervisor.connection
            if connection is None or connection.is_silent:
                return False
        return True

    @property
    def blocked(self) -> bool:
        """The broker has stopped taking messages: a memory or disk alarm."""
        connection = self._publishing.connection
        return connection is not None and connection.blocked

    @property
    def blocked_by(self) -> str:
        """What the broker says of its alarm, for people; empty while there is none."""
        connection = self._publishing.connection
        if connection is None or not connection.blocked:
            return ""
        kind = next((kind for kind in ("memory", "disk") if kind in connection.blocked_by), "")
        return f"{kind} alarm ({connection.blocked_by})" if kind else connection.blocked_by or "an alarm"

    @property
    def reconnects(self) -> int:
        """How many connections followed the first ones."""
        supervisors = (self._publishing, *(each.supervisor for each in self._consuming))
        return sum(max(0, each.epochs - 1) for each in supervisors)

    async def open(self) -> None:
        """Raises TransientError(unreachable), or ConfigError when the broker refuses the user or the virtual host."""
        self._open = True
        self._publishing.start()
        first = self._consuming[0].supervisor
        first.start()
        try:
            await first.first(self._timeout)
            await self._publishing.first(self._timeout)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        self._open = False
        for each in self._consuming:
            for subscription in each.subscriptions:
                subscription.stop()
            each.subscriptions.clear()
        await asyncio.gather(*(each.supervisor.stop() for each in self._consuming), self._publishing.stop())
        self._publisher.close()

    def publish(
        self, exchange: str, key: str, message: Message, *, mandatory: bool = True, timeout: float = 30.0
    ) -> Awaitable[None]:
        """Beside the port's errors: RejectedError when the broker refuses this very message (too large, no
        permission)."""
        future = self._publisher.publish(exchange, key, message, mandatory, timeout)
        if not self._open and not future.done():
            self._publisher.close()
        return future

    async def consume(
        self,
        queue: str,
        handler: DeliveryHandler,
        *,
        prefetch: int = 100,
        arguments: ConsumerArguments | None = None,
        on_missing: Callable[[], None] | None = None,
    ) -> RabbitSubscription:
        """A connection that has no room for more channels gets another one beside it."""
        subscription = RabbitSubscription(queue, handler, prefetch, arguments, on_missing)
        consuming = self._with_room()
        supervisor = consuming.supervisor

        async def start(connection: AmqpConnection) -> AmqpConnection:
            await subscription.start(connection)
            subscription.keep(connection, started=True)
            return connection

        consuming.coming += 1
        try:
            used = await self._insist(start, supervisor)
        except ChannelRefused as refused:
            raise ConfigError(f"queue {queue!r} can't be consumed: {refused.text}") from refused
        finally:
            consuming.coming -= 1
        consuming.subscriptions.append(subscription)
        if supervisor.connection not in (None, used):
            subscription.keep(supervisor.connection, started=False)
        return subscription

    def _with_room(self) -> _Consuming:
        for consuming in self._consuming:
            if consuming.has_room:
                return consuming
        further = _Consuming(
            self._address, f"{self._name} consuming {len(self._consuming) + 1}", self._beat, self._clock
        )
        further.supervisor.start()
        self._consuming.append(further)
        return further

    async def declare(self, topology: Topology) -> None:
        async with self._declaring:
            await self._insist(lambda connection: self._declare(connection, topology))

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]:
        return await self._insist(lambda connection: self._depths(connection, queues))

    async def delete_queue(self, queue: str, *, if_empty: bool = True) -> bool:
        """With `if_empty` a queue that somebody consumes from counts as not empty: it may have deliveries under way.
        Quorum queues know no such condition, so a publisher at the same moment may still lose the race."""
        return await self._insist(lambda connection: self._delete(connection, queue, if_empty))

    async def unbind(self, bindings: Sequence[Binding]) -> None:
        await self._insist(lambda connection: self._unbind(connection, bindings))

    # --- epochs

    async def _begin_publishing(self, connection: AmqpConnection) -> None:
        channel: PublishChannel = connection.add(
            lambda connection, number: PublishChannel(connection, number, self._publisher)
        )
        await channel.start()
        channel.on_refused = self._renew_publishing

    def _renew_publishing(self, connection: AmqpConnection) -> None:
        """The broker closed the publishing channel only: another one on the same connection, or an end of the
        connection."""
        self._begin_channel = asyncio.create_task(self._renew(connection))

    async def _renew(self, connection: AmqpConnection) -> None:
        try:
            await self._begin_publishing(connection)
        except (ConnectionLost, ChannelRefused) as error:
            connection.end(str(error))

    async def _insist(
        self, action: Callable[[AmqpConnection], Awaitable[T]], supervisor: ConnectionSupervisor | None = None
    ) -> T:
        """Does it on the running connection (without `supervisor` the first for consumers); again on the next one when
        that was lost meanwhile."""
        supervisor = supervisor or self._consuming[0].supervisor
        clock = self._clock
        end = clock.monotonic() + self._timeout
        while True:
            if not self._open:
                raise TransientError("the broker is closed", "unreachable")
            connection = await supervisor.ready(max(0.001, end - clock.monotonic()))
            try:
                async with clock.timeout(end - clock.monotonic()):
                    return await action(connection)
            except ConnectionLost:
                await clock.sleep(0)
            except TimeoutError:
                raise TransientError(f"{self._address} does not answer", "unreachable") from None

    # --- questions

    async def _declare(self, connection: AmqpConnection, topology: Topology) -> None:
        channel: AmqpChannel = await connection.open()
        try:
            for exchange in topology.exchanges:
                await self._call(channel, exchange, declare_exchange(exchange))
            for queue in topology.queues:
                channel = await self._declare_queue(connection, channel, queue)
            for binding in topology.bindings:
                await self._call(channel, binding, bind(binding))
        finally:
            await channel.close()

    async def _unbind(self, connection: AmqpConnection, bindings: Sequence[Binding]) -> None:
        channel: AmqpChannel = await connection.open()
        try:
            for binding in bindings:
                if channel.closed:
                    channel = await connection.open()
                with suppress(ChannelRefused):  # the queue or the exchange is gone, and with it the binding
                    await channel.call(unbind(binding))
        finally:
            await channel.close()

    async def _declare_queue(self, connection: AmqpConnection, channel: AmqpChannel, queue: Queue) -> AmqpChannel:
        """Accepts a queue that only differs by how an older broker says "no delivery limit". The channel to go on
        with."""
        try:
            await channel.call(declare_queue(queue, connection.version))
        except ChannelRefused as refused:
            other = (
                other_arguments(queue, connection.version, refused.text)
                if refused.code == PRECONDITION_FAILED
                else None
            )
            if other is None:
                raise refusal(queue, refused.code, refused.text) from refused
            channel = await connection.open()
            await self._call(channel, queue, commands.Queue.Declare(0, queue.name, durable=True, arguments=other))
            if (
                major(connection.version) >= 4
                and "x-delivery-limit" not in other
                and queue.name not in self.without_limit
            ):
                self.without_limit.add(queue.name)
                self._log.warning("queue_without_limit", queue=queue.name, hint=limit_hint([queue.name]))
        return channel

    async def _call(self, channel: AmqpChannel, thing: Any, request: Any) -> None:
        try:
            await channel.call(request)
        except ChannelRefused as refused:
            raise refusal(thing, refused.code, refused.text) from refused

    async def _depths(self, connection: AmqpConnection, queues: Sequence[str]) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        channel: AmqpChannel = await connection.open()
        try:
            for queue in queues:
                if channel.closed:
                    channel = await connection.open()
                answer = await self._look(channel, queue)
                found[queue] = None if answer is None else answer.message_count
        finally:
            await channel.close()
        return found

    async def _look(self, channel: AmqpChannel, queue: str) -> Any:
        """The broker's answer to a passive declaration; None when there is no such queue."""
        try:
            return await channel.call(commands.Queue.Declare(0, queue, passive=True))
        except ChannelRefused as refused:
            if refused.code == NOT_FOUND:
                return None
            raise ConfigError(f"queue {queue!r} can't be looked at: {refused.text}") from refused

    async def _delete(self, connection: AmqpConnection, queue: str, if_empty: bool) -> bool:
        channel: AmqpChannel = await connection.open()
        try:
            found = await self._look(channel, queue)
            if found is None or (if_empty and (found.message_count or found.consumer_count)):
                return False
            await channel.call(commands.Queue.Delete(0, queue))
        finally:
            await channel.close()
        return True
