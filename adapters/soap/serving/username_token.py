"""WS-Security: who sends a request, by the UsernameToken profile 1.0 (password as text, or digest with nonce and
time)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1, sha256
from typing import Any

from adapters.soap.serving.fault import SoapFault
from adapters.soap.serving.names import PASSWORD_DIGEST, PASSWORD_TEXT, WSSE, WSU
from adapters.soap.serving.security_options import ServingSecurityOptions
from hub.core.network.web import LONGEST_WINDOW
from hub.core.options.duration import seconds

SECURITY = f"{{{WSSE}}}Security"


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """A token that is right. `once`: the key under which it may come no second time, for `keep` seconds; empty: it has
    neither nonce nor time."""

    name: str
    partner: str
    once: str = ""
    keep: float = 0.0


class WrongSecret(ValueError):
    """There is no such user, or its password was wrong."""


class UsernameTokens:
    """Says to the sender that it failed, and to the log why."""

    def __init__(self, options: ServingSecurityOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._window = seconds(options.window)

    def check(self, headers: tuple[Any, ...]) -> UsernameToken:
        """Raises SoapFault; its cause says why."""
        try:
            return self._checked(headers)
        except ValueError as error:
            text = "the security token could not be authenticated or authorized"
            raise SoapFault("sender", text, security="FailedAuthentication") from error

    def _checked(self, headers: tuple[Any, ...]) -> UsernameToken:
        security, token = self._token_in(headers)
        for timestamp in security.findall(f"{{{WSU}}}Timestamp"):
            self._check_timestamp(timestamp)
        user = text_in(token, f"{{{WSSE}}}Username")
        nonce, created = text_in(token, f"{{{WSSE}}}Nonce"), text_in(token, f"{{{WSU}}}Created")
        password = only(token.findall(f"{{{WSSE}}}Password"), "Password")
        raw = decoded(nonce) if nonce else b""
        if created and abs(self._clock() - moment(created)) > self._window:
            raise ValueError(f"created {created[:40]}, outside the window")
        wanted = self._expected_password(user, password.get("Type", PASSWORD_TEXT), raw, created)
        if not hmac.compare_digest((password.text or "").strip().encode(), wanted):
            raise WrongSecret(f"wrong password of {user[:80]!r}")
        return self._token(user, raw, created)

    def user(self, headers: tuple[Any, ...]) -> str:
        """Whose the token claims to be; empty where there is no token."""
        try:
            return text_in(self._token_in(headers)[1], f"{{{WSSE}}}Username")
        except ValueError:
            return ""

    @staticmethod
    def _token_in(headers: tuple[Any, ...]) -> tuple[Any, Any]:
        """The Security header and its UsernameToken. Raises ValueError."""
        security = only([header for header in headers if header.tag == SECURITY], "Security header")
        return security, only(security.findall(f"{{{WSSE}}}UsernameToken"), "UsernameToken")

    def _expected_password(self, user: str, kind: str, nonce: bytes, created: str) -> bytes:
        """What has to stand in the Password."""
        known = next((one for name, one in self._options.users.items() if (one.user or name) == user), None)
        if known is None:
            raise WrongSecret(f"no user {user[:80]!r}")
        if kind == PASSWORD_TEXT and not self._options.digest:
            return known.password.encode()
        if kind != PASSWORD_DIGEST:
            raise ValueError(f"a password as {kind.rpartition('#')[2][:40]!r} is not taken")
        if not nonce or not created:
            raise ValueError("a digest without nonce and time")
        return base64.b64encode(sha1(nonce + created.encode() + known.password.encode()).digest())  # noqa: S324

    def _token(self, user: str, nonce: bytes, created: str) -> UsernameToken:
        name = next(name for name, one in self._options.users.items() if (one.user or name) == user)
        partner = "" if self._options.trusted else name
        if not nonce:
            return UsernameToken(name, partner)
        once = sha256(b"|".join((user.encode(), nonce))).hexdigest()
        keep = 2 * LONGEST_WINDOW if created else 86400.0
        return UsernameToken(name, partner, f"nonce:{once}", keep)

    def _check_timestamp(self, timestamp: Any) -> None:
        created, expires = text_in(timestamp, f"{{{WSU}}}Created"), text_in(timestamp, f"{{{WSU}}}Expires")
        if created and moment(created) > self._clock() + self._window:
            raise ValueError("a timestamp of the future")
        if expires and moment(expires) < self._clock():
            raise ValueError("a timestamp that has expired")


def only(found: list[Any], what: str) -> Any:
    if len(found) != 1:
        raise ValueError(f"{len(found)} elements {what}, one is expected")
    return found[0]


def text_in(element: Any, name: str) -> str:
    """Empty where there is none."""
    found = element.findall(name)
    if len(found) > 1:
        raise ValueError(f"{name} stands twice")
    return (found[0].text or "").strip() if found else ""


def moment(text: str) -> float:
    made = datetime.fromisoformat(text)
    if made.tzinfo is None:
        raise ValueError("a time without a zone")
    return made.timestamp()


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a nonce that is no base64") from None
