"""Where a message to another broker goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeAddress(OutgoingAddress):
    """A queue of the broker behind an endpoint."""

    kind: ClassVar[str] = "bridge"
    endpoint: str
    queue: str
    headers: Mapping[str, Any]
    message_id: str
    correlation_id: str | None
    type: str
    content_type: str

    @property
    def target(self) -> str:
        return f"{self.endpoint}:{self.queue}"
