"""Access tokens by client credentials: kept until shortly before they expire, asked for by one request at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from adapters.rest.auth import OAuth2, encoded
from adapters.rest.http_response import HttpResponse
from hub.core.clock import Clock
from hub.core.errors import TransientError

EARLY = 30.0
"""Seconds before its end in which a token is not used any more; of a short one a tenth of its life."""

UNSAID = 300.0
"""Seconds that a token is used whose server doesn't say how long it lives."""

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`until` is by the monotonic clock."""

    value: str
    until: float


class AccessTokens:
    """The tokens of one endpoint."""

    def __init__(self, options: OAuth2, post: Post, clock: Clock) -> None:
        self._clock = clock
        self._options = options
        self._post = post
        self._token: AccessToken | None = None
        self._asking = asyncio.Lock()

    async def current(self, refused: str | None = None) -> str:
        """A token that should be good; another one than `refused`. Raises TransientError when none is given: that is no
        fault of the document that is to be sent."""
        async with self._asking:
            token = self._token
            if token is None or token.value == refused or self._clock.monotonic() >= token.until:
                token = self._token = await self._ask()
            return token.value

    @property
    def shown(self) -> tuple[str, ...]:
        """The token in use, so that it is never shown."""
        return (self._token.value,) if self._token else ()

    async def _ask(self) -> AccessToken:
        options = self._options
        form = {"grant_type": "client_credentials", "scope": options.scope, "audience": options.audience}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if options.send_secret == "header":  # noqa: S105
            pair = encoded(quote(options.client_id, safe=""), quote(options.client_secret, safe=""))  # RFC 6749 2.3.1
            headers["Authorization"] = f"Basic {pair}"
        else:
            form |= {"client_id": options.client_id, "client_secret": options.client_secret}
        body = urlencode({name: value for name, value in form.items() if value is not None}).encode()
        answer = await self._post(options.token_url, headers, body)
        return token_of(answer, options.token_url, self._clock.monotonic())


def token_of(answer: HttpResponse, url: str, now: float) -> AccessToken:
    found = json_object(answer.body)
    value, lives = found.get("access_token"), found.get("expires_in", UNSAID)
    if (
        answer.status != 200
        or not isinstance(value, str)
        or not value
        or not value.isascii()
        or not value.isprintable()
    ):
        why = found.get("error")
        said = f", {why[:60]!r}" if isinstance(why, str) else ""
        raise TransientError(f"{url}: no token was given (HTTP {answer.status}{said})", "failed")
    lives = float(lives) if isinstance(lives, int | float) or (isinstance(lives, str) and lives.isdigit()) else UNSAID
    return AccessToken(value, now + max(lives - min(EARLY, lives / 10), 1.0))


def json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
