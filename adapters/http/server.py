"""The server of one port: uvicorn, with bounds on what a connection may take of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.core.duration import seconds

LARGEST_HEAD = 32 << 10
KEEP_ALIVE = 15
"""Seconds that a connection may rest between two requests."""

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
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
    """A connection that is one too many, of all or of its address, is told so and closed; so is one on which the head of a request
    doesn't come. `by_address` counts for one server."""

    most: int
    most_of_one: int
    by_address: Counter[str]
    head_seconds: float
    address: str = ""
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client is not None else ""
        self.by_address[self.address] += 1
        if len(self.connections) > self.most or self.by_address[self.address] > self.most_of_one:
            self._end(BUSY)
            return
        certificate = names_in(transport.get_extra_info("peercert"))
        self.app_state = {**self.app_state, "certificate": certificate}
        self._watch_head()

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
        self.by_address[self.address] -= 1
        if self.by_address[self.address] <= 0:
            del self.by_address[self.address]
        super().connection_lost(exc)

    def _watch_head(self, begun: bool = True) -> None:
        """A head is waited for from the moment when the connection, or the first byte of a further request, has come."""
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()
        elif begun and self._head is None:
            self._head = self.loop.call_later(self.head_seconds, self._end, SLOW)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


class ListeningServer(uvicorn.Server):
    """Leaves signals to the hub, and never ends the process."""

    def __init__(self, application: Any, tls: ssl.SSLContext | None, limits: Limits) -> None:
        bounds = {
            "most": limits.connections,
            "most_of_one": limits.connections_per_address,
            "by_address": Counter(),
            "head_seconds": seconds(limits.head_timeout),
        }
        config = uvicorn.Config(
            application,
            http=type("Connection", (BoundedConnection,), bounds),
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
        self.config.ssl = self._tls
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
            _, late = await asyncio.wait({self._task}, timeout=timeout + 2.0)
            for task in late:
                task.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def names_in(certificate: Any) -> tuple[str, ...]:
    """The common name and the alternative names of a client's certificate, which the handshake has verified."""
    if not certificate:
        return ()
    common = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return (*common, *(str(value) for _, value in certificate.get("subjectAltName", ())))
