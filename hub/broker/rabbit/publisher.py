"""Publishing with confirms, across connections: what isn't confirmed is published again on the next one."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pamqp import commands

from hub.broker.deadlines import Deadlines
from hub.broker.properties import LARGEST_FRAME, check_names, check_size, encode_properties, largest_properties, mark_of
from hub.broker.rabbit import frames
from hub.broker.rabbit.amqp_channel import AmqpChannel, ChannelRefused
from hub.broker.rabbit.connection import AmqpConnection
from hub.core.clock import Clock
from hub.core.errors import MessageError, RejectedError, TransientError, Unroutable
from hub.core.message import Message

BATCH = 1 << 20
"""Bytes of bodies in one write: a long backlog leaves in several, and waits in between while the network takes
nothing."""

_MISSING_EXCHANGE = re.compile(r"no exchange '(.*)' in vhost", re.DOTALL)
_publish_method = lru_cache(2048)(frames.publish_method)


class RabbitPublication:
    """A message on its way, and who waits for it."""

    __slots__ = ("body", "exchange", "future", "key", "mandatory", "properties", "returned")

    def __init__(
        self, exchange: str, key: str, message: Message, mandatory: bool, future: asyncio.Future[None]
    ) -> None:
        self.exchange = exchange
        self.key = key
        self.body = message.body
        self.mandatory = mandatory
        self.future = future
        self.returned = ""
        self.properties = encode_properties(message.without_broker_headers(), marked=mandatory)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Publisher:
    """All publications of a broker. `channel` is the confirming channel of the running epoch, None between epochs.

    A message that the broker answers by closing the channel must not take its neighbours with it for ever: after such
    an end everything that was in doubt goes one by one, until the guilty one is found and refused.
    """

    def __init__(self, clock: Clock) -> None:
        self.channel: PublishChannel | None = None
        self.backlog: deque[RabbitPublication] = deque()
        self.suspects = 0
        self._waiting: Deadlines[RabbitPublication] = Deadlines(self._too_late, clock)

    def publish(
        self, exchange: str, key: str, message: Message, mandatory: bool, timeout: float
    ) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            item = RabbitPublication(exchange, key, message, mandatory, future)
            check_names(exchange, key)
            check_size(item.properties, LARGEST_FRAME)
        except MessageError as error:
            future.set_exception(error)
        else:
            self.backlog.append(item)
            self._waiting.add(item, timeout)
            self.wake()
        return future

    def wake(self) -> None:
        if self.channel is not None:
            self.channel.connection.wake(self.channel)

    def settled(self, item: RabbitPublication, confirmed: bool) -> None:
        """The broker has answered."""
        self._waiting.discard(item)
        if item.returned:
            item.fail(Unroutable(item.exchange, item.key, item.returned))
        elif not confirmed:
            target = item.exchange or item.key
            item.fail(TransientError(f"the broker refused a message for {target!r}: a queue is full", "busy"))
        elif not item.future.done():
            item.future.set_result(None)

    def refuse(self, item: RabbitPublication, error: Exception) -> None:
        self._waiting.discard(item)
        item.fail(error)

    def too_large(self, item: RabbitPublication, frame: int) -> None:
        """Refuses what this connection's frames can't carry, before the server would close the connection for it."""
        try:
            check_size(item.properties, frame)
        except MessageError as error:
            self.refuse(item, error)

    def in_doubt(self, items: list[RabbitPublication], why: ChannelRefused | None) -> None:
        """An epoch has ended with these unanswered, oldest first. `why`: the broker had a reason of its own."""
        self.channel = None
        if why is not None:
            items = self._without_guilty(items, why)
        for item in reversed(items):
            if item.returned:
                self.settled(item, confirmed=True)
            elif not item.future.done():
                self.backlog.appendleft(item)

    def _without_guilty(self, items: list[RabbitPublication], why: ChannelRefused) -> list[RabbitPublication]:
        missing = _MISSING_EXCHANGE.search(why.text) if why.code == 404 else None
        guilty = [item for item in items if missing and item.exchange == missing[1]]
        for item in guilty:
            self.refuse(item, Unroutable(item.exchange, item.key, why.text))
        if not guilty and len(items) == 1:
            guilty = items
            self.refuse(items[0], RejectedError(f"the broker refuses the message: {why}", why.code))
        rest = [item for item in items if item not in guilty]
        self.suspects = 0 if guilty else len(rest)
        return rest

    def close(self) -> None:
        """Nothing waits any longer."""
        for item in self._waiting.clear():
            item.fail(TransientError("the broker is closed", "unreachable"))
        self.backlog.clear()
        self.channel = None

    def _too_late(self, item: RabbitPublication) -> None:
        if self.channel is None:
            item.fail(TransientError("no connection to the broker", "unreachable"))
        else:
            blocked = ", it blocks publishers (memory or disk alarm)" if self.channel.connection.blocked else ""
            item.fail(TransientError(f"the broker did not confirm in time{blocked}", "timeout"))


class PublishChannel(AmqpChannel):
    """A channel in confirm mode. Confirms may come in any order, one by one or many at once."""

    def __init__(self, connection: AmqpConnection, number: int, publisher: Publisher) -> None:
        super().__init__(connection, number)
        self._publisher = publisher
        self._unconfirmed: dict[int, RabbitPublication] = {}
        self._next = 1
        self._lowest = 1
        self.on_refused: Callable[[AmqpConnection], None] | None = None
        self._return = ""

    async def start(self) -> None:
        """Open, in confirm mode, and the one that the publisher uses."""
        await self.call(commands.Channel.Open())
        await self.call(commands.Confirm.Select())
        self._publisher.channel = self
        self.connection.on_flow = self._publisher.wake
        self._publisher.wake()

    def prepare(self, out: list[bytes]) -> None:
        publisher, connection, number = self._publisher, self.connection, self.number
        if publisher.channel is not self:
            return
        backlog, unconfirmed = publisher.backlog, self._unconfirmed
        most, room = largest_properties(connection.largest_frame), BATCH
        while backlog and not connection.blocked:
            if room <= 0:
                connection.wake(self)  # in the next turn, if the network keeps up
                return
            if publisher.suspects and unconfirmed:
                return
            item = backlog.popleft()
            if item.future.done():
                continue
            if len(item.properties) > most:
                publisher.too_large(item, connection.largest_frame)
                continue
            tag = self._next
            self._next = tag + 1
            unconfirmed[tag] = item
            properties = item.properties
            if item.mandatory:
                mark = b"%d" % tag
                properties += bytes((len(mark),)) + mark
            out.append(_publish_method(number, item.exchange, item.key, mandatory=item.mandatory))
            out.append(frames.content(number, properties, item.body, connection.largest_frame))
            room -= len(item.body)

    def traffic(self, method: int, data: bytes, at: int, end: int) -> None:
        if method == frames.RETURN:
            self._return = frames.text_at(data, at + 2)[0]
        elif method != frames.DELIVER:
            self._confirm(frames.U64.unpack_from(data, at)[0], bool(data[at + 8] & 1), method == frames.ACK)

    def content_header(self, data: bytes, at: int, end: int) -> None:
        """What was returned: the mark says which publication it was; the body is not needed."""
        mark = mark_of(data[at + frames.CONTENT_PREFIX : end])
        item = self._unconfirmed.get(int(mark)) if mark.isdecimal() else None
        if item is not None:
            item.returned = self._return or "NO_ROUTE"

    def content_body(self, data: bytes, at: int, end: int) -> None:
        """The body of a returned message."""

    def refused(self, why: ChannelRefused) -> None:
        super().refused(why)
        self._end(why)
        if self.on_refused is not None:
            self.on_refused(self.connection)

    def lost(self, reason: str) -> None:
        super().lost(reason)
        blamed = self.connection.code in _PROTOCOL_ERRORS
        self._end(ChannelRefused(self.connection.code, reason) if blamed else None)

    def _end(self, why: ChannelRefused | None) -> None:
        items = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        if self._publisher.channel is self:
            self._publisher.in_doubt(items, why)

    def _confirm(self, tag: int, multiple: bool, confirmed: bool) -> None:
        publisher, unconfirmed = self._publisher, self._unconfirmed
        if multiple:
            tags: Any = range(self._lowest, tag + 1) if tag else list(unconfirmed)
            self._lowest = max(self._lowest, tag + 1)
        else:
            tags = (tag,)
        for each in tags:
            item = unconfirmed.pop(each, None)
            if item is not None:
                publisher.settled(item, confirmed)
                if publisher.suspects:
                    publisher.suspects -= 1
        if publisher.backlog:
            publisher.wake()


_PROTOCOL_ERRORS = frozenset((501, 502, 503, 504, 505, 540))
"""Codes with which a broker closes a connection because of what was said on it."""
