"""One epoch of one AMQP connection: from its handshake to its end, after which nothing of it is used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import error as StructError  # noqa: N812
from typing import Any, cast

from pamqp import commands, frame
from pamqp.exceptions import PAMQPException

from hub.broker import wire
from hub.broker.address import AmqpAddress
from hub.broker.channel import Channel, LinkLost
from hub.core.errors import ConfigError

HANDSHAKE_TIMEOUT = 10.0
WRITE_BUFFER = 1 << 20
CAPABILITIES = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "publisher_confirms": True,
}


class Link(asyncio.Protocol):
    """Everything that channels have to say in one turn of the event loop leaves in one write.

    `ended` becomes true once, with `reason`; a malformed frame, silence for two heartbeats and a closed socket all end it.
    """

    def __init__(self, heartbeat: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.reason = ""
        self.code = 0
        self.blocked = False
        self.blocked_by = ""
        self.paused = False
        self.version = ""
        self.largest_frame = wire.LARGEST_FRAME
        self.on_flow: Callable[[], None] | None = None
        self._heartbeat = heartbeat
        self._control = _Control(self, 0)
        self._channels: dict[int, Channel] = {0: self._control}
        self._free: list[int] = []
        self._channel_limit = 2047
        self._out: list[bytes] = []
        self._dirty: dict[Channel, None] = {}
        self._flushing = False
        self._rest = b""
        self._read_at = self._written_at = self._loop.time()
        self._pulse: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, address: AmqpAddress, name: str, heartbeat: int) -> Link:
        """Connects and shakes hands. Raises OSError, TimeoutError or LinkLost; ConfigError when the broker is there
        and refuses the user or the virtual host."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(HANDSHAKE_TIMEOUT):
            context = address.context()
            _, link = await loop.create_connection(lambda: cls(heartbeat), address.host, address.port, ssl=context)
            try:
                await link._shake_hands(address, name)
            except BaseException:
                link.end("the handshake failed")
                raise
        return link

    # --- channels

    def room(self) -> int:
        """How many more channels it can have."""
        return self._channel_limit - len(self._channels)

    @property
    def most_channels(self) -> int:
        """How many channels it can have at once."""
        return self._channel_limit

    def add(self, make: Callable[[Link, int], Any]) -> Any:
        """A channel that isn't open yet. Raises LinkLost when there is no room."""
        if self.ended.done():
            raise LinkLost(self.reason)
        number = self._free.pop() if self._free else len(self._channels)
        if number > self._channel_limit:
            raise LinkLost(f"no more than {self._channel_limit} channels in one connection")
        channel = self._channels[number] = make(self, number)
        return channel

    async def open(self, make: Callable[[Link, int], Any] = Channel) -> Any:
        """An open channel. Raises LinkLost."""
        channel = self.add(make)
        await channel.call(commands.Channel.Open())
        return channel

    def release(self, channel: Channel) -> None:
        if self._channels.get(channel.number) is channel:
            del self._channels[channel.number]
            self._free.append(channel.number)
            self._dirty.pop(channel, None)

    # --- writing

    def send(self, data: bytes) -> None:
        self._out.append(data)
        self._schedule()

    def wake(self, channel: Channel) -> None:
        """The channel has something to say at the end of this turn."""
        self._dirty[channel] = None
        self._schedule()

    def _schedule(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self.ended.done():
            return
        dirty, self._dirty = self._dirty, {}
        for channel in dirty:
            channel.prepare(self._out)
        if self._out:
            out, self._out = self._out, []
            self._transport.write(b"".join(out))
            self._written_at = self._loop.time()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_BUFFER)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.on_flow:
            self.on_flow()

    def connection_lost(self, error: Exception | None) -> None:
        self.end(f"the connection was lost: {error}" if error else "the broker closed the connection")

    def data_received(self, data: bytes) -> None:
        self._read_at = self._loop.time()
        if self._rest:
            data = self._rest + data
        try:
            self._rest = data[self._frames(data) :]
        except (StructError, IndexError, PAMQPException) as error:
            self.end(f"the broker sent a malformed frame: {error!r}")
        except LinkLost as error:
            self.end(str(error))

    def _frames(self, data: bytes) -> int:
        """Takes all whole frames; how many bytes they were."""
        at, size, channels = 0, len(data), self._channels
        while size - at >= 7:
            kind, number, length = wire.FRAME.unpack_from(data, at)
            start = at + 7
            end = start + length
            if kind not in _KINDS or length > self.largest_frame:
                raise LinkLost("what answers there does not speak AMQP 0-9-1")
            if end >= size:
                break
            if data[end] != wire.END_BYTE:
                raise LinkLost("the broker sent a malformed frame")
            at = end + 1
            channel = channels.get(number)
            if kind == wire.HEARTBEAT or channel is None:
                continue
            if kind == wire.METHOD:
                channel.method(wire.U32.unpack_from(data, start)[0], data, start + 4, end)
            elif kind == wire.HEADER:
                channel.content_header(data, start, end)
            else:
                channel.content_body(data, start, end)
        return at

    # --- beginning and end

    async def _shake_hands(self, address: AmqpAddress, name: str) -> None:
        self._transport.write(wire.PROTOCOL)
        start = await self._control.receive()
        if not isinstance(start, commands.Connection.Start):
            raise LinkLost("the broker did not begin with Connection.Start")
        self.version = str(dict(start.server_properties or {}).get("version", ""))
        try:
            tune = await self._control.call(
                commands.Connection.StartOk(
                    {"product": "mediation hub", "connection_name": name, "capabilities": cast(Any, CAPABILITIES)},
                    "PLAIN",
                    f"\0{address.user}\0{address.password}",
                    "en_US",
                )
            )
            self._tune(tune, address.channel_max)
            await self._control.call(commands.Connection.Open(address.vhost))
        except LinkLost:
            if self.code in (403, 530):
                raise ConfigError(f"{address} refuses user {address.user!r}: {self.reason}") from None
            raise
        self._beat()

    def _tune(self, tune: commands.Connection.Tune, most_channels: int | None) -> None:
        largest = tune.frame_max or wire.LARGEST_FRAME
        self.largest_frame = min(largest, wire.LARGEST_FRAME)
        self._channel_limit = min(tune.channel_max or 65535, most_channels or 65535)
        answer = commands.Connection.TuneOk(self._channel_limit, self.largest_frame, self._heartbeat)
        self.send(frame.marshal(answer, 0))

    @property
    def is_silent(self) -> bool:
        """Nothing has come for a heartbeat, in which the broker should have said something twice."""
        return bool(self._heartbeat) and self._loop.time() - self._read_at > self._heartbeat

    def _beat(self) -> None:
        if self.ended.done() or not self._heartbeat:
            return
        now = self._loop.time()
        if now - self._read_at > 2 * self._heartbeat:
            self.end(f"the broker was silent for {2 * self._heartbeat} s")
            return
        if now - self._written_at >= self._heartbeat / 4:
            self.send(wire.HEARTBEAT_FRAME)
        self._pulse = self._loop.call_later(self._heartbeat / 2, self._beat)

    async def close(self, timeout: float = 2.0) -> None:
        """Says good-bye: everything that was said before is sent first."""
        if self.ended.done():
            return
        self._flush()
        try:
            async with asyncio.timeout(timeout):
                await self._control.call(commands.Connection.Close(200, "done", 0, 0))
        except (LinkLost, TimeoutError):
            pass
        self.end("closed")

    def end(self, reason: str) -> None:
        """Ends the epoch at once. Twice is harmless."""
        if self.ended.done():
            return
        self.reason = reason
        self.ended.set_result(None)
        if self._pulse is not None:
            self._pulse.cancel()
        self._transport.abort()
        for channel in list(self._channels.values()):
            channel.lost(reason)
        self._channels.clear()
        self._out.clear()


class _Control(Channel):
    """Channel 0: the connection itself."""

    def method(self, index: int, data: bytes, at: int, end: int) -> None:
        received = frame.unmarshal(data[at - 11 : end + 1])[2]
        link = self.link
        if isinstance(received, commands.Connection.Close):
            link.send(frame.marshal(commands.Connection.CloseOk(), 0))
            link._flush()
            link.code = received.reply_code or 0
            link.end(f"the broker closed the connection: {received.reply_code} {received.reply_text}")
        elif isinstance(received, (commands.Connection.Blocked, commands.Connection.Unblocked)):
            link.blocked = isinstance(received, commands.Connection.Blocked)
            link.blocked_by = str(received.reason or "") if isinstance(received, commands.Connection.Blocked) else ""
            if link.on_flow:
                link.on_flow()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(received)


_KINDS = frozenset((wire.METHOD, wire.HEADER, wire.BODY, wire.HEARTBEAT))
