"""The options of a source that serves SOAP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from adapters.soap.serving.security_options import ServingSecurityOptions
from hub.core.network.rate import RateOptions
from hub.core.options.duration import Duration
from hub.core.options.size import Size
from hub.core.plugin import NO_SECRET, Options, Problem

PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class SoapSourceOptions(Options):
    """Operations of a WSDL that others call."""

    endpoint: str = Field(description="The name of an `http` endpoint.")
    path: str = Field(description="Where it is called: /soap/orders; ?wsdl gives the contract.")
    wsdl: str = Field(
        min_length=1, description="The contract, a file in routes/schemas; what it imports stands beside it."
    )
    operations: tuple[str, ...] = Field((), description="The operations that are served; without it all.")
    security: Literal["none"] | ServingSecurityOptions = Field(
        description=(
            "UsernameTokens (WS-Security). `none` has to be written out, and is only for a listener on loopback."
        )
    )
    reply: Literal["one-way", "accepted", "sync"] = Field(
        "one-way",
        description=(
            "`one-way`: nothing but that it was taken. `accepted`: what `acceptance` says. `sync`: the answer of the"
            " destination that says `answer: true`."
        ),
    )
    acceptance: str | None = Field(
        None,
        min_length=1,
        description=(
            "A file in routes/templates: the element that answers what was taken, with {id} and {documents} in it."
        ),
    )
    before_token: Size = Field(
        "64KB",
        description=(
            "The envelope's Header must end within so many bytes; more of a message is read only after its token was"
            " right."
        ),
        json_schema_extra=NO_SECRET,
    )
    limit: RateOptions = Field(RateOptions(), description="How much is taken.")
    within: Duration = Field("25s", description="How long `sync` waits; then `acceptance`, or a fault that says so.")
    patience: Duration = Field("1m", description="How long broker and journal may take; then a fault.")

    @field_validator("path")
    @classmethod
    def a_path(cls, value: str) -> str:
        if not PATH.fullmatch(value) or value in ("/docs", "/status") or value.startswith("/status/"):
            raise ValueError(f"{value!r} is no path of its own; write it as /soap/orders")
        return value

    @model_validator(mode="after")
    def consistent(self) -> SoapSourceOptions:
        if self.reply == "accepted" and self.acceptance is None:
            raise ValueError("`reply: accepted` needs an `acceptance`")
        if self.reply == "one-way" and self.acceptance is not None:
            raise ValueError("`acceptance` is of no use with `reply: one-way`")
        return self

    @property
    def partners(self) -> tuple[str, ...]:
        """Who may call; names of partners."""
        security = self.security
        if isinstance(security, ServingSecurityOptions) and security.trusted:
            return ()
        return (*(security.users if isinstance(security, ServingSecurityOptions) else ()), *self.limit.partners)


def places_of(options: SoapSourceOptions) -> Iterator[str]:
    yield from (f"POST {options.path}", f"GET {options.path}")


def wrong_on(options: SoapSourceOptions, endpoint: Any) -> Iterator[Problem]:
    """What is wrong with the source on an `http` endpoint with those options."""
    if not isinstance(options.security, ServingSecurityOptions):
        if not endpoint.loopback:
            hint = "let the endpoint listen on 127.0.0.1, or name `users`"
            yield Problem(
                ("security",), f"`security: none` on {endpoint.listen}, which others than this machine reach", hint
            )
    elif not options.security.digest and not endpoint.protected:
        hint = "give the endpoint `tls`, or take digests alone"
        yield Problem(("security",), f"passwords travel in the clear to {endpoint.listen}", hint)
