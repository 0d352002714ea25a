"""How a REST endpoint knows us: the options."""

from __future__ import annotations

import base64
import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from adapters.rest.url import usable_url
from hub.core.plugin import NO_SECRET, SECRET, Options

TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""The name of a header (RFC 9110 5.1)."""


class BasicAuth(Options):
    """Basic authentication."""

    user: str = Field(description="User name.")
    password: str = Field(description="Password, by reference: ${NAME}.", json_schema_extra=SECRET)


class HeaderAuth(Options):
    """An API key in a header of its own."""

    name: str = Field(description="The header: X-API-Key.")
    secret: str = Field(min_length=1, description="What stands in it, by reference: ${NAME}.", json_schema_extra=SECRET)

    @field_validator("name")
    @classmethod
    def header_name(cls, value: str) -> str:
        if not TOKEN.fullmatch(value):
            raise ValueError("name must be the name of a header: letters, digits and hyphens")
        return value


class OAuth2(Options):
    """Client credentials (RFC 6749 4.4): a token that is asked for, kept, and asked for again before it expires."""

    token_url: str = Field(description="Where tokens are given.")
    client_id: str = Field(min_length=1, description="Who we are there.")
    client_secret: str = Field(
        min_length=1, description="Our secret there, by reference: ${NAME}.", json_schema_extra=SECRET
    )
    scope: str | None = Field(None, description="What the token is to allow: `orders.write`.")
    audience: str | None = Field(None, description="For whom the token is, where the server asks for it.")
    send_secret: Literal["header", "body"] = Field(
        "header",
        description="Where the secret is sent: `header` (basic) or `body`.",
        json_schema_extra=NO_SECRET,
    )

    @field_validator("token_url")
    @classmethod
    def a_url(cls, value: str) -> str:
        return usable_url(value, "token_url")


class Auth(Options):
    """How the endpoint knows us. One of them; a client certificate (`tls`) may come beside."""

    bearer: str | None = Field(None, description="A bearer token, by reference: ${NAME}.", json_schema_extra=SECRET)
    basic: BasicAuth | None = Field(None, description="User and password.")
    header: HeaderAuth | None = Field(None, description="An API key in a header of its own.")
    oauth2: OAuth2 | None = Field(None, description="Tokens by client credentials.")

    @model_validator(mode="after")
    def one_of(self) -> Auth:
        ways = (self.bearer, self.basic, self.header, self.oauth2)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("auth is one of `bearer`, `basic`, `header`, `oauth2`")
        if any(ord(c) < 32 for secret in self.secrets() for c in secret):
            raise ValueError("the credentials hold a control character (a line end at the end of the secret?)")
        return self

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, in every form in which it is sent."""
        if self.basic is not None:
            return (self.basic.password, encoded(self.basic.user, self.basic.password))
        if self.header is not None:
            return (self.header.secret,)
        if self.oauth2 is not None:
            return (self.oauth2.client_secret, encoded(self.oauth2.client_id, self.oauth2.client_secret))
        return (self.bearer or "",)

    def headers(self) -> dict[str, str]:
        """What every request carries; nothing where a token must be asked for first."""
        if self.bearer is not None:
            return {"Authorization": f"Bearer {self.bearer}"}
        if self.basic is not None:
            return {"Authorization": f"Basic {encoded(self.basic.user, self.basic.password)}"}
        return {self.header.name: self.header.secret} if self.header is not None else {}


def encoded(user: str, password: str) -> str:
    """User and password as basic authentication sends them (RFC 7617)."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
