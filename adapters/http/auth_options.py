"""How a sender proves who it is. Every way maps the names of partners to what they prove it with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hub.core.network.web import within_longest_window
from hub.core.options.duration import Duration
from hub.core.options.form import Form
from hub.core.plugin import SECRET, Options

SHORTEST = 16
"""Characters of a key that nobody guesses."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Those with a public key: a shared secret would have to stand in the site."""


class BasicUser(Options):
    """A user of HTTP basic authentication."""

    user: Annotated[str, Form("[^:]+", "a user: a text without a colon")] | None = Field(
        None, description="The user; else the partner's name."
    )
    password: str = Field(
        min_length=8, description="The password, by reference: at least 8 characters.", json_schema_extra=SECRET
    )


class JwtOptions(Options):
    """Bearer tokens that somebody else signs."""

    jwks: str = Field(description="File in config/ with the signer's public keys (JWKS); read again when it changes.")
    issuer: str = Field(min_length=1, description="`iss` of the tokens.")
    audience: str = Field(min_length=1, description="`aud` of the tokens: us.")
    algorithms: tuple[Algorithm, ...] = Field(("RS256",), min_length=1, description="With which they may be signed.")
    claim: str = Field("sub", min_length=1, description="The claim that says who it is.")
    partners: dict[str, str] = Field(min_length=1, description="Partner to the value of that claim.")
    leeway: Duration = Field("30s", description="By how much the signer's clock and ours may differ.")


class HmacOptions(Options):
    """Signatures of webhooks: HMAC over the timestamp, a full stop, and the body. A signature is good for once, at all
    sources."""

    header: str = Field(
        "X-Signature", description="The header with the signature: hex, or base64, also after `sha256=`."
    )
    timestamp: str = Field("X-Timestamp", description="The header with the seconds since 1970 at which it was signed.")
    covers: Literal["body", "request"] = Field(
        "body",
        description=(
            "What is signed: `body`: `<timestamp>.<body>`. `request`: `<timestamp>.<METHOD>.<path with query, as"
            " sent>.<body>`, so that a signature fits one address alone."
        ),
    )
    window: Duration = Field("5m", description="How old, or how far ahead, a signature may be; at most 1h.")
    algorithm: Literal["sha256", "sha512"] = Field("sha256", description="The hash.")
    secret: dict[str, str] = Field(
        min_length=1, description="Partner to its secret, by reference.", json_schema_extra=SECRET
    )

    @field_validator("window")
    @classmethod
    def not_longer(cls, value: str) -> str:
        return within_longest_window(value)

    @field_validator("secret")
    @classmethod
    def long_enough(cls, value: dict[str, str]) -> dict[str, str]:
        return unguessable(value)


class AuthOptions(Options):
    """Any of these lets a request in."""

    api_key: dict[str, str] = Field(
        default_factory=dict, description="Partner to its key, by reference.", json_schema_extra=SECRET
    )
    api_key_header: str = Field("X-Api-Key", description="The header with the key.")
    basic: dict[str, BasicUser] = Field(default_factory=dict, description="Partner to its user and password.")
    jwt: JwtOptions | None = Field(None, description="Bearer tokens.")
    mtls: dict[str, str] = Field(
        default_factory=dict, description="Partner to a name (common or alternative) in its client certificate."
    )
    hmac: HmacOptions | None = Field(None, description="Signed requests.")
    trusted: bool = Field(
        False, description="The senders are systems of our own, no partners: their documents may be of any partner."
    )

    @field_validator("api_key")
    @classmethod
    def long_enough(cls, value: dict[str, str]) -> dict[str, str]:
        return unguessable(value)

    @model_validator(mode="after")
    def at_least_one(self) -> AuthOptions:
        if not any((self.api_key, self.basic, self.jwt, self.mtls, self.hmac)):
            raise ValueError("give at least one of api_key, basic, jwt, mtls, hmac; or write `auth: none`")
        return self

    @property
    def senders(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._senders()))

    def _senders(self) -> Iterator[str]:
        yield from (*self.api_key, *self.basic, *self.mtls)
        if self.jwt is not None:
            yield from self.jwt.partners
        if self.hmac is not None:
            yield from self.hmac.secret


def unguessable(secrets: dict[str, str]) -> dict[str, str]:
    for partner, secret in secrets.items():
        if len(secret) < SHORTEST:
            raise ValueError(f"the key of {partner} has fewer than {SHORTEST} characters")
    if len(set(secrets.values())) < len(secrets):
        raise ValueError("two of them have the same key")
    return secrets
