"""The options of a source that listens for HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from adapters.http.auth_options import AuthOptions
from adapters.http.endpoint_options import HttpEndpointOptions
from hub.core.network.rate import RateOptions
from hub.core.options.duration import Duration
from hub.core.plugin import Options, Problem
from hub.core.routing.given_facts import GivenFacts

PATH = re.compile(r"(/([A-Za-z0-9._~-]+|\{[a-z][a-z0-9_]*\}))+")
OWN_PATHS = ("/docs", "/openapi.json", "/status")
TYPES = ("application/json", "application/xml", "application/edi-x12", "text/csv", "multipart/form-data")
ORIGINS = ("path.", "header.", "query.")
LONGEST_WITHIN = 300.0


class HttpSourceOptions(Options):
    """Documents that are posted to the hub."""

    endpoint: str = Field(description="The name of an `http` endpoint.")
    path: str = Field(description="Where they are posted: /orders, /orders/{region}.")
    method: Literal["POST", "PUT"] = Field("POST", description="How.")
    accept: tuple[str, ...] = Field(
        TYPES, min_length=1, description="Content types that are taken; of multipart/form-data each part is an arrival."
    )
    auth: Literal["none"] | AuthOptions = Field(
        description=(
            "How a sender proves who it is: any of these. `none` has to be written out, and is only for a listener on"
            " loopback."
        )
    )
    limit: RateOptions = Field(RateOptions(), description="How much is taken.")
    facts: GivenFacts = Field(
        default_factory=dict,
        description=(
            "What of a request becomes a fact: `region: path.region`, `kind: header.x-kind`, `shop: query.shop`."
        ),
    )
    reply: Literal["accepted", "sync"] = Field(
        "accepted",
        description=(
            "`accepted`: 202 once the hub is responsible. `sync`: the answer of the destination that says `answer:"
            " true`."
        ),
    )
    within: Duration = Field("25s", description="How long `sync` waits; then 202.")
    patience: Duration = Field("1m", description="How long broker and journal may take; then 503.")
    idempotent: bool = Field(True, description="Honours `Idempotency-Key`.")
    remember: Duration = Field("24h", description="How long the answer to such a key is known.")

    @field_validator("path")
    @classmethod
    def a_path(cls, value: str) -> str:
        names = re.findall(r"\{(\w+)\}", value)
        if not PATH.fullmatch(value) or len(set(names)) < len(names):
            raise ValueError(f"{value!r} is no path; write it as /orders or /orders/{{region}}")
        if value in OWN_PATHS or value.startswith("/status/"):
            raise ValueError(f"{value} is the listener's own")
        return value

    @field_validator("accept")
    @classmethod
    def content_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", one):
                raise ValueError(f"{one!r} is no content type; write it as application/json")
        return value

    @model_validator(mode="after")
    def consistent(self) -> HttpSourceOptions:
        places = set(re.findall(r"\{(\w+)\}", self.path))
        for name, origin in self.facts.items():
            if not origin.startswith(ORIGINS):
                raise ValueError(f"facts: {name} comes from path., header. or query., not from {origin!r}")
            if origin.startswith("path.") and origin[5:] not in places:
                raise ValueError(f"facts: {name}: there is no {{{origin[5:]}}} in {self.path}")
        return self

    @property
    def partners(self) -> tuple[str, ...]:
        """Who may send; names of partners."""
        named = self.auth.senders if isinstance(self.auth, AuthOptions) and not self.auth.trusted else ()
        return (*named, *(() if isinstance(self.auth, AuthOptions) and self.auth.trusted else self.limit.partners))

    @property
    def key_files(self) -> tuple[str, ...]:
        """Files in config/."""
        return (self.auth.jwt.jwks,) if isinstance(self.auth, AuthOptions) and self.auth.jwt is not None else ()


def places_of(options: HttpSourceOptions) -> Iterator[str]:
    """What belongs to the source alone: names of places in the path don't matter."""
    yield f"{options.method} {re.sub(r'{.*?}', '{}', options.path)}"


def wrong_on(options: HttpSourceOptions, endpoint: HttpEndpointOptions) -> Iterator[Problem]:
    """What is wrong with the source on that endpoint."""
    auth = options.auth
    if not isinstance(auth, AuthOptions):
        if not endpoint.loopback:
            hint = "let the endpoint listen on 127.0.0.1, or name a way in `auth`"
            yield Problem(("auth",), f"`auth: none` on {endpoint.listen}, which others than this machine reach", hint)
        return
    if auth.mtls and (endpoint.tls is None or endpoint.tls.client_ca is None):
        yield Problem(("auth",), "`mtls` needs an endpoint with `tls: {client_ca: ...}`")
    if not endpoint.protected and (auth.api_key or auth.basic or auth.jwt):
        text = f"keys and passwords travel in the clear to {endpoint.listen}"
        yield Problem(("auth",), text, "give the endpoint `tls`, or say in `public` that HTTPS ends before it", True)
