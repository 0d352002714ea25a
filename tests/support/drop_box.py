"""The hosted drop box without a hub around it, and a partner with paramiko."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paramiko
import structlog

from adapters.sftp_server import SftpServerSourceOptions
from adapters.sftp_server.source import SftpServerSource
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.ports import Arrival, Taken
from tests.support.brokers import eventually

PASSWORD = "correct horse battery"


class Takes:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        self.partners: list[Any] = []
        self.settled: list[str] = []

    async def __call__(self, arrival: Arrival) -> Taken:
        self.bodies.append(b"".join(arrival.body.chunks()))
        self.names.append(arrival.name)
        self.partners.append(arrival.partner)
        name = arrival.name

        async def settle() -> None:
            self.settled.append(name)

        return Taken(0, 1, "bad", settled=settle) if self.bodies[-1] == b"bad" else Taken(1, settled=settle)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.names) >= number

        await eventually(reached)


def client_keys(folder: Path) -> Path:
    """Client keys `right` and `wrong`."""
    folder.mkdir()
    for name in ("right", "wrong"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder


@asynccontextmanager
async def serving(
    site: Path, take: Any, keys: Path, account: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[int]:
    public = (keys / "right.pub").read_text().strip()
    accounts = {
        "acme": {"partner": "ACME", "keys": (public,), "password": PASSWORD, **(account or {})},
        "other": {"password": PASSWORD + "2"},
    }
    wanted = {"listen": "127.0.0.1:0", "accounts": accounts, **options}
    source = SftpServerSource(
        "dropbox",
        SftpServerSourceOptions.model_validate(wanted),
        Context(site, log=structlog.get_logger(), clock=SystemClock()),
    )
    task = asyncio.create_task(source.run(take))

    async def listens() -> bool:
        return source.port != 0 or task.done()

    await eventually(listens)
    try:
        yield source.port
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


class Client:
    """A paramiko client, in a thread of its own for every call."""

    def __init__(self, port: int, user: str = "acme", key: Path | None = None, password: str | None = None) -> None:
        self._port, self._user, self._key, self._password = port, user, key, password
        self.transport: Any = None
        self.sftp: Any = None

    async def __aenter__(self) -> Client:
        await asyncio.to_thread(self._connect)
        return self

    def _connect(self) -> None:
        self.transport = paramiko.Transport(("127.0.0.1", self._port))
        key = paramiko.PKey.from_path(self._key) if self._key else None
        try:
            self.transport.connect(username=self._user, password=self._password, pkey=key)
        except BaseException:
            self.transport.close()
            raise
        self.sftp = paramiko.SFTPClient.from_transport(self.transport)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.transport.close)

    async def put(self, name: str, body: bytes) -> None:
        def write() -> None:
            with self.sftp.open(name, "wb") as file:
                file.write(body)

        await asyncio.to_thread(write)

    async def get(self, name: str) -> bytes:
        def read() -> bytes:
            with self.sftp.open(name, "rb") as file:
                return bytes(file.read())

        return await asyncio.to_thread(read)

    async def do(self, operation: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(getattr(self.sftp, operation), *arguments)
