"""A partner's SFTP server as an endpoint: how to log in, and the connections that all its sources and destinations
share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field, field_validator, model_validator

from adapters.sftp.session import HostKeyChanged, Login, NotLetIn
from hub.core.clock import Clock
from hub.core.errors import TransientError, Withheld
from hub.core.log import Log
from hub.core.options.duration import Duration, seconds
from hub.core.options.limits import LimitOptions
from hub.core.plugin import FILE, SECRET, Options

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection

T = TypeVar("T")

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds in which nobody tries to connect again after a failure."""

FIRST_PAUSE_NOT_LET_IN, LONGEST_PAUSE_NOT_LET_IN = 30.0, 900.0
"""The same after a login that was refused: servers lock accounts that try too often."""


LOOK_AGAIN_STOPPED = 30.0
"""Seconds for which a copy waits while the endpoint is stopped; it makes no attempt, and uses up nothing of its retry
class."""


class SftpEndpointOptions(Options):
    """An SFTP server. Log in by `key`, by `password`, or by both where the server wants both."""

    host: str = Field(min_length=1, description="Name or address of the server.")
    port: int = Field(22, ge=1, le=65535, description="Its port.")
    user: str = Field(min_length=1, description="The account there.")
    password: str | None = Field(
        None, min_length=1, description="Its password, by reference: ${NAME}.", json_schema_extra=SECRET
    )
    key: str | None = Field(
        None,
        min_length=1,
        description="Path of the private key (OpenSSH or PEM): ${ACME_KEY_FILE}.",
        json_schema_extra=FILE,
    )
    passphrase: str | None = Field(
        None, min_length=1, description="The key's passphrase, by reference: ${NAME}.", json_schema_extra=SECRET
    )
    certificate: str | None = Field(
        None, min_length=1, description="Path of the certificate that signs the key.", json_schema_extra=FILE
    )
    host_key: str | tuple[str, ...] = Field(
        description=(
            "The server's key: `SHA256:...` as ssh-keygen -lf shows it, or `ssh-ed25519 AAAA...`; several while it"
            " changes."
        )
    )
    connections: int = Field(2, ge=1, le=32, description="Connections at most; partners often allow few.")
    connect_timeout: Duration = Field("15s", description="How long connecting and logging in may take.")
    timeout: Duration = Field("1m", description="How long the server may say nothing during an operation.")
    keepalive: Duration = Field("30s", description="How often an idle connection is kept awake; `0s`: never.")
    compress: bool = Field(False, description="Whether to compress what goes over the line.")
    limit: LimitOptions | None = Field(None, description="What the server can bear.")

    @field_validator("host_key")
    @classmethod
    def pinned(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        keys = (value,) if isinstance(value, str) else value
        if not keys:
            raise ValueError("host_key must pin at least one key: nobody is trusted on first sight")
        for key in keys:
            if not (FINGERPRINT.fullmatch(key) or PUBLIC_KEY.fullmatch(key)):
                raise ValueError(
                    f"{key[:60]!r} is neither a fingerprint (SHA256:..., as `ssh-keygen -lf` shows it) nor a public key"
                    " (ssh-ed25519 AAAA...)"
                )
        return value

    @model_validator(mode="after")
    def a_way_in(self) -> SftpEndpointOptions:
        if self.key is None and self.password is None:
            raise ValueError("the endpoint needs a `key` or a `password`")
        if self.key is None and (self.passphrase or self.certificate):
            raise ValueError("`passphrase` and `certificate` belong to a `key`")
        return self

    @property
    def host_keys(self) -> tuple[str, ...]:
        return (self.host_key,) if isinstance(self.host_key, str) else self.host_key

    def login(self, site: Path) -> Login:
        """Paths are relative to the site."""
        return Login(
            host=self.host,
            port=self.port,
            user=self.user,
            host_keys=self.host_keys,
            password=self.password,
            key=site / self.key if self.key else None,
            passphrase=self.passphrase,
            certificate=site / self.certificate if self.certificate else None,
            connect_timeout=seconds(self.connect_timeout),
            timeout=seconds(self.timeout),
            keepalive=int(seconds(self.keepalive)),
            compress=self.compress,
        )


class SftpEndpoint:
    """A few connections, opened when they are needed and used again. After a failure nobody connects for a while, ever
    longer; after a changed host key nobody does until the endpoint is declared anew."""

    def __init__(self, name: str, options: SftpEndpointOptions, login: Login, log: Log, clock: Clock) -> None:
        self.options = options
        self.login = login
        self._name = name
        self._log, self._clock = log, clock
        self._threads = ThreadPoolExecutor(options.connections, f"sftp-{name}")
        self._free = asyncio.Semaphore(options.connections)
        self._idle: list[Connection] = []
        self._failures = 0
        self._not_before = 0.0
        self._why = ""
        self._stopped: HostKeyChanged | None = None

    @property
    def stopped(self) -> str:
        """Why nobody connects any more, until a person has looked; empty while all is well."""
        return self._stopped.text if self._stopped is not None else ""

    async def use(self, work: Callable[[Connection], T]) -> T:
        """Runs the work in a thread, with a connection of its own; waits for a free one. Raises TransientError. When
        the caller is cancelled the connection is cut, so that the thread ends too."""
        async with self._free:
            connection = await self._connected()
            running = asyncio.get_running_loop().run_in_executor(self._threads, work, connection)
            try:
                result = await asyncio.shield(running)
            except asyncio.CancelledError:
                connection.close()
                with suppress(TimeoutError):
                    async with self._clock.timeout(5.0):
                        await asyncio.wait({running})
                if running.done():
                    running.exception()
                raise
            except BaseException:
                self._keep(connection)
                raise
            self._keep(connection)
            return result

    async def _connected(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                return connection
        if self._stopped is not None:
            text = f"{self._stopped.text} (endpoint {self._name} is stopped until it is declared anew)"
            raise Withheld(text, self._name, LOOK_AGAIN_STOPPED)
        left = self._not_before - self._clock.monotonic()
        if left > 0:
            text = f"{self._name} is not tried again for {left:.0f} more seconds, after: {self._why}"
            raise Withheld(text, self._name, left)
        try:
            connecting = asyncio.get_running_loop().run_in_executor(self._threads, connected, self.login)
            connection = await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(close_if_made)
            raise
        except TransientError as error:
            self._failed(error)
            raise
        self._failures = 0
        return connection

    def _failed(self, error: TransientError) -> None:
        if isinstance(error, HostKeyChanged):
            self._stopped = error
            self._log.error("host_key_changed", endpoint=self._name, error=error.text)
            return
        refused = isinstance(error, NotLetIn)
        first, longest = (FIRST_PAUSE_NOT_LET_IN, LONGEST_PAUSE_NOT_LET_IN) if refused else (FIRST_PAUSE, LONGEST_PAUSE)
        pause = min(first * 2 ** min(self._failures, 20), longest)
        self._failures += 1
        self._why = error.text
        self._not_before = self._clock.monotonic() + pause
        self._log.warning("endpoint_away", endpoint=self._name, error=error.text, again_in=pause)

    def _keep(self, connection: Connection) -> None:
        if connection.alive:
            self._idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)


def connected(login: Login) -> Connection:
    """paramiko is loaded by the first who connects: not everybody who reads a site does."""
    from adapters.sftp.connection import Connection

    return Connection(login)


def close_if_made(connecting: asyncio.Future[Connection]) -> None:
    """Nobody waits for this connection any more."""
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()
