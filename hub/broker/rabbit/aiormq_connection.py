"""aiormq's connection, with the bytes that it reads and writes within reach.

This file alone uses names of aiormq that its manual does not promise; tests/unit/broker/test_aiormq_names.py says when
a release changes one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from aiormq.connection import Connection, TransportFactory
from aiormq.exceptions import AMQPConnectionError, AMQPError, AuthenticationError

from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.amqp_channel import ConnectionLost
from hub.core.errors import ConfigError

if TYPE_CHECKING:
    from yarl import URL

logging.getLogger("aiormq").addHandler(logging.NullHandler())
"""The supervisor logs how a connection ends. Without a handler Python would print what aiormq says of it as well."""

WRITE_BUFFER = 1 << 20
"""Bytes that wait for the network before writers pause."""


class TransportListener(Protocol):
    """Hears what a transport hears, before aiormq does."""

    def received(self, data: bytes) -> bytes:
        """Takes what the broker sent; returns what aiormq gets of it: whole frames."""
        ...

    def lost(self, reason: str) -> None:
        """The transport has ended. May be called twice."""
        ...

    def pause(self, paused: bool) -> None:
        """True: more than WRITE_BUFFER bytes wait for the network. False: most of them are gone."""
        ...


class AiormqConnection(Connection):
    """Connects, authenticates, negotiates, sends heartbeats and answers a close.

    The values of `channels` are the hub's own: aiormq decodes the frames of their calls and awaits `frames.put` with
    each.
    """

    HEARTBEAT_GRACE_MULTIPLIER = 1.4  # type: ignore[assignment]
    """aiormq ends a connection that was silent for this times (heartbeat + 1) seconds. It looks twice in each
    heartbeat: with a heartbeat of 10 s it notices a dead peer within 21 s."""

    def __init__(self, address: AmqpAddress, name: str, heartbeat: int, listener: TransportListener) -> None:
        """Raises ConfigError when a TLS file of the address can't be used."""
        host = f"[{address.host}]" if ":" in address.host else address.host
        login = f"{quote(address.user, safe='')}:{quote(address.password, safe='')}"
        self._address = address
        self._opened = _ListeningTransport(address, listener)
        super().__init__(
            f"amqp{'s' if address.tls else ''}://{login}@{host}:{address.port}/?heartbeat={heartbeat}",
            context=address.context(),
            transport_factory=self._opened,
            client_properties={"product": "mediation hub", "connection_name": name},
        )
        self.vhost = address.vhost

    @property
    def version(self) -> str:
        """The broker's version, "" when it does not say."""
        return str(dict(self.server_properties or {}).get("version", ""))

    def write(self, data: bytes) -> None:
        """Writes whole frames at once, before anything that aiormq writes later."""
        if self._opened.transport is not None:
            self._opened.transport.write(data)

    def translated(self, error: BaseException) -> Exception:
        """What failed when `connect` raised this: OSError when nobody answers, ConfigError when the broker takes no
        password, and ConnectionLost for everything else; without a text when the listener has heard the reason."""
        if isinstance(error, AuthenticationError):
            return ConfigError(f"{self._address} takes no password: it lets clients in by {error.args[0]}")
        if isinstance(error, OSError) and not isinstance(error, AMQPError):
            return error
        return ConnectionLost("" if isinstance(error, AMQPConnectionError) else str(error) or type(error).__name__)

    def abort(self) -> None:
        """Closes the socket at once. aiormq notices and ends its tasks."""
        if self._opened.transport is not None:
            self._opened.transport.abort()


class _ListeningTransport(TransportFactory):
    """Opens one socket, with a listener between it and aiormq."""

    def __init__(self, address: AmqpAddress, listener: TransportListener) -> None:
        self.transport: asyncio.Transport | None = None
        self._address = address
        self._listener = listener

    async def create(self, url: URL, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = _ListeningReader(self._listener, loop)
        protocol = _ListeningProtocol(self._listener, reader, loop)
        context = await options["ssl_context_provider"].get_context() if self._address.tls else None
        transport, _ = await loop.create_connection(
            lambda: protocol, self._address.host, self._address.port, ssl=context
        )
        self.transport = transport
        self.transport.set_write_buffer_limits(WRITE_BUFFER)
        return reader, asyncio.StreamWriter(self.transport, protocol, reader, loop)


class _ListeningProtocol(asyncio.StreamReaderProtocol):
    """Tells the listener, too, when to pause."""

    def __init__(
        self, listener: TransportListener, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(reader, loop=loop)
        self._listener = listener

    def pause_writing(self) -> None:
        super().pause_writing()
        self._listener.pause(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._listener.pause(False)


class _ListeningReader(asyncio.StreamReader):
    """What aiormq reads from: the listener takes its part of the bytes first."""

    def __init__(self, listener: TransportListener, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._listener = listener

    def feed_data(self, data: Any) -> None:
        if rest := self._listener.received(bytes(data)):
            super().feed_data(rest)

    def feed_eof(self) -> None:
        super().feed_eof()
        self._listener.lost("the broker closed the connection")

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._listener.lost(f"the connection was lost: {exc}")
