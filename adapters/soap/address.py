"""Where a call goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapAddress(OutgoingAddress):
    """An operation at a URL, with the headers of HTTP."""

    kind: ClassVar[str] = "soap"
    url: str
    operation: str
    headers: Mapping[str, str]

    @property
    def target(self) -> str:
        return f"{self.operation} {self.url}"
