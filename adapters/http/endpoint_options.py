"""The options of a port that listens for HTTP."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from hub.core.duration import Duration
from hub.core.plugin import Options
from hub.core.size import Size


class TlsOptions(Options):
    """Certificates."""

    certificate: str = Field(min_length=1, description="File of the server's certificate, with its chain.")
    key: str | None = Field(
        None, min_length=1, description="File of its private key; without it the certificate's file."
    )
    client_ca: str | None = Field(
        None, min_length=1, description="File of the authority whose client certificates are taken, for `mtls`."
    )


class HttpEndpointOptions(Options):
    """Where the hub listens."""

    listen: str = Field("127.0.0.1:8080", description="host:port. Loopback unless told otherwise; port 0: a free one.")
    tls: TlsOptions | None = Field(None, description="Serves HTTPS, with these files.")
    public: str | None = Field(
        None, description="How clients reach it, where that is not `listen`: https://edi.example.com."
    )
    largest: Size = Field("10MB", description="The largest body that is taken.")
    head_timeout: Duration = Field("10s", description="How long the head of a request may take to come.")
    body_timeout: Duration = Field("1m", description="How long its body may take to come.")
    connections: int = Field(500, ge=1, le=20_000, description="Connections at once; more are told to come later.")
    connections_per_address: int = Field(
        100, ge=1, le=20_000, description="Connections at once of one address; a proxy in front of the hub is one."
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

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def loopback(self) -> bool:
        """Only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def protected(self) -> bool:
        """Nobody on the way reads along, as far as the options tell."""
        return self.loopback or self.tls is not None or (self.public or "").startswith("https:")
