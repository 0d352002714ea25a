"""Where an uploaded file goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpAddress(OutgoingAddress):
    """`path` on the server, and the file's `name` in it. `temporary`: the path under which it is uploaded; None: its
    own. `marker`: the path of the empty file that is put beside it afterwards."""

    kind: ClassVar[str] = "sftp"
    host: str
    port: int
    path: str
    name: str
    temporary: str | None = None
    marker: str | None = None

    @property
    def target(self) -> str:
        return f"{self.host}:{self.path}"
