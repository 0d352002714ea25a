"""A TCP proxy on the loopback that can cut, stall and refuse: the network that tests need."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

from tests.support.listening import Listening


class TcpProxy:
    """Forwards to one address. `cut` breaks what is open, `stall` stops forwarding without closing anything, `silence`
    does the same to those that are open now, for ever, `refuse` breaks and accepts nothing more until `allow`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = Listening(self._serve)
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._refusing = False
        self.accepted = 0

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self, host: str = "127.0.0.1") -> None:
        await self._server.start(host)

    def through(self, url: str) -> str:
        """The URL with this proxy in the place of its host and port."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        place = f"127.0.0.1:{self.port}"
        return urlunsplit(parts._replace(netloc=f"{login}@{place}" if login else place))

    def cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def stall(self) -> None:
        self._flows.clear()

    def silence(self) -> None:
        """Those that are open now fall silent for ever, as when an address has moved; new connections work."""
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()

    def resume(self) -> None:
        self._flows.set()

    def refuse(self) -> None:
        self._refusing = True
        self.cut()

    def allow(self) -> None:
        self._refusing = False

    def passes(self, data: bytes) -> None:
        """Called with everything that is forwarded, either way."""
        return

    async def close(self) -> None:
        self.resume()
        self.refuse()
        await self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.accepted += 1
        try:
            if not self._refusing:
                await self._connect(reader, writer)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._open.add(far_writer)
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(far_writer)
            far_writer.transport.abort()
            writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flows = self._flows
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await flows.wait()
                self.passes(data)
                writer.write(data)
                await writer.drain()
