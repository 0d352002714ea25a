"""A mail server that takes what we send. One connection a message."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from adapters.mail.finished import Mail
from hub.core.clock import Clock
from hub.core.errors import ConfigError
from hub.core.options.duration import Duration, seconds
from hub.core.options.limits import LimitOptions
from hub.core.plugin import FILE, SECRET, Options

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class MailEndpointOptions(Options):
    """A mail server that takes what we send."""

    host: str = Field(min_length=1, description="Name or address of the server.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587, with `tls: always` 465.")
    tls: Literal["starttls", "always", "never"] = Field(
        "starttls", description="`starttls`: asked for, and refused without; `always`: from the first byte; `never`."
    )
    ca: str | None = Field(
        None,
        min_length=1,
        description="File of the authority that signed the server's certificate; else the system's.",
        json_schema_extra=FILE,
    )
    user: str | None = Field(None, min_length=1, description="The account.")
    password: str | None = Field(
        None, min_length=1, description="Its password, by reference: ${NAME}.", json_schema_extra=SECRET
    )
    timeout: Duration = Field("30s", description="How long the server may say nothing.")
    whole_timeout: Duration = Field("3m", description="How long a whole mail may take, from its turn on.")
    connections: int = Field(
        4, ge=1, le=32, description="Mails under way at once. Further ones wait for their turn; that is no failure."
    )
    limit: LimitOptions | None = Field(None, description="What the server can bear.")

    @model_validator(mode="after")
    def nothing_secret_in_the_open(self) -> MailEndpointOptions:
        if (self.user is None) != (self.password is None):
            raise ValueError("to log in takes `user` and `password`")
        if self.password is not None and self.tls == "never" and self.host not in LOOPBACK:
            raise ValueError("a password is never sent without TLS: say tls: starttls or tls: always")
        if self.ca is not None and self.tls == "never":
            raise ValueError("`ca` belongs to TLS")
        return self


class MailEndpoint:
    """How to reach the server; nothing is kept open. Mails have threads of their own: a silent server stops nobody
    else."""

    def __init__(self, options: MailEndpointOptions, tls: ssl.SSLContext | None, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.tls = tls
        self._free = asyncio.Semaphore(options.connections)
        self._threads = ThreadPoolExecutor(options.connections, "mail")

    async def run(self, errand: Errand) -> dict[str, tuple[int, bytes]]:
        """Runs the errand when its turn comes; the clock starts then. Whoever gives up, by time or by cancellation,
        ends the thread too. Raises TimeoutError, and what smtplib raises."""
        await self._free.acquire()
        running = asyncio.get_running_loop().run_in_executor(self._threads, errand.run)
        running.add_done_callback(self._ended)
        try:
            async with self.clock.timeout(seconds(self.options.whole_timeout)):
                return await asyncio.shield(running)
        except (TimeoutError, asyncio.CancelledError):
            errand.cut()
            raise

    def _ended(self, running: asyncio.Future[dict[str, tuple[int, bytes]]]) -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()

    async def close(self) -> None:
        self._threads.shutdown(wait=False)


class Errand:
    """One mail on its way, in a thread. `cut` ends it from outside."""

    def __init__(self, endpoint: MailEndpoint, mail: Mail, raw: bytes) -> None:
        """`raw`: the mail as it is sent."""
        self._options = endpoint.options
        self._tls = endpoint.tls
        self._mail = mail
        self._raw = raw
        self._server: smtplib.SMTP | None = None
        self._ended = False

    def run(self) -> dict[str, tuple[int, bytes]]:
        """The recipients that were refused, where others were taken. Raises what smtplib raises."""
        options = self._options
        server = self._server = self._make_client()
        try:
            server.connect(options.host, options.port)
            if options.tls == "starttls":
                server.starttls(context=self._tls)
            if options.user is not None and options.password is not None:
                server.login(options.user, options.password)
            refused = server.sendmail(self._mail.sender, list(self._mail.recipients), self._raw)
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            return refused
        finally:
            server.close()

    def cut(self) -> None:
        """The thread's next word with the server fails."""
        self._ended = True
        sock = getattr(self._server, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _make_client(self) -> smtplib.SMTP:
        """Not connected yet: from the first byte on it can be cut."""
        options, wait = self._options, seconds(self._options.timeout)
        made = (
            smtplib.SMTP_SSL(timeout=wait, context=self._tls) if options.tls == "always" else smtplib.SMTP(timeout=wait)
        )
        made._host = options.host  # type: ignore[attr-defined]  # whose certificate it is; smtplib only says so when it connects at once
        if self._ended:
            raise smtplib.SMTPServerDisconnected("given up")
        return made


def context_of(options: MailEndpointOptions, site: Path, endpoint: str) -> ssl.SSLContext | None:
    """Raises ConfigError."""
    if options.tls == "never":
        return None
    try:
        return ssl.create_default_context(cafile=str(site / options.ca) if options.ca else None)
    except OSError as error:
        raise ConfigError(f"endpoint {endpoint}: {options.ca} can't be used: {error}") from error
