"""The SFTP adapter on a real OpenSSH server, without a hub around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from adapters.sftp import SftpDestination, SftpDestinationOptions, SftpSource, SftpSourceOptions
from adapters.sftp.endpoint import SftpEndpoint, SftpEndpointOptions
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.ports import Arrival, Outgoing, Taken
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from tests.support.openssh import OpenSsh


class Takes:
    """An intake that remembers what it was offered."""

    def __init__(self, answer: Callable[[Arrival], Taken] = lambda arrival: Taken(1)) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = answer

    async def __call__(self, arrival: Arrival) -> Taken:
        body = await asyncio.to_thread(lambda: b"".join(arrival.body.chunks()))
        self.names.append(arrival.name)
        self.bodies.append(body)
        return self._answer(arrival)


class Partner:
    """A hub's side of one partner's server."""

    def __init__(self, server: OpenSsh, site: Path, journal: Journal, **endpoint: Any) -> None:
        self.server = server
        self.site = site
        login = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": server.user,
            "key": str(server.key),
            "host_key": server.fingerprint,
            "connect_timeout": "5s",
            "timeout": "5s",
            **endpoint,
        }
        options = SftpEndpointOptions.model_validate({k: v for k, v in login.items() if v is not None})
        self.endpoint = SftpEndpoint("partner", options, options.login(site), structlog.get_logger(), SystemClock())
        self.context = Context(
            site=site,
            log=structlog.get_logger(),
            spool=site / "spool",
            memory=lambda name: JournalMemory(journal, name),
            clock=SystemClock(),
        )

    def source(self, name: str = "inbox", **options: Any) -> SftpSource:
        wanted = {"endpoint": "partner", "folder": "out", "settle": "0s", "poll": "50ms", **options}
        return SftpSource(name, SftpSourceOptions.model_validate(wanted), self.endpoint, self.context)

    def destination(self, **options: Any) -> SftpDestination:
        wanted = {"endpoint": "partner", "folder": "in", "name": "{document}_{number}.edi", **options}
        return SftpDestination(
            SftpDestinationOptions.model_validate(wanted), self.endpoint, self.context.log, SystemClock()
        )

    @asynccontextmanager
    async def polling(self, take: Any, name: str = "inbox", **options: Any) -> AsyncIterator[Path]:
        """Runs a source; gives the folder that it polls, as the partner's side sees it."""
        folder = self.server.home / "out"
        folder.mkdir(exist_ok=True)
        task = asyncio.create_task(self.source(name, **options).run(take))
        try:
            yield folder
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def outgoing(body: bytes = b"ISA*00~", **facts: str) -> Outgoing:
    return Outgoing(
        "id", "order@1", "key", body, "application/edi-x12", facts={"number": "1", "document": "order", **facts}
    )
