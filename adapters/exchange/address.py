"""Where a message to an exchange goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeAddress(OutgoingAddress):
    """An exchange of the broker behind an endpoint; without one of the hub's own. `exchange` may be empty: the default
    one, where `key` names a queue. `reply_to` is what the site says; where the hub waits for an answer, `send` names a
    queue of the process."""

    kind: ClassVar[str] = "exchange"
    endpoint: str | None
    exchange: str
    key: str
    mandatory: bool
    headers: Mapping[str, Any]
    message_id: str
    correlation_id: str | None
    type: str
    content_type: str
    reply_to: str | None
    properties: Mapping[str, Any]

    @property
    def target(self) -> str:
        place = f"{self.exchange} {self.key}" if self.exchange else self.key
        return f"{self.endpoint}:{place}" if self.endpoint is not None else place
