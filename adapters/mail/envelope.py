"""What a mail says beside its body, made of the facts before the first attempt and kept for every later one."""

from __future__ import annotations

from email.utils import format_datetime

from pydantic import BaseModel, ConfigDict

from hub.core.clock import Clock, read_utc


class MailEnvelope(BaseModel):
    """Who sends it and to whom, what its subject, text and attachment's name are, and its date, empty while it isn't
    fixed. `text` None: the body is the text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str | None
    name: str
    date: str = ""

    def packed(self) -> str:
        return self.model_dump_json()


def date_of(clock: Clock) -> str:
    return format_datetime(read_utc(clock))
