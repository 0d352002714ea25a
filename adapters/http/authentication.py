"""Who sends a request, as far as its head tells."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adapters.http.auth_options import AuthOptions, BasicUser
from adapters.http.signature import Signatures, Signed
from adapters.http.token import BearerTokens
from hub.core.clock import Clock
from hub.core.network.web import WebRequest


@dataclass(frozen=True, slots=True)
class AuthenticatedSender:
    """Who has proved to be it; `name` is empty where nobody needs to. `partner` is the partner that it speaks for."""

    name: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class SenderRefused:
    """401: it didn't prove who it is; 403: it did, and is nobody that may send here. `why` is for the log alone.
    `guess`: a password or key was wrong, as when somebody tries one after the other."""

    status: int
    why: str
    guess: bool = False


Way = Callable[[WebRequest], str | SenderRefused | None]
"""The name of the sender; None where the request has no credentials of this kind."""


class Authentication:
    """Any of several ways. Comparisons take as long for a wrong key as for a right one.

    A wrong password or key is refused whatever else the request has: otherwise a signature, a certificate or a second
    key beside it would make the guess free.
    """

    def __init__(self, options: AuthOptions | None, site: Path, clock: Clock) -> None:
        self._trusted = options is not None and options.trusted
        self._open = options is None
        self._has_passwords = options is not None and bool(options.basic)
        self._ways = tuple(ways(options, site)) if options is not None else ()
        self._signatures = Signatures(options.hmac, clock) if options is not None and options.hmac is not None else None
        self.challenge = ", ".join(challenges(options)) if options is not None else ""

    def sender(self, request: WebRequest) -> AuthenticatedSender | Signed | SenderRefused:
        """Signed: the body decides."""
        if self._open:
            return AuthenticatedSender()
        found = [one for one in (way(request) for way in self._ways) if one is not None]
        refused = [one for one in found if isinstance(one, SenderRefused)]
        guesses = [one for one in refused if one.guess]
        if guesses:
            return guesses[0]
        proved = [one for one in found if isinstance(one, str)]
        if proved:
            return self.named(proved[0])
        signed = self._signatures.signed(request) if self._signatures is not None else None
        if isinstance(signed, Signed):
            return signed
        if signed:
            return SenderRefused(401, signed)
        return max(refused, key=lambda one: one.status, default=SenderRefused(401, "no credentials"))

    def account(self, request: WebRequest) -> str:
        """The user that a password comes with; empty: none does."""
        given = basic_of(request) if self._has_passwords else None
        return given.partition(":")[0] if given else ""

    def named(self, name: str) -> AuthenticatedSender:
        return AuthenticatedSender(name, "" if self._trusted else name)


def ways(options: AuthOptions, site: Path) -> Iterator[Way]:
    if options.api_key:
        yield by_key(options.api_key, options.api_key_header.lower())
    if options.basic:
        yield by_password(options.basic)
    if options.jwt is not None:
        yield by_token(BearerTokens(options.jwt, site))
    if options.mtls:
        yield by_certificate(options.mtls)


def challenges(options: AuthOptions) -> Iterator[str]:
    if options.basic:
        yield 'Basic realm="hub", charset="UTF-8"'
    if options.jwt is not None:
        yield 'Bearer realm="hub"'


def by_key(keys: Mapping[str, str], header: str) -> Way:
    def way(request: WebRequest) -> str | SenderRefused | None:
        given = request.headers.get(header)
        if given is None:
            return None
        found = [partner for partner, key in keys.items() if same(given, key)]
        return found[0] if found else SenderRefused(401, "wrong API key", guess=True)

    return way


def by_password(users: Mapping[str, BasicUser]) -> Way:
    def way(request: WebRequest) -> str | SenderRefused | None:
        given = basic_of(request)
        if given is None:
            return None
        if not given:
            return SenderRefused(401, "basic credentials that are no base64")
        found = [name for name, one in users.items() if same(given, f"{one.user or name}:{one.password}")]
        return found[0] if found else SenderRefused(401, "wrong user or password", guess=True)

    return way


def basic_of(request: WebRequest) -> str | None:
    """`user:password` of HTTP basic authentication (RFC 7617). Empty: it is no base64. None: there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return ""


def by_token(tokens: BearerTokens) -> Way:
    def way(request: WebRequest) -> str | SenderRefused | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = tokens.sender(token.strip())
        return found.name if found.name else SenderRefused(found.status, found.why)

    return way


def by_certificate(names: Mapping[str, str]) -> Way:
    def way(request: WebRequest) -> str | SenderRefused | None:
        if not request.certificate:
            return None
        found = [partner for partner, name in names.items() if name in request.certificate]
        return (
            found[0]
            if found
            else SenderRefused(403, f"no partner has a certificate with {', '.join(request.certificate)}")
        )

    return way


def same(given: str, wanted: str) -> bool:
    """Of digests, so that not even the length is told by the time it takes."""
    digests = [sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, wanted)]
    return hmac.compare_digest(*digests)
