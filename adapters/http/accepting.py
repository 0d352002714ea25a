"""Accepts the connections of one port. Each is counted from the accept on, also while its TLS handshake is under
way."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from hub.core.clock import Clock
from hub.core.log import Log
from hub.core.network.crowd import Crowd
from hub.core.network.sampling import SampledLog

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
HANDSHAKE_SECONDS = 10.0
"""How long a TLS handshake may take."""

SHUTDOWN_SECONDS = 5.0
"""How long the end of a TLS connection may take."""

BACKLOG = 1024
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE = 0.2
"""Seconds before the next accept when the process has no descriptor left."""


class Spoken(Protocol):
    """A connection after its handshake, as the server of its protocol sees it."""

    @property
    def idle(self) -> bool: ...

    def end(self, answer: bytes) -> None: ...


class Accepted:
    """One connection from its accept to its end. `leave` gives its place back."""

    def __init__(self, sock: socket.socket, address: str, crowd: Crowd[Accepted]) -> None:
        self.sock = sock
        self.address = address
        self.spoken: Spoken | None = None
        self.task: asyncio.Task[None] | None = None
        self._crowd = crowd

    @property
    def idle(self) -> bool:
        return self.spoken is None or self.spoken.idle

    def end(self) -> None:
        if self.spoken is not None:
            self.spoken.end(BUSY)
        elif self.task is not None:
            self.task.cancel()

    def leave(self) -> None:
        self._crowd.leave(self)


class Acceptor:
    """Accepts until it is closed. `protocol` makes the protocol of an accepted connection, which calls its `leave` at
    its end.

    It takes the place of asyncio's server in uvicorn, which calls `close` and `wait_closed`.
    """

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        crowd: Crowd[Accepted],
        protocol: Callable[[Accepted], asyncio.Protocol],
        log: Log,
        clock: Clock,
    ) -> None:
        self.sockets = (listening,)
        self.port = int(listening.getsockname()[1])
        self._tls = tls
        self._crowd = crowd
        self._protocol = protocol
        self._clock = clock
        self._log = SampledLog(log, clock.monotonic)
        self._greeted: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._accept(listening), name=f"accept-{self.port}")

    def close(self) -> None:
        self._task.cancel()
        for task in self._greeted:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.wait({self._task, *self._greeted})

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, peer = await self._next(listening)
            except OSError as error:
                if error.errno in OUT_OF_DESCRIPTORS:
                    self._log.warning("no_descriptors_left", port=self.port, error=error.strerror)
                await self._clock.sleep(PAUSE if error.errno in OUT_OF_DESCRIPTORS else 0.01)
                continue
            self._let_in(sock, str(peer[0]))

    async def _next(self, listening: socket.socket) -> tuple[socket.socket, Any]:
        """The next connection. One that came in while we are told to stop is closed."""
        accepting = asyncio.ensure_future(self._loop.sock_accept(listening))
        try:
            return await asyncio.shield(accepting)
        except asyncio.CancelledError:
            if not accepting.cancel() and not accepting.cancelled() and accepting.exception() is None:
                accepting.result()[0].close()
            raise

    def _let_in(self, sock: socket.socket, address: str) -> None:
        guest = Accepted(sock, address, self._crowd)
        leaves = self._crowd.enter(guest)
        if leaves is not None:
            self._log.warning("too_many_connections", port=self.port, connections=len(self._crowd), peer=leaves.address)
        if leaves is guest:
            self._refuse(sock)
            return
        if leaves is not None:
            leaves.end()
        guest.task = asyncio.create_task(self._greet(guest), name=f"handshake-{self.port}")
        self._greeted.add(guest.task)
        guest.task.add_done_callback(lambda task: self._greeted_or_gone(task, guest))

    def _greeted_or_gone(self, task: asyncio.Task[None], guest: Accepted) -> None:
        """A connection that no protocol has taken is closed, also when its handshake was ended before it began."""
        self._greeted.discard(task)
        if task.cancelled() or task.exception() is not None:
            with suppress(OSError):
                guest.sock.close()
            guest.leave()

    def _refuse(self, sock: socket.socket) -> None:
        """Says so where that needs no handshake."""
        with sock, suppress(OSError):
            if self._tls is None:
                sock.send(BUSY)
                sock.shutdown(socket.SHUT_WR)

    async def _greet(self, guest: Accepted) -> None:
        """Returns when the protocol has the connection."""
        timeouts: dict[str, Any] = {}
        if self._tls is not None:
            timeouts = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": SHUTDOWN_SECONDS}
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol(guest), guest.sock, ssl=self._tls, **timeouts
            )
        except (OSError, TimeoutError):  # an SSLError is an OSError: no handshake, no connection
            guest.leave()
        except BaseException:
            guest.leave()
            raise
        finally:
            guest.task = None
