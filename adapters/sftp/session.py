"""What an SFTP session needs and answers, apart from the protocol itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hub.core.errors import TransientError

Progress = Callable[[int], None]
"""Is called with the bytes that have gone over so far."""

Reason = Literal["missing", "denied", "failure"]


class Declined(TransientError):
    """The server's answer was no, and the connection is sound: no such file, permission denied, or a failure that it
    doesn't explain (a full disk, a name that is taken)."""

    def __init__(self, text: str, reason: Reason) -> None:
        super().__init__(text, "busy" if reason == "failure" else "failed")
        self.reason = reason


class HostKeyChanged(TransientError):
    """The server shows another key than the pinned one: nobody speaks to it until a person has looked."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "unreachable")


class NotLetIn(TransientError):
    """The server doesn't accept our credentials."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "unreachable")


@dataclass(frozen=True, slots=True)
class Login:
    """Whom to connect to, and as whom. `host_keys` are pinned: `SHA256:...`, or type and key as in a known_hosts
    file."""

    host: str
    port: int
    user: str
    host_keys: tuple[str, ...]
    password: str | None = None
    key: Path | None = None
    passphrase: str | None = None
    certificate: Path | None = None
    connect_timeout: float = 15.0
    timeout: float = 60.0
    keepalive: int = 30
    compress: bool = False

    @property
    def place(self) -> str:
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


UNMEASURED = -1


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file of a folder. `size` is UNMEASURED where the server doesn't say it."""

    name: str
    size: int
    changed: int

    @property
    def version(self) -> tuple[int, int]:
        return self.size, self.changed
