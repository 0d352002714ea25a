"""Where a mail goes, and what stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.core.outgoing_address import OutgoingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddress(OutgoingAddress):
    """`text` None: the body is the text; else it is attached under `name`. `date` is empty until the hub has fixed it,
    before the first attempt."""

    kind: ClassVar[str] = "mail"
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str | None
    name: str
    date: str
    message_id: str

    @property
    def target(self) -> str:
        return ", ".join(self.to)
