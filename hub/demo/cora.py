"""CORA, a partner with an SFTP server of its own: a real one, made of the hub's own drop box."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Thread
from typing import Any

from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import HubError
from hub.core.ports import Arrival, Taken
from hub.demo.ssh_key import SshKey

START_SECONDS = 20.0


class SilentLog:
    """A log that nobody reads: what its hub says of its uploads is what matters."""

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **named: None


class Cora:
    """Lets `hub` in by `key`; `received` is what was uploaded whole, by name."""

    def __init__(self, folder: Path) -> None:
        self.key: SshKey
        self.host_key: SshKey
        self.received: dict[str, bytes] = {}
        self._folder = folder.resolve()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="demo-cora", daemon=True)
        self._source: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self._source.port) if self._source is not None else 0

    def start(self) -> None:
        """Returns when it listens. Raises HubError when it doesn't, OSError where its keys can't be kept."""
        self.key = SshKey.make(self._folder / "hub_key")
        self.host_key = SshKey.make(self._folder / "host_key")
        self._thread.start()
        clock = SystemClock()
        deadline = clock.monotonic() + START_SECONDS
        while not self.port:
            if clock.monotonic() > deadline or not self._thread.is_alive():
                raise HubError("CORA's SFTP server didn't start")
            clock.pause(0.02)

    def close(self) -> None:
        if self._task is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(10)

    def _run(self) -> None:
        from adapters.sftp_server.options import SftpServerSourceOptions  # asyncssh takes its time
        from adapters.sftp_server.source import SftpServerSource

        wanted = {
            "listen": "127.0.0.1:0",
            "host_key": str(self.host_key.path),
            "folder": "files",
            "accounts": {"hub": {"keys": (self.key.public,)}},
        }
        options = SftpServerSourceOptions.model_validate(wanted)
        self._source = SftpServerSource("cora", options, Context(self._folder, log=SilentLog(), clock=SystemClock()))
        self._task = self._loop.create_task(self._source.run(self._take))
        try:
            self._loop.run_until_complete(asyncio.wait({self._task}))
        finally:
            self._loop.close()

    async def _take(self, arrival: Arrival) -> Taken:
        self.received[arrival.name] = b"".join(arrival.body.chunks())
        return Taken(1)
