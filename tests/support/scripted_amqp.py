"""An AMQP server that says what a test tells it to say: for answers that a real broker gives too rarely to wait for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from pamqp import commands, frame, header
from pamqp.exceptions import UnmarshalingException

from tests.support.listening import Listening

_ANSWERS: dict[str, Any] = {
    "Connection.Open": commands.Connection.OpenOk(),
    "Connection.Close": commands.Connection.CloseOk(),
    "Channel.Open": commands.Channel.OpenOk(),
    "Channel.Close": commands.Channel.CloseOk(),
    "Confirm.Select": commands.Confirm.SelectOk(),
    "Basic.Qos": commands.Basic.QosOk(),
    "Basic.Consume": commands.Basic.ConsumeOk("c"),
    "Basic.Cancel": commands.Basic.CancelOk("c"),
}


class ScriptedServer:
    """Shakes hands and opens what it is asked to open; everything else it keeps in `received` as (channel, frame)."""

    def __init__(self, largest_frame: int = 131072, tls: ssl.SSLContext | None = None) -> None:
        self.received: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self.opened: asyncio.Queue[int] = asyncio.Queue()
        self.tune = commands.Connection.Tune(2047, largest_frame, 60)
        """What it offers."""
        self.mechanisms = "PLAIN"
        self.version = "3.13.0"
        self.seen: list[str] = []
        """The names of all frames that have come."""
        self.script: Callable[[Any], Any] = lambda received: None
        """Answers what isn't answered by itself; None: it is kept in `received`."""
        self._consuming: tuple[asyncio.StreamWriter, int] | None = None
        self._publishing: tuple[asyncio.StreamWriter, int] | None = None
        self._tls = tls is not None
        self._server = Listening(self._serve, tls=tls)
        self.url = ""

    async def start(self) -> None:
        await self._server.start()
        self.url = f"amqp{'s' if self._tls else ''}://127.0.0.1:{self._server.port}/"

    async def close(self) -> None:
        await self._server.close()

    async def next(self, name: str) -> Any:
        """The next frame of this name; others before it are skipped."""
        async with asyncio.timeout(10):
            while True:
                _, received = await self.received.get()
                if received.name == name:
                    return received

    def to_publisher(self, *frames: Any) -> None:
        """Sends them on the channel that is in confirm mode."""
        assert self._publishing is not None
        self._send(*self._publishing, *frames)

    def to_publisher_connection(self, *frames: Any) -> None:
        """Sends them on channel 0 of the publishing connection."""
        assert self._publishing is not None
        self._send(self._publishing[0], 0, *frames)

    def to_consumer(self, *frames: Any) -> None:
        assert self._consuming is not None
        self._send(*self._consuming, *frames)

    def raw_to_publisher(self, data: bytes) -> None:
        assert self._publishing is not None
        self._publishing[0].write(data)

    def raw_to_consumer(self, make: Callable[[int], bytes]) -> None:
        """Sends what `make` returns for the number of the consumer's channel."""
        assert self._consuming is not None
        self._consuming[0].write(make(self._consuming[1]))

    async def cut_consumer(self) -> None:
        """Breaks the consumers' connection behind what was sent, and waits for the next consumer."""
        assert self._consuming is not None
        (writer, _), self._consuming = self._consuming, None
        await writer.drain()
        writer.close()
        async with asyncio.timeout(10):
            while self._consuming is None:
                await asyncio.sleep(0.01)

    @staticmethod
    def _send(writer: asyncio.StreamWriter, channel: int, *frames: Any) -> None:
        writer.write(b"".join(frame.marshal(each, channel) for each in frames))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)
            self._send(writer, 0, commands.Connection.Start(0, 9, {"version": self.version}, self.mechanisms, "en_US"))
            data = b""
            while chunk := await reader.read(1 << 16):
                data = self._frames(data + chunk, writer)
        except (OSError, asyncio.IncompleteReadError):
            return

    def _frames(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        while len(data) >= 8:
            try:
                used, channel, received = frame.unmarshal(data)
            except UnmarshalingException:
                break
            data = data[used:]
            self.seen.append(received.name)
            answer = self.tune if received.name == "Connection.StartOk" else _ANSWERS.get(received.name)
            if answer is not None:
                self._send(writer, channel, answer)
            elif (scripted := self.script(received)) is not None:
                self._send(writer, channel, scripted)
            if isinstance(received, commands.Confirm.Select):
                self._publishing = (writer, channel)
                self.opened.put_nowait(channel)
            elif isinstance(received, commands.Basic.Consume):
                self._consuming = (writer, channel)
            if answer is None:
                self.received.put_nowait((channel, received))
        return data


def content(body: bytes, properties: commands.Basic.Properties | None = None) -> header.ContentHeader:
    """A content header for this body."""
    return header.ContentHeader(0, len(body), properties)
