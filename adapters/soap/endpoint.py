"""A system that speaks SOAP: its contract, and one pool of connections. Messages are made and read in threads; the
event loop only sends and receives."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import aiohttp
from lxml import etree
from pydantic import Field, field_validator, model_validator

from adapters.soap.address import SoapAddress
from adapters.soap.calls.security import CallSecurityOptions, secure
from hub.core.clock import Clock, read_utc
from hub.core.errors import ConfigError, TransientError
from hub.core.network.network_error import error_line
from hub.core.options.duration import Duration, seconds
from hub.core.options.limits import LimitOptions
from hub.core.options.secret_names import (
    BLACKENED,
    SHORTEST_SECRET,
    parameter_names,
    with_parameters,
    without_secret_parameters,
)
from hub.core.plugin import FILE, Options

if TYPE_CHECKING:
    from adapters.soap.calls.contract import CalledContract, CalledOperation


class SoapTlsOptions(Options):
    """Files are relative to the site. The server's certificate and name are always checked."""

    ca: str | None = Field(
        None,
        min_length=1,
        description="File of the authority that signed the server's certificate.",
        json_schema_extra=FILE,
    )
    certificate: str | None = Field(
        None, min_length=1, description="File of our client certificate.", json_schema_extra=FILE
    )
    key: str | None = Field(None, min_length=1, description="File of its private key.", json_schema_extra=FILE)

    @model_validator(mode="after")
    def key_of_a_certificate(self) -> SoapTlsOptions:
        if self.key and not self.certificate:
            raise ValueError("`key` belongs to a `certificate`")
        return self

    def context(self, site: Path, endpoint: str) -> ssl.SSLContext:
        """Raises ConfigError."""
        try:
            made = ssl.create_default_context(cafile=str(site / self.ca) if self.ca else None)
            if self.certificate:
                made.load_cert_chain(str(site / self.certificate), str(site / self.key) if self.key else None)
        except (OSError, ValueError) as error:
            raise ConfigError(f"endpoint {endpoint}: the files of `tls` can't be used: {error}") from error
        return made


class SoapEndpointOptions(Options):
    """A system that speaks SOAP, as a WSDL of the site describes it. The WSDL is never fetched, and redirects are never
    followed."""

    wsdl: str = Field(description="A file of routes/schemas; what it imports stands beside it.")
    address: str | None = Field(None, description="The URL to call; without it the one that the WSDL names.")
    version: Literal["1.1", "1.2"] | None = Field(None, description="SOAP 1.1 or 1.2; without it the first port's.")
    service: str | None = Field(None, description="The service of the WSDL, where it has several.")
    port: str | None = Field(None, description="The port of the service, where it has several.")
    security: CallSecurityOptions | None = Field(None, description="WS-Security: user name token, timestamp.")
    tls: SoapTlsOptions | None = Field(None, description="Whom we trust, and our client certificate.")
    connect_timeout: Duration = Field("5s", description="How long a connection may take.")
    timeout: Duration = Field("1m", description="How long a whole call may take.")
    limit: LimitOptions | None = Field(
        None, description="What the endpoint can bear; counted in each process of the hub."
    )
    connections: int = Field(
        10, ge=1, le=1000, description="Connections at most. Further calls wait for their turn; that is no failure."
    )
    largest_reply: int = Field(4 << 20, ge=1024, le=64 << 20, description="Bytes of a reply; a larger one is not read.")

    @field_validator("address")
    @classmethod
    def a_url(cls, value: str | None) -> str | None:
        if value is not None and not usable(value):
            raise ValueError("address must be an http:// or https:// URL with a host and without a user or password")
        return value


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SoapEndpoint:
    """Shared by all destinations that use it."""

    def __init__(
        self,
        name: str,
        options: SoapEndpointOptions,
        contract: CalledContract,
        tls: ssl.SSLContext | None,
        clock: Clock,
    ) -> None:
        """Raises ConfigError where nobody says what to call."""
        self.options = options
        self.contract = contract
        address = options.address or contract.address or ""
        self.url, self._secret_query = without_secret_parameters(address)
        if not usable(address):
            raise ConfigError(f"endpoint {name}: the WSDL names no address that can be called; say `address`")
        self._tls = tls
        self.clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(options.connections)

    async def call(self, address: SoapAddress, operation: CalledOperation, body: bytes, content_type: str) -> Posted:
        """Raises RejectedError where the body doesn't fit the contract, TransientError where there is no whole
        answer."""
        message = await asyncio.to_thread(self._message, operation, body, content_type)
        async with self._free:  # the clock of a call starts with a connection in hand
            return await self._post(message, address)

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of what lets us in: the header of WS-Security, parameters of the URL."""
        security = ("wsse:Security",) if self.options.security is not None else ()
        return (*security, *parameter_names(self._secret_query))

    def blackened(self, text: str) -> str:
        """Without the password that a far end may repeat."""
        secret = self._password
        return text.replace(secret, BLACKENED) if secret else text

    def blackened_bytes(self, body: bytes) -> bytes:
        """A reply that is going to be kept."""
        secret = self._password
        return body.replace(secret.encode(), BLACKENED.encode()) if secret else body

    @property
    def _password(self) -> str:
        """Empty for one so short that the reply would be unreadable without it."""
        secret = self.options.security.password if self.options.security else None
        return secret if secret and len(secret) >= SHORTEST_SECRET else ""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _message(self, operation: CalledOperation, body: bytes, content_type: str) -> bytes:
        envelope = self.contract.envelope(operation, body, content_type)
        if self.options.security is not None:
            secure(envelope, self.options.security, read_utc(self.clock))
        return bytes(etree.tostring(envelope, encoding="utf-8", xml_declaration=True))

    def headers(self, operation: CalledOperation) -> dict[str, str]:
        """Those that SOAP asks for."""
        if self.contract.version == "1.1":
            return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"'}
        action = f'; action="{operation.action}"' if operation.action else ""
        return {"Content-Type": f"application/soap+xml; charset=utf-8{action}"}

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            options = self.options
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls else True),
                timeout=aiohttp.ClientTimeout(
                    total=seconds(options.timeout), sock_connect=seconds(options.connect_timeout)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _post(self, message: bytes, address: SoapAddress) -> Posted:
        try:
            async with self._opened().post(
                with_parameters(address.url, self._secret_query),
                data=message,
                headers=address.headers,
                allow_redirects=False,
            ) as response:
                body = await read_whole(response, self.options.largest_reply)
                return Posted(response.status, {n.lower(): v for n, v in response.headers.items()}, body)
        except aiohttp.ConnectionTimeoutError as error:
            raise TransientError(f"no connection within {self.options.connect_timeout}", "timeout") from error
        except TimeoutError as error:
            raise TransientError(f"no reply within {self.options.timeout}", "timeout") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise TransientError(describe_error(error), "unreachable") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise TransientError(f"the reply can't be read: {describe_error(error)}", "failed") from error


def usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        return False


def describe_error(error: Exception) -> str:
    """What a library says of an error, on one line."""
    return error_line(error, error.message if isinstance(error, aiohttp.ClientResponseError) else None)


async def read_whole(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Raises TransientError(failed) for a larger body: of half a message nobody can say what it means."""
    pieces, size = [], 0
    async for piece in response.content.iter_chunked(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            response.close()
            raise TransientError(f"the reply is larger than {largest} bytes", "failed")
    return b"".join(pieces)
