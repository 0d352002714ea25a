"""Separates the frames that carry messages from all other frames in the bytes that a broker sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import error as StructError  # noqa: N812
from typing import Protocol

from hub.broker.properties import LARGEST_FRAME
from hub.broker.rabbit import frames


class MalformedFrame(Exception):
    """The broker sent bytes that are no AMQP frame."""


class TrafficReceiver(Protocol):
    """A channel that reads its own messages. Each method reads `data` between `at` and `end` and keeps nothing else of
    it."""

    def traffic(self, method: int, data: bytes, at: int, end: int) -> None:
        """The arguments of a delivery, a return or a confirm."""
        ...

    def content_header(self, data: bytes, at: int, end: int) -> None: ...

    def content_body(self, data: bytes, at: int, end: int) -> None: ...


class FrameSplitter:
    """Gives deliveries, returns and confirms to their channels at once, as bytes, and returns all other frames.

    aiormq decodes every frame into objects. A forwarder then costs twice as much (decision 17), and one message with a
    header that pamqp can't decode ends the connection, again with each redelivery. `connection_frame` sees each frame
    of channel 0 and returns what aiormq gets instead.
    """

    def __init__(self, channels: Mapping[int, TrafficReceiver], connection_frame: Callable[[bytes], bytes]) -> None:
        self.largest_frame = LARGEST_FRAME
        self._channels = channels
        self._connection_frame = connection_frame
        self._rest = b""

    def split(self, data: bytes) -> bytes:
        """The whole frames that are not about messages, in their order. Raises MalformedFrame, and what a channel
        raises."""
        if self._rest:
            data = self._rest + data
        others: list[bytes] = []
        try:
            self._rest = data[self._split(data, others) :]
        except (StructError, IndexError) as error:
            raise MalformedFrame(f"the broker sent a malformed frame: {error!r}") from error
        return b"".join(others)

    def _split(self, data: bytes, others: list[bytes]) -> int:
        """Takes all whole frames; how many bytes they were."""
        at, size, channels = 0, len(data), self._channels
        while size - at >= 7:
            kind, number, length = frames.FRAME.unpack_from(data, at)
            start = at + 7
            end = start + length
            if kind not in frames.KINDS or length > self.largest_frame:
                raise MalformedFrame("what answers there does not speak AMQP 0-9-1")
            if end >= size:
                break
            if data[end] != frames.END_BYTE:
                raise MalformedFrame("the broker sent a malformed frame")
            frame_at, at = at, end + 1
            if not number:
                if kind in (frames.HEADER, frames.BODY):
                    raise MalformedFrame("the broker sent content on channel 0")
                others.append(self._connection_frame(data[frame_at:at]))
                continue
            channel = channels.get(number)
            if channel is None:
                continue
            if kind == frames.METHOD:
                method = frames.U32.unpack_from(data, start)[0]
                if method in frames.TRAFFIC:
                    channel.traffic(method, data, start + 4, end)
                else:
                    others.append(data[frame_at:at])
            elif kind == frames.HEADER:
                channel.content_header(data, start, end)
            else:
                channel.content_body(data, start, end)
        return at
