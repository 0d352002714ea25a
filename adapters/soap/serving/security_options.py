"""Who may call, and how it proves who it is."""

from __future__ import annotations

from pydantic import Field, field_validator

from hub.core.network.web import within_longest_window
from hub.core.options.duration import Duration
from hub.core.plugin import SECRET, Options


class SoapUser(Options):
    """A user of a partner's system."""

    user: str | None = Field(None, min_length=1, description="The user; else the partner's name.")
    password: str = Field(min_length=8, description="The password, by reference.", json_schema_extra=SECRET)


class ServingSecurityOptions(Options):
    """UsernameTokens."""

    users: dict[str, SoapUser] = Field(min_length=1, description="Partner to its user and password.")
    digest: bool = Field(True, description="Passwords come as digests alone; false: also as text.")
    window: Duration = Field("5m", description="How old, or how far ahead, a token may be; at most 1h.")
    trusted: bool = Field(
        False, description="The users are systems of our own, no partners: their documents may be of any partner."
    )

    @field_validator("window")
    @classmethod
    def not_longer(cls, value: str) -> str:
        return within_longest_window(value)
