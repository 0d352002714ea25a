"""A TCP server of a test on the loopback that leaves nothing behind it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listening:
    """Serves each connection with `serve`. `close` also ends the connections that nobody serves yet: asyncio's own
    server leaves those to the garbage collector, whose warning then fails whatever test runs at that moment."""

    def __init__(self, serve: Serve, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = port
        """Zero until `start` has found a free one."""

    async def start(self, host: str = "127.0.0.1") -> None:
        self._server = await asyncio.start_server(self._connected, host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def abort(self) -> None:
        """Breaks what is open."""
        for writer in self._serving.values():
            writer.transport.abort()

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        await _turns()  # accepted connections become known
        self.abort()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await _turns()  # aborted transports close their sockets

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._whole(reader, writer))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def _whole(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()


async def _turns() -> None:
    """As many turns of the loop as it takes to open or to close a connection."""
    for _ in range(5):
        await asyncio.sleep(0)
