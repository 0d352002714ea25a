"""A system that speaks HTTP: one pool of connections, shared by all who use the endpoint. aiohttp stays in this
file."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Mapping

import aiohttp
from pydantic import Field, field_validator
from yarl import URL

from adapters.rest.auth import Auth
from adapters.rest.http_response import HttpResponse
from adapters.rest.request import one_line, question_of
from adapters.rest.tls import ClientTlsOptions
from adapters.rest.token import AccessTokens
from adapters.rest.url import same_origin, show_url, usable_url
from hub.core.clock import Clock, read_utc
from hub.core.errors import RejectedError, TransientError
from hub.core.message import EMPTY
from hub.core.network.network_error import error_line, reason_of
from hub.core.options.duration import Duration, seconds
from hub.core.options.limits import LimitOptions
from hub.core.options.secret_names import BLACKENED, SHORTEST_SECRET
from hub.core.plugin import Options
from hub.core.ports import FactValue, Receipt
from hub.core.replies.replies import classify

LARGE = 1 << 19
"""Bodies above this size (bytes) are sent piece by piece."""


class RestEndpointOptions(Options):
    """A system that speaks HTTP. Redirects are never followed."""

    base: str = Field(description="The URL that paths are relative to: http:// or https://.")
    auth: Auth | None = Field(None, description="How the endpoint knows us.")
    tls: ClientTlsOptions | None = Field(None, description="Whom we trust, and our client certificate.")
    connect_timeout: Duration = Field("5s", description="How long a connection may take.")
    read_timeout: Duration | None = Field(
        None, description="How long the far end may say nothing; without it as long as `timeout`."
    )
    timeout: Duration = Field(
        "30s", description="How long a whole request may take, from its turn at one of the `connections` on."
    )
    limit: LimitOptions | None = Field(
        None, description="What the endpoint can bear; counted in each process of the hub."
    )
    connections: int = Field(
        20, ge=1, le=1000, description="Connections at most. Further requests wait for their turn; that is no failure."
    )
    largest_reply: int = Field(
        1 << 20, ge=1024, le=64 << 20, description="Bytes of a reply that are read; the rest is left out."
    )

    @field_validator("base")
    @classmethod
    def http_only(cls, value: str) -> str:
        return usable_url(value, "base")


class RestEndpoint:
    """Opened with the first request, inside the event loop. Connections are kept alive (HTTP/1.1)."""

    def __init__(self, options: RestEndpointOptions, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self.options = options
        self._tls = tls
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(options.connections)
        oauth2 = options.auth.oauth2 if options.auth else None
        self._tokens = AccessTokens(oauth2, self._post, clock) if oauth2 else None

    async def ask(self, call: str, facts: Mapping[str, FactValue], headers: Mapping[str, str] = EMPTY) -> Receipt:
        """See `hub.core.ports.Asking`. A reply that is larger than `largest_reply` is none."""
        method, _, path = call.partition(" ")
        if method != "GET":
            raise RejectedError(f"{call!r} is no question; it begins with GET", code="no_path")
        sent = {name: one_line(value) for name, value in headers.items()}
        answer = await self.request(method, self.url(question_of(path, facts)), sent)
        if answer.cut:
            text = f"the reply is larger than {self.options.largest_reply} bytes (largest_reply of the endpoint)"
            raise RejectedError(text, answer.status, "too_large")
        return classify(answer.status, answer.headers, self.blackened(answer.body), (), read_utc(self._clock))

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpResponse:
        """One request of what `url` has made, with the endpoint's credentials; a token that isn't taken any more is
        asked for anew, once. Raises TransientError where there is no whole answer: the request may have had its effect.
        RejectedError where there can't be one."""
        return await self._authenticated(method, url, headers, body)

    async def follow(self, url: str, headers: Mapping[str, str]) -> HttpResponse:
        """Asks for what a reply of the far end names: a URL of the same scheme, host and port, else RejectedError.
        Nobody else ever gets the endpoint's credentials, or a request of ours."""
        if not same_origin(self.options.base, url):
            raise RejectedError(f"{show_url(url)} is not at {self.options.base}", code="elsewhere")
        return await self._authenticated("GET", url, headers, None)

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of the headers that every request gets."""
        auth = self.options.auth
        return () if auth is None else tuple(auth.headers()) or ("Authorization",)

    def url(self, path: str) -> str:
        """Of a path that is percent-encoded already."""
        try:
            base = str(URL(self.options.base))
        except ValueError as error:
            raise RejectedError(f"{self.options.base}: this is no URL that can be called", code="no_path") from error
        return base.rstrip("/") + path

    async def _authenticated(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpResponse:
        given = self.options.auth.headers() if self.options.auth else {}
        if self._tokens is None:
            return await self._call(method, url, {**headers, **given}, body)
        token = await self._tokens.current()
        answer = await self._call(method, url, {**headers, "Authorization": f"Bearer {token}"}, body)
        if answer.status != 401:
            return answer
        token = await self._tokens.current(refused=token)
        return await self._call(method, url, {**headers, "Authorization": f"Bearer {token}"}, body)

    def blackened(self, body: bytes) -> bytes:
        """A reply that is going to be kept or shown, without the credentials that a far end may repeat in it."""
        known = self.options.auth.secrets() if self.options.auth else ()
        for secret in (*known, *(self._tokens.shown if self._tokens else ())):
            if len(secret) >= SHORTEST_SECRET:
                body = body.replace(secret.encode(), BLACKENED.encode())
        return body

    def blackened_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of such a reply."""
        return {
            name: self.blackened(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
            for name, value in headers.items()
        }

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            options = self.options
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls is not None else True)
            timeout = aiohttp.ClientTimeout(
                total=seconds(options.timeout),
                sock_connect=seconds(options.connect_timeout),
                sock_read=seconds(options.read_timeout) if options.read_timeout else None,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        return await self._call("POST", url, headers, body)

    async def _call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> HttpResponse:
        """Waits for a free connection first: the clock of the request starts only then, so that waiting on our side
        never counts as a failure of the far end."""
        async with self._free:
            return await self._answered(method, url, headers, body)

    async def _answered(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> HttpResponse:
        place = url.partition("?")[0]
        data = io.BytesIO(body) if body is not None and len(body) > LARGE else body
        try:
            async with self._opened().request(
                method, as_it_is(url), data=data, headers=headers, allow_redirects=False
            ) as response:
                read, cut = await limited(response, self.options.largest_reply)
                names = {name.lower(): value for name, value in response.headers.items()}
                names |= {"link": ", ".join(response.headers.getall("Link"))} if "link" in names else {}
                return HttpResponse(response.status, names, read, cut)
        except aiohttp.ConnectionTimeoutError as error:
            waited = self.options.connect_timeout
            raise TransientError(f"{place}: no connection within {waited}", "timeout") from error
        except aiohttp.SocketTimeoutError as error:
            waited = self.options.read_timeout or self.options.timeout
            raise TransientError(f"{place}: nothing was said for {waited}", "timeout") from error
        except TimeoutError as error:
            raise TransientError(f"{place}: no reply within {self.options.timeout}", "timeout") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise RejectedError(f"{place}: this is no URL that can be called", code="no_path") from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise TransientError(f"{place}: {describe_error(error)}", "unreachable") from error
        except aiohttp.ClientPayloadError as error:
            raise TransientError(
                f"{place}: the reply ended in the middle: {describe_error(error)}", "unreachable"
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise TransientError(f"{place}: the reply can't be read: {describe_error(error)}", "failed") from error


def as_it_is(url: str) -> URL:
    """The URL, in which nothing is changed: yarl makes a step up of `%2E%2E`. What isn't encoded yet is."""
    plain = url.isascii() and url.isprintable() and " " not in url
    return URL(url, encoded=plain)


def describe_error(error: Exception) -> str:
    """What a library says of an error, on one line, without the URL that it may add."""
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
        return f"can't connect: {reason_of(error.os_error)}"
    return error_line(error, error.message if isinstance(error, aiohttp.ClientResponseError) else None)


async def limited(response: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """The beginning of the body, and whether there was more."""
    pieces, size = [], 0
    async for piece in response.content.iter_chunked(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            response.close()
            break
    return b"".join(pieces)[:largest], size > largest
