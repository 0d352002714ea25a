"""Consuming over AMQP: deliveries that belong to one epoch, and the subscription that outlives epochs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any

import structlog
from pamqp import commands

from hub.broker.properties import decode_properties
from hub.broker.rabbit import frames
from hub.broker.rabbit.amqp_channel import AmqpChannel, ChannelRefused, ConnectionLost
from hub.broker.rabbit.connection import AmqpConnection
from hub.broker.rabbit.declaration import NOT_FOUND
from hub.core.broker import ConsumerArguments, DeliveryHandler, Origin
from hub.core.message import Message

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
_TAG = Struct(">QB")


@lru_cache(4096)
def _origin(names: bytes) -> Origin:
    exchange, at = frames.text_at(names, 0)
    return Origin(exchange, frames.text_at(names, at)[0])


class RabbitDelivery:
    """A message of one epoch. After that epoch `ack` and `requeue` do nothing: the broker delivers it again."""

    __slots__ = ("_channel", "_tag", "message", "origin", "redelivered")

    def __init__(self, channel: ConsumeChannel, tag: int, message: Message, origin: Origin, redelivered: bool) -> None:
        self._channel: ConsumeChannel | None = channel
        self._tag = tag
        self.message = message
        self.origin = origin
        self.redelivered = redelivered

    def ack(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and not channel.closed:
            channel.acked.add(self._tag)
            channel.connection.wake(channel)

    def requeue(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and not channel.closed:
            channel.returned.append(self._tag)
            channel.connection.wake(channel)


class ConsumeChannel(AmqpChannel):
    """One consumer on its own channel. The finished deliveries from the lowest tag on are acknowledged with one frame;
    those behind an unfinished one singly, so that a slow message never starves its consumer."""

    def __init__(self, connection: AmqpConnection, number: int, subscription: RabbitSubscription) -> None:
        super().__init__(connection, number)
        self.acked: set[int] = set()
        self.returned: list[int] = []
        self.ended: asyncio.Future[ChannelRefused | None] = asyncio.get_running_loop().create_future()
        self._subscription = subscription
        self._settled: set[int] = set()
        self._lowest = 1
        self._last = 0
        self._tag = 0
        self._redelivered = False
        self._names = b""
        self._size = -1
        self._properties = b""
        self._pieces: list[bytes] = []
        self._missing = 0
        self._cancelling = False

    async def start(self, queue: str, prefetch: int, arguments: Mapping[str, Any] | None = None) -> None:
        """Raises ChannelRefused (404: no such queue) or ConnectionLost."""
        await self.call(commands.Channel.Open())
        await self.call(commands.Basic.Qos(0, prefetch, False))
        await self.call(commands.Basic.Consume(0, queue, "c", arguments=dict(arguments or {})))

    async def cancel(self) -> None:
        """No delivery after this; the channel stays until the last one is settled, and until the broker has answered: a
        close before that would take the answer's place."""
        if not self.closed:
            self._cancelling = True
            try:
                await self.call(commands.Basic.Cancel("c"))
            finally:
                self._cancelling = False
            self.connection.wake(self)

    def prepare(self, out: list[bytes]) -> None:
        number, acked, settled = self.number, self.acked, self._settled
        for tag in self.returned:
            out.append(frames.requeue(number, tag))
            settled.add(tag)
        self.returned.clear()
        at, last, count = self._lowest, 0, 0
        while True:
            if at in acked:
                acked.remove(at)
                last, count = at, count + 1
            elif at in settled:
                settled.remove(at)
            else:
                break
            at += 1
        self._lowest = at
        if count:
            out.append(frames.ack(number, last, multiple=count > 1))
        if acked:
            out.extend([frames.ack(number, tag, multiple=False) for tag in sorted(acked)])
            settled |= acked
            acked.clear()
        if not self._subscription.active and not self._cancelling and self._lowest > self._last:
            self._subscription.idle(self)

    def traffic(self, method: int, data: bytes, at: int, end: int) -> None:
        if method == frames.CONSUME_OK:
            self.answered(commands.Basic.ConsumeOk())
        if method != frames.DELIVER:
            return
        at += 1 + data[at]
        self._tag, redelivered = _TAG.unpack_from(data, at)
        self._redelivered = redelivered != 0
        self._names = data[at + 9 : end]

    def content_header(self, data: bytes, at: int, end: int) -> None:
        self._missing = frames.CONTENT_SIZE.unpack_from(data, at)[2]
        self._properties = data[at + frames.CONTENT_PREFIX : end]
        if not self._missing:
            self._deliver(b"")

    def content_body(self, data: bytes, at: int, end: int) -> None:
        self._missing -= end - at
        if self._missing < 0:
            raise ConnectionLost("a body is longer than its header says")
        if self._missing:
            self._pieces.append(data[at:end])
        elif self._pieces:
            self._pieces.append(data[at:end])
            body = b"".join(self._pieces)
            self._pieces.clear()
            self._deliver(body)
        else:
            self._deliver(data[at:end])

    def _deliver(self, body: bytes) -> None:
        self._last = self._tag
        message = decode_properties(self._properties, body)
        delivery = RabbitDelivery(self, self._tag, message, _origin(self._names), self._redelivered)
        if self._subscription.active:
            self._subscription.handler(delivery)
        else:
            delivery.requeue()

    def canceled(self) -> None:
        self._finish(ChannelRefused(0, "the broker canceled the consumer"))

    def refused(self, why: ChannelRefused) -> None:
        super().refused(why)
        self._finish(why)

    def lost(self, reason: str) -> None:
        super().lost(reason)
        self._finish(None)

    def _finish(self, why: ChannelRefused | None) -> None:
        if not self.ended.done():
            self.ended.set_result(why)


