"""An SFTP server with the habits of partners' servers: each account has one. asyncssh, on the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

PASSWORD = "of-the-partner"


@dataclass
class Habits:
    """`taken`: the names and bodies of files that the server took away, in order. `calls`: what clients asked for.

    Accounts: `aclose` takes a file as soon as it is closed, `arename` as soon as it is renamed, `nostat` refuses stat,
    `norename` renames, `nosize` gives no sizes, `writeonly` refuses to read and to list, `fullclose` refuses to close
    what was written."""

    folder: Path
    port: int = 0
    fingerprint: str = ""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def stands(self, account: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / account / "in").iterdir()}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Habits]:
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.fingerprint = key.get_fingerprint()
        connections: list[asyncssh.SSHServerConnection] = []
        made = await asyncssh.create_server(
            lambda: Server(connections),
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=lambda channel: Files(channel, self),
        )
        self.port = made.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            made.close()
            for connection in connections:
                connection.abort()
            await asyncio.gather(*(connection.wait_closed() for connection in connections))
            await made.wait_closed()


class Server(asyncssh.SSHServer):
    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == PASSWORD


class Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any, habits: Habits) -> None:
        self._habits = habits
        self._account = channel.get_extra_info("username")
        root = habits.folder / self._account
        (root / "in").mkdir(parents=True, exist_ok=True)
        self._written: dict[int, bytes] = {}
        super().__init__(channel, chroot=str(root).encode())

    def _refuse(self, *accounts: str) -> None:
        if self._account in accounts:
            raise asyncssh.SFTPPermissionDenied("not allowed")

    def _take(self, path: bytes) -> None:
        real = Path(self.map_path(path).decode())
        self._habits.taken.append((real.name, real.read_bytes()))
        real.unlink()

    def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        if not pflags & asyncssh.FXF_WRITE:
            self._refuse("writeonly")
        self._habits.calls.append("write" if pflags & asyncssh.FXF_WRITE else "read")
        file = super().open(path, pflags, attrs)
        if pflags & asyncssh.FXF_WRITE:
            self._written[id(file)] = path
        return file

    def close(self, file: Any) -> Any:
        super().close(file)
        path = self._written.pop(id(file), None)
        if path is not None:
            self._refuse("fullclose")
            if self._account == "aclose":
                self._take(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._refuse("norename")
        super().rename(oldpath, newpath)
        if self._account == "arename":
            self._take(newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._refuse("norename")
        return super().posix_rename(oldpath, newpath)

    def stat(self, path: bytes) -> Any:
        return self._looked(super().stat, path)

    def lstat(self, path: bytes) -> Any:
        return self._looked(super().lstat, path)

    def _looked(self, look: Any, path: bytes) -> Any:
        self._habits.calls.append("stat")
        self._refuse("nostat")
        found = look(path)
        if self._account == "nosize":
            found = asyncssh.SFTPAttrs.from_local(found)
            found.size = None
        return found

    def scandir(self, path: bytes) -> Any:
        self._refuse("writeonly")
        return super().scandir(path)
