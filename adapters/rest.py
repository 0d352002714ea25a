"""HTTP out: documents to REST endpoints, replies mapped to outcomes. aiohttp stays in this file."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

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
        return self


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
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base must be an http:// or https:// URL with a host")
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
        return value

    @field_validator("headers")
    @classmethod
    def one_line(cls, value: dict[str, str]) -> dict[str, str]:
        if any(ord(c) < 32 for pair in value.items() for text in pair for c in text):
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
        base = self._endpoint.options.base
        url = urljoin(base if base.endswith("/") else base + "/", path.lstrip("/"))
        headers = {
            **self._options.headers,
            "Content-Type": outgoing.content_type,
            self._options.key_header: outgoing.key,
        }
        if outgoing.correlation_id:
            headers["X-Correlation-ID"] = safe(outgoing.correlation_id)
        status, reply_headers, body = await self._call(url, headers, outgoing.body)
        return classify(status, reply_headers, body, self._replies, datetime.now(UTC))

    async def _call(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The reply. Raises TransientError where there is none, or only half of one: the request may have had its effect,
        so that it is sent again with the same key."""
        try:
            async with self._endpoint.session().request(
                self._method,
                url,
                data=io.BytesIO(body) if len(body) > LARGE else body,
                headers=headers,
                allow_redirects=False,
            ) as reply:
                return reply.status, dict(reply.headers), await limited(reply)
        except aiohttp.ServerTimeoutError as error:
            raise TransientError(f"{url}: {error}", "timeout") from error
        except TimeoutError as error:
            raise TransientError(f"{url}: no reply within {self._endpoint.options.timeout}", "timeout") from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise TransientError(f"{url}: {error or type(error).__name__}", "unreachable") from error
        except aiohttp.ClientError as error:
            raise TransientError(f"{url}: the reply can't be read: {error}", "failed") from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise TransientError(f"{url}: the reply can't be read: {error}", "failed") from error

    async def close(self) -> None:
        return None


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
