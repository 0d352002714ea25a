"""A channel of an AMQP connection: calls and their answers, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pamqp import commands, frame

if TYPE_CHECKING:
    from hub.broker.link import Link


class LinkLost(Exception):
    """The connection has ended, for whatever reason; what was under way on it is in doubt."""


class ChannelRefused(Exception):
    """The broker closed a channel: code and text say why."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")


class Channel:
    """A channel of a link. A call sends a method and waits for its answer; one at a time."""

    def __init__(self, link: Link, number: int) -> None:
        self.link = link
        self.number = number
        self.closed = False
        self._answer: asyncio.Future[Any] | None = None

    async def call(self, request: Any) -> Any:
        """The broker's answer. Raises ChannelRefused when it closes the channel instead, LinkLost with the link."""
        if self.closed:
            raise LinkLost(self.link.reason or "the channel is closed")
        self.link.send(frame.marshal(request, self.number))
        return await self.receive()

    async def receive(self) -> Any:
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        finally:
            self._answer = None

    async def close(self) -> None:
        """Gives the number back. Closing twice, or after the link, is harmless."""
        if not self.closed:
            try:
                await self.call(commands.Channel.Close(200, "done", 0, 0))
            except (LinkLost, ChannelRefused):
                return
            self._gone()

    def method(self, index: int, data: bytes, at: int, end: int) -> None:
        """A method frame; `at` is behind its index. Not a hot one here: those belong to subclasses."""
        received = frame.unmarshal(data[at - 11 : end + 1])[2]
        if isinstance(received, commands.Channel.Close):
            self.link.send(frame.marshal(commands.Channel.CloseOk(), self.number))
            self._gone()
            self.refused(ChannelRefused(received.reply_code or 0, received.reply_text or ""))
        elif isinstance(received, commands.Basic.Cancel):
            self.cancelled()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(received)

    def content_header(self, data: bytes, at: int, end: int) -> None:
        raise LinkLost("content on a channel that expects none")

    def content_body(self, data: bytes, at: int, end: int) -> None:
        raise LinkLost("content on a channel that expects none")

    def prepare(self, out: list[bytes]) -> None:
        """Called before a write of the link when the channel asked for it: adds what it has to say."""

    def cancelled(self) -> None:
        """The broker ended the consumer of this channel."""

    def refused(self, why: ChannelRefused) -> None:
        self._fail(why)

    def lost(self, reason: str) -> None:
        """The link has ended."""
        self.closed = True
        self._fail(LinkLost(reason))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _gone(self) -> None:
        self.closed = True
        self.link.release(self)
