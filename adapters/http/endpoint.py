"""A port that listens for HTTP, shared by all sources that are mounted on it."""

from __future__ import annotations

import asyncio
import socket
import ssl

from adapters.http.application import Application, BodyBounds
from adapters.http.client_address import ClientAddresses
from adapters.http.endpoint_options import HttpEndpointOptions
from adapters.http.request_body import swept
from adapters.http.server import ListeningServer, bound
from hub.core.clock import Timer
from hub.core.context import Context
from hub.core.errors import ConfigError, TransientError
from hub.core.network.web import Mount
from hub.core.options.duration import seconds
from hub.core.options.size import parse_size

LINGER = 1.0
"""Seconds that the port stays open with nothing mounted: a reload that replaces all sources doesn't close it."""

BIND_FOR, BIND_PAUSE = 3.0, 0.1
"""How long a port is tried that somebody else still has: an endpoint that a reload has replaced lingers."""

STOP = 5.0
"""Seconds that requests under way have, when the port closes or their source goes."""


class HttpEndpoint:
    """See `hub.core.network.web.WebListener`."""

    def __init__(self, name: str, options: HttpEndpointOptions, context: Context) -> None:
        self.options = options
        self._name = name
        self._site = context.site
        self._log, self._clock = context.log, context.clock
        self._spool = context.spool
        bounds = BodyBounds(parse_size(options.largest), seconds(options.body_timeout), self._spool)
        self._addresses = ClientAddresses(options.trusted_proxies, options.proxy_header, options.public is not None)
        self._application = Application(
            name, bounds, options.docs, context.log, context.clock, secure=options.protected, addresses=self._addresses
        )
        self._server: ListeningServer | None = None
        self._opening = asyncio.Lock()
        self._closing: Timer | None = None
        self._closed: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The one that is listened on: with port 0, the one that the system gave."""
        return self._server.port if self._server is not None else int(self.options.listen.rpartition(":")[2])

    def url(self, path: str) -> str:
        if self.options.public is not None:
            return self.options.public.rstrip("/") + path
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"{'https' if self.options.tls else 'http'}://{host}:{self.port}{path}"

    async def mount(self, *mounts: Mount) -> None:
        async with self._opening:
            self._stay()
            self._application.add(mounts)
            try:
                if self._server is None:
                    self._server = await self._open()
            except BaseException:
                self._application.remove(mounts)
                raise

    async def unmount(self, *mounts: Mount) -> None:
        self._application.remove(mounts)
        if self._application.empty:
            self._stay()
            self._closing = self._clock.call_later(LINGER, self._leave)
        await self._application.finished(mounts, STOP)

    async def close(self) -> None:
        """Twice is harmless."""
        self._stay()
        async with self._opening:
            server, self._server = self._server, None
            if server is not None:
                await server.stop(STOP)
        if self._closed:
            await asyncio.wait(self._closed)

    def _stay(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    def _leave(self) -> None:
        server, self._server, self._closing = self._server, None, None
        if server is not None:
            task = asyncio.create_task(server.stop(STOP), name=f"close-{self._name}")
            self._closed.add(task)
            task.add_done_callback(self._closed.discard)

    async def _open(self) -> ListeningServer:
        listening = await self._bind()
        try:
            server = ListeningServer(
                self._application, self._tls(), self.options, self._log, self._clock, self._addresses.is_proxy
            )
            await server.start(listening)
        except BaseException:
            listening.close()
            raise
        if left := await asyncio.to_thread(swept, self._spool, self._clock()):
            self._log.info("bodies_swept", endpoint=self._name, files=left)
        self._log.info("listening", endpoint=self._name, url=f"{self.options.host}:{server.port}")
        return server

    async def _bind(self) -> socket.socket:
        until = self._clock.monotonic() + BIND_FOR
        while True:
            try:
                return bound(self.options.host, int(self.options.listen.rpartition(":")[2]))
            except OSError as error:
                if self._clock.monotonic() >= until:
                    text = f"endpoint {self._name}: {self.options.listen} can't be listened on: {error.strerror}"
                    raise TransientError(text, "unreachable") from error
            await self._clock.sleep(BIND_PAUSE)

    def _tls(self) -> ssl.SSLContext | None:
        tls = self.options.tls
        if tls is None:
            return None
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self._site / tls.certificate, self._site / (tls.key or tls.certificate))
            if tls.client_ca is not None:
                made.load_verify_locations(self._site / tls.client_ca)
                made.verify_mode = ssl.CERT_OPTIONAL
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"endpoint {self._name}: its certificates can't be used: {error}") from error
        return made
