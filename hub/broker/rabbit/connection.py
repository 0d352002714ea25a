"""One epoch of one AMQP connection: from its handshake to its end, after which nothing of it is used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from pamqp import commands, frame
from pamqp.exceptions import PAMQPException

from hub.broker.properties import LARGEST_FRAME
from hub.broker.rabbit import frames
from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.aiormq_connection import AiormqConnection
from hub.broker.rabbit.amqp_channel import AmqpChannel, ConnectionLost
from hub.broker.rabbit.frame_splitter import FrameSplitter, MalformedFrame
from hub.core.clock import Clock
from hub.core.errors import ConfigError

C = TypeVar("C", bound=AmqpChannel)

HANDSHAKE_TIMEOUT = 10.0
GOODBYE_TIMEOUT = 2.0
REFUSALS = (403, 530)
"""How a broker says no to a user or a virtual host."""


class AmqpConnection:
    """aiormq's connection with channels of the hub's own. Everything that they have to say in one turn of the event
    loop leaves in one write.

    `ended` becomes done once, with `reason`: by a malformed frame, silence, a closed socket or a good-bye of either
    side.
    """

    def __init__(self, address: AmqpAddress, name: str, heartbeat: int, clock: Clock) -> None:
        self.clock = clock
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.reason = ""
        self.code = 0
        """With which the broker closed the connection."""
        self.blocked = False
        """The broker takes no messages: a memory or disk alarm."""
        self.blocked_by = ""
        self.on_flow: Callable[[], None] | None = None
        """Called when the broker begins or ends to block publishers."""
        self.most_channels = 2047
        self._address = address
        self._heartbeat = heartbeat
        self._aiormq = AiormqConnection(address, name, heartbeat, self)
        self._channels = cast(dict[int, AmqpChannel], self._aiormq.channels)
        self._splitter = FrameSplitter(self._channels, self._see)
        self._last_number = 0
        self._free: list[int] = []
        self._out: list[bytes] = []
        self._dirty: dict[AmqpChannel, None] = {}
        self._flushing = False
        self._paused = False
        self._read_at = self._shown_at = self.clock.monotonic()

    @classmethod
    async def connect(cls, address: AmqpAddress, name: str, heartbeat: int, clock: Clock) -> AmqpConnection:
        """Connects and shakes hands. Raises OSError, TimeoutError or ConnectionLost; ConfigError when the broker is
        there and refuses the user or the virtual host."""
        connection = cls(address, name, heartbeat, clock)
        await connection._connect()
        return connection

    @property
    def version(self) -> str:
        return self._aiormq.version

    @property
    def largest_frame(self) -> int:
        return self._splitter.largest_frame

    @property
    def is_silent(self) -> bool:
        """Nothing has come for a heartbeat, in which the broker should have said something twice."""
        return bool(self._heartbeat) and self.clock.monotonic() - self._read_at > self._heartbeat

    # --- channels

    def room(self) -> int:
        """How many more channels it can have."""
        return self.most_channels - self._last_number + len(self._free)

    def add(self, make: Callable[[AmqpConnection, int], C]) -> C:
        """A channel that isn't open yet. Raises ConnectionLost when there is no room."""
        if self.ended.done():
            raise ConnectionLost(self.reason)
        if self.room() <= 0:
            raise ConnectionLost(f"no more than {self.most_channels} channels in one connection")
        if self._free:
            number = self._free.pop()
        else:
            number = self._last_number = self._last_number + 1
        channel = self._channels[number] = make(self, number)
        return channel

    async def open(self) -> AmqpChannel:
        """An open channel. Raises ConnectionLost."""
        channel = self.add(AmqpChannel)
        await channel.call(commands.Channel.Open())
        return channel

    def release(self, channel: AmqpChannel, *, reusable: bool = True) -> None:
        """Called once for each channel. `reusable`: another one may have its number."""
        self._channels.pop(channel.number, None)
        if reusable:
            self._free.append(channel.number)
        self._dirty.pop(channel, None)

    # --- writing

    def send(self, data: bytes) -> None:
        self._out.append(data)
        self._schedule()

    def wake(self, channel: AmqpChannel) -> None:
        """The channel has something to say at the end of this turn."""
        self._dirty[channel] = None
        self._schedule()

    def _schedule(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """One write for all channels; none while the network takes nothing."""
        self._flushing = False
        if self.ended.done() or self._paused:
            return
        dirty, self._dirty = self._dirty, {}
        for channel in dirty:
            channel.prepare(self._out)
        if self._out:
            out, self._out = self._out, []
            self._aiormq.write(b"".join(out))

    # --- what the transport hears

    def received(self, data: bytes) -> bytes:
        """Gives messages to their channels and the rest to aiormq. aiormq counts silence by what it gets: messages
        without anything else become a heartbeat now and then."""
        self._read_at = self.clock.monotonic()
        try:
            rest = self._splitter.split(data)
        except (MalformedFrame, PAMQPException, ConnectionLost) as error:
            self.end(str(error))
            return b""
        if rest or self._read_at - self._shown_at > 1:
            self._shown_at = self._read_at
            return rest or frames.HEARTBEAT_FRAME
        return rest

    def lost(self, reason: str) -> None:
        """aiormq closes the transport of a silent connection."""
        silence = self.clock.monotonic() - self._read_at
        self.end(f"the broker was silent for {silence:.0f} s" if self.is_silent else reason)

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._schedule()

    def _see(self, data: bytes) -> bytes:
        """A frame of channel 0; what aiormq gets in its place."""
        method = frames.U32.unpack_from(data, 7)[0] if data[0] == frames.METHOD else 0
        if method == frames.TUNE:
            return self._tuned(data)
        if method == frames.CLOSE:
            said: Any = frame.unmarshal(data)[2]
            self.code = said.reply_code or 0
            self._finish(f"the broker closed the connection: {said.reply_code} {said.reply_text}")
            self.clock.call_later(GOODBYE_TIMEOUT, self._aiormq.abort)
        elif method in (frames.BLOCKED, frames.UNBLOCKED):
            self.blocked = method == frames.BLOCKED
            self.blocked_by = frames.text_at(data, 11)[0] if self.blocked else ""
            if self.on_flow:
                self.on_flow()
        return data

    def _tuned(self, data: bytes) -> bytes:
        """What the broker offers, lowered to what the hub wants: aiormq accepts every offer."""
        offer: Any = frame.unmarshal(data)[2]
        self._splitter.largest_frame = min(offer.frame_max or LARGEST_FRAME, LARGEST_FRAME)
        self.most_channels = min(offer.channel_max or 65535, self._address.channel_max or 65535)
        return frame.marshal(
            commands.Connection.Tune(self.most_channels, self._splitter.largest_frame, offer.heartbeat), 0
        )

    # --- beginning and end

    async def _connect(self) -> None:
        handshake, given_up = asyncio.ensure_future(self._aiormq.connect()), False
        try:
            await self._wait(handshake, HANDSHAKE_TIMEOUT)
        finally:
            if not handshake.done():
                self.end("the handshake was given up")
                handshake.cancel()
                given_up = True
                await self._wait(handshake, GOODBYE_TIMEOUT)
        if given_up:
            raise TimeoutError
        raised = asyncio.CancelledError() if handshake.cancelled() else handshake.exception()
        if raised is not None:
            raise self._failure(raised) from raised
        self._aiormq.closing.add_done_callback(self._closed)

    async def _wait(self, future: asyncio.Future[Any], seconds: float) -> None:
        with suppress(TimeoutError):
            async with self.clock.timeout(seconds):
                await asyncio.wait({future})

    def _failure(self, raised: BaseException) -> Exception:
        error = self._aiormq.translated(raised)
        self.end(str(error))
        if self.code in REFUSALS:
            return ConfigError(f"{self._address} refuses user {self._address.user!r}: {self.reason}")
        if self.code or not str(error):
            return ConnectionLost(self.reason)
        return error

    def _closed(self, closing: asyncio.Future[Any]) -> None:
        """aiormq has ended the connection."""
        self.lost(f"the connection was lost: {'' if closing.cancelled() else closing.exception()}")

    async def close(self, timeout: float = GOODBYE_TIMEOUT) -> None:
        """Sends what was said before, says good-bye and ends. Twice is harmless."""
        self._flush()
        self._finish("closed")
        try:
            async with self.clock.timeout(timeout):
                await self._aiormq.close()
        except TimeoutError:
            pass
        self.end("closed")

    def end(self, reason: str) -> None:
        """Ends the epoch at once. Twice is harmless."""
        self._finish(reason)
        self._aiormq.abort()

    def _finish(self, reason: str) -> None:
        """The epoch has ended; the socket may say good-bye yet."""
        if self.ended.done():
            return
        self.reason = reason
        self.ended.set_result(None)
        for channel in list(self._channels.values()):
            channel.lost(reason)
        self._channels.clear()
        self._out.clear()