class RabbitSubscription:
    """A consumer that is rebuilt on every new connection until it is cancelled."""

    def __init__(
        self,
        queue: str,
        handler: DeliveryHandler,
        prefetch: int,
        arguments: ConsumerArguments | None = None,
        on_missing: Callable[[], None] | None = None,
    ) -> None:
        self.queue = queue
        self._on_missing = on_missing
        self._arguments = arguments
        self.handler = handler
        self.active = True
        self._prefetch = prefetch
        self._channel: ConsumeChannel | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self, connection: AmqpConnection) -> None:
        """The first consumer. Raises ChannelRefused or ConnectionLost."""
        channel: ConsumeChannel = connection.add(lambda connection, number: ConsumeChannel(connection, number, self))
        self._channel = channel
        try:
            arguments = self._arguments() if self._arguments is not None else None
            await channel.start(self.queue, self._prefetch, arguments)
        except BaseException:
            await channel.close()
            raise

    def keep(self, connection: AmqpConnection, *, started: bool) -> None:
        """Consumes on this connection as long as it lasts, again and again when the queue is away for a while."""
        self._task = asyncio.create_task(self._keep(connection, started))

    async def _keep(self, connection: AmqpConnection, started: bool) -> None:
        log = structlog.get_logger("hub.broker")
        pause = FIRST_PAUSE
        while self.active and not connection.ended.done():
            why: ChannelRefused | None = None
            try:
                if not started:
                    await self.start(connection)
                started, pause = False, FIRST_PAUSE
                why = await self._channel.ended if self._channel else None
                if self._channel:
                    await self._channel.close()
            except ChannelRefused as error:
                why = error
            except ConnectionLost:
                return
            if why is not None and self.active:
                log.warning("consumer_ended", queue=self.queue, cause=str(why), again_in=pause)
                if why.code == NOT_FOUND and self._on_missing is not None:
                    self._on_missing()
                await connection.clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def cancel(self) -> None:
        """No delivery arrives after this returns; those in flight may still be acked."""
        if not self.active:
            return
        self.stop()
        if self._channel is not None:
            try:
                await self._channel.cancel()
            except (ConnectionLost, ChannelRefused):
                return

    def stop(self) -> None:
        self.active = False
        if self._task is not None:
            self._task.cancel()

    def idle(self, channel: ConsumeChannel) -> None:
        """Cancelled, and everything settled: the channel can go."""
        if not self._closing and not channel.closed:
            task = asyncio.create_task(channel.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
