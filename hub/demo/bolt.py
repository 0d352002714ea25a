"""BOLT, a partner without a server: it drops its orders into the hub's, and fetches from there what is for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.demo.ssh_key import SshKey

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection


@dataclass(frozen=True, slots=True)
class Bolt:
    """Logs in as `bolt`. `host_key` is the fingerprint that the hub has told."""

    key: SshKey
    port: int
    host_key: str

    def drop(self, name: str, body: bytes) -> None:
        """Under a temporary name, then renamed: from that moment on it is the hub's."""
        connection = self._connected()
        try:
            connection.upload(body, f"in/{name}.tmp", lambda done: None)
            connection.rename(f"in/{name}.tmp", f"in/{name}")
        finally:
            connection.close()

    def fetch(self) -> dict[str, bytes]:
        """What stands in /out, by name."""
        connection = self._connected()
        try:
            found: dict[str, Any] = {each.name: each.size for each in connection.entries("out")}
            return {name: b"".join(connection.pieces(f"out/{name}", size)) for name, size in found.items()}
        finally:
            connection.close()

    def _connected(self) -> Connection:
        from adapters.sftp.connection import Connection  # takes its time
        from adapters.sftp.session import Login

        return Connection(Login("127.0.0.1", self.port, "bolt", (self.host_key,), key=self.key.path))
