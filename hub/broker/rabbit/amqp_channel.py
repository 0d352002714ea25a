"""A channel of an AMQP connection: calls and their answers, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pamqp import commands, frame

if TYPE_CHECKING:
    from hub.broker.rabbit.connection import AmqpConnection


class ConnectionLost(Exception):
    """The connection has ended, for whatever reason; what was under way on it is in doubt."""


class ChannelRefused(Exception):
    """The broker closed a channel: code and text say why."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")


class AmqpChannel:
    """The hub's own object among the channels of aiormq's connection. A call sends a method and waits for its answer;
    one at a time.

    aiormq hands over the frames of calls, decoded, through `frames.put`. `traffic` and the two `content_` methods get
    messages.
    """

    def __init__(self, connection: AmqpConnection, number: int) -> None:
        self.connection = connection
        self.number = number
        self.closed = False
        self._closing = False
        self._answer: asyncio.Future[Any] | None = None
        self._expected: list[str] = []
        """Names of the answers to the call that is under way; an answer to an earlier call, which was given up, is not
        taken for it."""

    @property
    def frames(self) -> AmqpChannel:
        """What aiormq puts decoded frames into."""
        return self

    async def put(self, received: tuple[int, Any]) -> None:
        """Called by aiormq with the size of a frame and the frame."""
        self.answered(received[1])

    async def call(self, request: Any) -> Any:
        """The broker's answer. Raises ChannelRefused when it closes the channel instead, ConnectionLost with the
        connection."""
        if self.closed:
            raise ConnectionLost(self.connection.reason or "the channel is closed")
        self.connection.send(frame.marshal(request, self.number))
        self._answer = asyncio.get_running_loop().create_future()
        self._expected = request.valid_responses
        try:
            return await self._answer
        finally:
            self._answer = None

    async def close(self) -> None:
        """Gives the number back. Closing twice, or after the connection, is harmless."""
        if not self.closed:
            self._closing = True
            try:
                await self.call(commands.Channel.Close(200, "done", 0, 0))
            except (ConnectionLost, ChannelRefused):
                return
            self._gone()

    def prepare(self, out: list[bytes]) -> None:
        """Called before a write of the connection when the channel asked for it: adds what it has to say."""

    def traffic(self, method: int, data: bytes, at: int, end: int) -> None:
        """A delivery, a return or a confirm. Only subclasses ask for them."""

    def content_header(self, data: bytes, at: int, end: int) -> None:
        raise ConnectionLost("content on a channel that expects none")

    def content_body(self, data: bytes, at: int, end: int) -> None:
        raise ConnectionLost("content on a channel that expects none")

    def canceled(self) -> None:
        """The broker ended the consumer of this channel."""

    def refused(self, why: ChannelRefused) -> None:
        """The broker closed the channel."""
        self._fail(why)

    def lost(self, reason: str) -> None:
        """The connection has ended."""
        self.closed = True
        self._fail(ConnectionLost(reason))

    def answered(self, received: Any) -> None:
        """A decoded frame of this channel."""
        if isinstance(received, commands.Channel.Close):
            self.connection.send(frame.marshal(commands.Channel.CloseOk(), self.number))
            self._gone(reusable=not self._closing)
            self.refused(ChannelRefused(received.reply_code or 0, received.reply_text or ""))
        elif isinstance(received, commands.Basic.Cancel):
            self.canceled()
        elif self._answer is not None and not self._answer.done() and received.name in self._expected:
            self._answer.set_result(received)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _gone(self, *, reusable: bool = True) -> None:
        """Not reusable: both sides have closed the channel, and the broker's answer to our own close is still to
        come."""
        self.closed = True
        self.connection.release(self, reusable=reusable)
