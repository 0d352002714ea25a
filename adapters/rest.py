"""HTTP out: documents to REST endpoints, replies mapped to outcomes. aiohttp stays in this file."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, field_validator, model_validator

from hub.core.duration import Duration, seconds
from hub.core.errors import MappingError, RejectedError, TransientError
from hub.core.limits import LimitOptions
from hub.core.naming import names_in, render, safe
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Outgoing, Receipt
from hub.core.replies import ReplyRule, classify

LARGEST_REPLY = 1 << 20
LARGE = 1 << 19
"""Bodies above this size (bytes) are sent piece by piece."""

TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""The name of a header (RFC 9110 5.1)."""

SHORTEST_SECRET = 6
"""Characters from which on a secret that a far end repeats is blackened; a shorter one would blacken half the reply."""

SHOWN = 300
"""Characters of a library's error that are worth to be told."""


class BasicAuth(Options):
    """Basic authentication."""

    user: str = Field(description="User name.")
    password: str = Field(description="Password, by reference: ${NAME}.")


class Auth(Options):
    """How the endpoint knows us. One of them."""

    bearer: str | None = Field(None, description="A bearer token, by reference: ${NAME}.")
    basic: BasicAuth | None = Field(None, description="User and password.")

    @model_validator(mode="after")
    def one_of(self) -> Auth:
        if (self.bearer is None) == (self.basic is None):
            raise ValueError("auth is either `bearer` or `basic`")
        if any(ord(c) < 32 for secret in self.secrets() for c in secret):
            raise ValueError("the credentials hold a control character (a line end at the end of the secret?)")
        return self

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, in every form in which it is sent."""
        if self.basic is None:
            return (self.bearer or "",)
        pair = f"{self.basic.user}:{self.basic.password}".encode()
        return (self.basic.password, base64.b64encode(pair).decode())


class RestEndpointOptions(Options):
    """A system that speaks HTTP."""

    base: str = Field(description="The URL that paths are relative to: http:// or https://.")
    auth: Auth | None = Field(None, description="How the endpoint knows us.")
    connect_timeout: Duration = Field("5s", description="How long a connection may take.")
    timeout: Duration = Field("30s", description="How long a whole request may take.")
    limit: LimitOptions | None = Field(None, description="What the endpoint can bear.")
    connections: int = Field(20, ge=1, le=1000, description="How many connections are kept at most.")

    @field_validator("base")
    @classmethod
    def http_only(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if "@" in value.partition("?")[0]:
            raise ValueError("base must not hold a user or password: credentials belong into auth:")
        if not usable or not value.isprintable() or " " in value:
            raise ValueError("base must be an http:// or https:// URL with a host, and a port from 1 to 65535 if any")
        if "?" in value or "#" in value:
            raise ValueError("base must not hold a query or fragment: a query belongs into the destination's `call`")
        return value


class RestEndpoint:
    """One pool of keep-alive connections, shared by all destinations that use the endpoint. Opened with the first
    request, inside the event loop."""

    def __init__(self, options: RestEndpointOptions) -> None:
        self.options = options
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            options = self.options
            timeout = aiohttp.ClientTimeout(
                total=seconds(options.timeout), sock_connect=seconds(options.connect_timeout)
            )
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=options.connections),
                timeout=timeout,
                headers=self._headers(),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _headers(self) -> dict[str, str]:
        auth = self.options.auth
        if auth is None:
            return {}
        if auth.bearer is not None:
            return {"Authorization": f"Bearer {auth.bearer}"}
        if auth.basic is not None:
            return {"Authorization": aiohttp.encode_basic_auth(auth.basic.user, auth.basic.password)}
        return {}

    def blackened(self, body: bytes) -> bytes:
        """A reply that is going to be shown, without the credentials that a far end may repeat in it."""
        for secret in self.options.auth.secrets() if self.options.auth else ():
            if len(secret) >= SHORTEST_SECRET:
                body = body.replace(secret.encode(), b"***")
        return body

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class RestDestinationOptions(Options):
    """A call of a REST endpoint."""

    endpoint: str = Field(description="The name of a `rest` endpoint.")
    call: str = Field(description="Method and path: `POST /orders`; `{fact}` is substituted in the path.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send besides.")
    key_header: str = Field("Idempotency-Key", description="The header that carries the idempotency key.")

    @field_validator("call")
    @classmethod
    def method_and_path(cls, value: str) -> str:
        method, _, path = value.partition(" ")
        if method not in ("POST", "PUT", "PATCH") or not path.startswith("/"):
            raise ValueError("call must be a method (POST, PUT or PATCH) and a path that begins with /: POST /orders")
        if not path.isprintable() or " " in path:
            raise ValueError("the path of call holds a space or a control character")
        return value

    @field_validator("key_header")
    @classmethod
    def header_name(cls, value: str) -> str:
        if not TOKEN.fullmatch(value):
            raise ValueError("key_header must be the name of a header: letters, digits and hyphens")
        return value

    @field_validator("headers")
    @classmethod
    def one_line(cls, value: dict[str, str]) -> dict[str, str]:
        if not all(TOKEN.fullmatch(name) for name in value):
            raise ValueError("the name of a header must be of letters, digits and hyphens")
        if any(ord(c) < 32 for text in value.values() for c in text):
            raise ValueError("a header holds a control character")
        return value


class RestDestination:
    """Sends a document with its idempotency key, and reads the reply by the destination's `replies`."""

    def __init__(self, options: RestDestinationOptions, endpoint: RestEndpoint, replies: tuple[ReplyRule, ...]) -> None:
        self._options = options
        self._endpoint = endpoint
        self._replies = replies
        self._method, _, self._path = options.call.partition(" ")
        self._has_facts = bool(names_in(self._path))

    async def send(self, outgoing: Outgoing) -> Receipt:
        try:
            path = render(self._path, outgoing.facts) if self._has_facts else self._path
        except MappingError as error:
            raise RejectedError(str(error), code="no_path") from error
        url = self._endpoint.options.base.rstrip("/") + path
        headers = {
            **self._options.headers,
            "Content-Type": outgoing.content_type,
            self._options.key_header: outgoing.key,
        }
        if outgoing.correlation_id:
            headers["X-Correlation-ID"] = safe(outgoing.correlation_id)
        status, reply_headers, body = await self._call(url, headers, outgoing.body)
        if not 200 <= status < 300:
            body = self._endpoint.blackened(body)
        return classify(status, reply_headers, body, self._replies, datetime.now(UTC))

    async def _call(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The reply. Raises TransientError where there is none, or only half of one: the request may have had its effect,
        so that it is sent again with the same key."""
        place = url.partition("?")[0]
        try:
            async with self._endpoint.session().request(
                self._method,
                url,
                data=io.BytesIO(body) if len(body) > LARGE else body,
                headers=headers,
                allow_redirects=False,
            ) as reply:
                return reply.status, dict(reply.headers), await limited(reply)
        except aiohttp.ConnectionTimeoutError as error:
            waited = self._endpoint.options.connect_timeout
            raise TransientError(f"{place}: no connection within {waited}", "timeout") from error
        except TimeoutError as error:
            raise TransientError(f"{place}: no reply within {self._endpoint.options.timeout}", "timeout") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise RejectedError(f"{place}: this is no URL that can be called", code="no_path") from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise TransientError(f"{place}: {told(error)}", "unreachable") from error
        except aiohttp.ClientPayloadError as error:
            raise TransientError(f"{place}: the reply ended in the middle: {told(error)}", "unreachable") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise TransientError(f"{place}: the reply can't be read: {told(error)}", "failed") from error

    async def close(self) -> None:
        return None


def told(error: Exception) -> str:
    """What a library says of an error, on one line, without the URL that it may add."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    line = " ".join(text.split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in line)[:SHOWN]


async def limited(reply: aiohttp.ClientResponse) -> bytes:
    """The reply's body; what goes beyond a megabyte is not read."""
    pieces, size = [], 0
    async for piece in reply.content.iter_chunked(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_REPLY:
            reply.close()
            break
    return b"".join(pieces)[:LARGEST_REPLY]


def build_endpoint(name: str, options: Any, context: Context) -> RestEndpoint:
    return RestEndpoint(options)


def build_destination(name: str, options: Any, context: Context) -> RestDestination:
    return RestDestination(options, context.endpoint(options.endpoint), context.replies)


PLUGINS = (
    Plugin(
        name="rest",
        kind="endpoint",
        options=RestEndpointOptions,
        summary="A system that speaks HTTP.",
        example='base: "${ERP_URL}"\nauth: {bearer: "${ERP_TOKEN}"}\nlimit: {per_second: 20, concurrent: 4, break_after: 10, break_for: 1m}\n',
        build=build_endpoint,
    ),
    Plugin(
        name="rest",
        kind="destination",
        options=RestDestinationOptions,
        summary="Calls a REST endpoint with each document and reads its reply.",
        example="endpoint: erp\ncall: POST /orders\n",
        build=build_destination,
        endpoint=("endpoint", "rest"),
        fact_templates=("call",),
    ),
)
