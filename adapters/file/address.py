"""Where a file goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAddress(OutgoingAddress):
    """A file of a folder of this machine, or of the `store` endpoint of that name. `folder` as the options say it:
    relative to the site, or to the store."""

    kind: ClassVar[str] = "file"
    folder: str
    name: str
    store: str | None = None

    @property
    def target(self) -> str:
        path = f"{self.folder.rstrip('/')}/{self.name}"
        return f"{self.store}:{path}" if self.store is not None else path
