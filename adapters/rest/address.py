"""Where a request goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class RestAddress(OutgoingAddress):
    """A method, a URL, and the headers that the hub sets."""

    kind: ClassVar[str] = "rest"
    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def target(self) -> str:
        return f"{self.method} {self.url}"
