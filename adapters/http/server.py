"""The server of one port: uvicorn behind an accept of our own, with bounds on what a connection may take of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapters.http.accepting import BACKLOG, Accepted, Acceptor
from hub.core.clock import Clock, Timer
from hub.core.log import Log
from hub.core.network.crowd import Crowd
from hub.core.options.duration import seconds

LARGEST_HEAD = 32 << 10
KEEP_ALIVE = 15
"""Seconds that a connection may rest between two requests."""

SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Limits(Protocol):
    """What an endpoint's options say of connections."""

    @property
    def connections(self) -> int: ...

    @property
    def connections_per_address(self) -> int: ...

    @property
    def head_timeout(self) -> str: ...


class BoundedConnection(H11Protocol):
    """A connection on which the head of a request doesn't come in time is told so and closed."""

    head_seconds: float
    accepted: Accepted
    clock: Clock
    _head: Timer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.accepted.spoken = self
        certificate = names_in(transport.get_extra_info("peercert"))
        self.app_state = {**self.app_state, "certificate": certificate}
        self._watch_head()

    @property
    def idle(self) -> bool:
        """No whole head has come that isn't answered."""
        return self.conn.their_state is h11.IDLE

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_head(begun=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        self.accepted.leave()
        super().connection_lost(exc)

    def end(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _watch_head(self, begun: bool = True) -> None:
        """A head is waited for from the moment when the connection, or the first byte of a further request, has
        come."""
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()
        elif begun and self._head is None:
            self._head = self.clock.call_later(self.head_seconds, self.end, SLOW)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


class ListeningServer(uvicorn.Server):
    """Leaves signals to the hub, and never ends the process."""

    def __init__(
        self,
        application: Any,
        tls: ssl.SSLContext | None,
        limits: Limits,
        log: Log,
        clock: Clock,
        is_proxy: Callable[[str], bool] = lambda address: False,
    ) -> None:
        """`is_proxy` says for which addresses `connections_per_address` does not count."""
        self._head_seconds = seconds(limits.head_timeout)
        self._crowd: Crowd[Accepted] = Crowd(limits.connections, limits.connections_per_address, is_proxy)
        self._log, self._clock = log, clock
        config = uvicorn.Config(
            application,
            http=BoundedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
        super().__init__(config)
        self._tls = tls
        self._task: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])

    async def start(self, listening: socket.socket) -> None:
        """Returns when it listens."""
        self.config.load()
        self._task = asyncio.create_task(self.serve([listening]), name="http-listener")
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait({self._task, begun}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            begun.cancel()
            self._task.result()

    async def stop(self, timeout: float) -> None:
        """Requests under way have `timeout` seconds."""
        self.should_exit = True
        if self._task is not None:
            try:
                async with self._clock.timeout(timeout + 2.0):
                    await asyncio.wait({self._task})
            except TimeoutError:
                self._task.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        acceptor: Any = Acceptor((sockets or [])[0], self._tls, self._crowd, self._connection, self._log, self._clock)
        self.servers = [acceptor]
        self.started = True
        self._begun.set()

    def _connection(self, accepted: Accepted) -> BoundedConnection:
        made = BoundedConnection(self.config, self.server_state, app_state=self.lifespan.state)
        made.head_seconds, made.accepted, made.clock = self._head_seconds, accepted, self._clock
        return made

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def names_in(certificate: Any) -> tuple[str, ...]:
    """The common name and the alternative names of a client's certificate, which the handshake has verified."""
    if not certificate:
        return ()
    common = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return (*common, *(str(value) for _, value in certificate.get("subjectAltName", ())))


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    made = socket.socket(family, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.setblocking(False)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made
