"""The options of a port that listens for HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from adapters.http.client_address import ProxyHeader, networks_of
from hub.core.network.client_network import is_loopback
from hub.core.options.duration import Duration
from hub.core.options.size import Size
from hub.core.plugin import FILE, Options, Problem


class ListenerTlsOptions(Options):
    """Certificates."""

    certificate: str = Field(
        min_length=1, description="File of the server's certificate, with its chain.", json_schema_extra=FILE
    )
    key: str | None = Field(
        None,
        min_length=1,
        description="File of its private key; without it the certificate's file.",
        json_schema_extra=FILE,
    )
    client_ca: str | None = Field(
        None,
        min_length=1,
        description="File of the authority whose client certificates are taken, for `mtls`.",
        json_schema_extra=FILE,
    )


class HttpEndpointOptions(Options):
    """Where the hub listens."""

    listen: str = Field("127.0.0.1:8080", description="host:port. Loopback unless told otherwise; port 0: a free one.")
    tls: ListenerTlsOptions | None = Field(None, description="Serves HTTPS, with these files.")
    public: str | None = Field(
        None, description="How clients reach it, where that is not `listen`: https://edi.example.com."
    )
    largest: Size = Field("10MB", description="The largest body that is taken.")
    head_timeout: Duration = Field("10s", description="How long the head of a request may take to come.")
    body_timeout: Duration = Field("1m", description="How long its body may take to come.")
    connections: int = Field(
        500,
        ge=1,
        le=20_000,
        description="Connections at once, counted from the accept on; more are told to come later.",
    )
    connections_per_address: int = Field(
        100,
        ge=1,
        le=20_000,
        description="Connections at once of one address (IPv6: of a /64); trusted proxies are not bounded by it.",
    )
    trusted_proxies: tuple[str, ...] | None = Field(
        None,
        description=(
            "Addresses or networks of the proxies before this port: [10.0.0.5, 10.1.0.0/16]. `[]`: clients connect"
            " directly. An address is shut out after wrong passwords; without this option only one that comes without"
            " any sign of a proxy."
        ),
    )
    proxy_header: ProxyHeader = Field(
        "x-forwarded-for", description="The header in which trusted proxies append the address of who spoke to them."
    )
    docs: bool = Field(True, description="Shows what is mounted, at /docs and /openapi.json.")

    @field_validator("listen")
    @classmethod
    def host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port[:6]) > 65535:
            raise ValueError("should be host:port, as in 127.0.0.1:8080")
        return value

    @field_validator("public")
    @classmethod
    def base_of_urls(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://a")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("should be http://host or https://host, with a port and a path where there are any")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def networks(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        networks_of(value or ())
        return value

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def loopback(self) -> bool:
        """Only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def protected(self) -> bool:
        """Nobody on the way reads along, as far as the options tell."""
        return self.loopback or self.tls is not None or (self.public or "").startswith("https:")


def wrong_with_proxies(options: HttpEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    """Nobody is shut out by address where the address may be a proxy's."""
    if options.public is not None and options.trusted_proxies is None:
        text = "`public` says that something may stand before this port, so wrong passwords shut out no address"
        hint = (
            "list the addresses of the proxies in `trusted_proxies`, or write `trusted_proxies: []` when there is none"
        )
        yield Problem(("public",), text, hint, warning=True)
