"""Another RabbitMQ than the hub's own: a cluster of a partner, of another department, of the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator

from hub.core.broker import Broker, BrokerLifecycle
from hub.core.errors import HubError, TransientError
from hub.core.options.limits import LimitOptions
from hub.core.plugin import FILE, Options
from hub.core.topology import Topology


class AmqpEndpointOptions(Options):
    """A RabbitMQ cluster that isn't the hub's own."""

    url: str = Field(description="amqp:// or amqps:// with user, ${PASSWORD}, host, port and virtual host.")
    ca: str | None = Field(
        None,
        min_length=1,
        description="File of the authority that signed the server's certificate.",
        json_schema_extra=FILE,
    )
    certificate: str | None = Field(
        None, min_length=1, description="File of our client certificate.", json_schema_extra=FILE
    )
    key: str | None = Field(
        None,
        min_length=1,
        description="File of its private key; without it the certificate's file.",
        json_schema_extra=FILE,
    )
    limit: LimitOptions | None = Field(None, description="What the cluster can bear.")

    @field_validator("url")
    @classmethod
    def amqp_only(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("url must be amqp://user:password@host:port/vhost, or amqps://")
        return value

    @model_validator(mode="after")
    def tls_only(self) -> AmqpEndpointOptions:
        if (self.ca or self.certificate) and not self.url.startswith("amqps:"):
            raise ValueError("`ca` and `certificate` belong to an amqps:// URL")
        if self.key and not self.certificate:
            raise ValueError("`key` belongs to a `certificate`")
        return self

    def full_url(self, site: Path) -> str:
        """With the files, relative to the site, as the URL's options."""
        files = {"cafile": self.ca, "certfile": self.certificate, "keyfile": self.key}
        options = "&".join(f"{name}={quote(str(site / file))}" for name, file in files.items() if file)
        return f"{self.url}{'&' if '?' in self.url else '?'}{options}" if options else self.url


class AmqpEndpoint:
    """Connected when it is first needed; then it keeps itself connected."""

    def __init__(self, name: str, options: AmqpEndpointOptions, url: str, connect: Callable[[str, str], Any]) -> None:
        self.options = options
        self._name = name
        self._url = url
        self._connect = connect
        self._broker: BrokerLifecycle | None = None
        self._opening = asyncio.Lock()

    async def broker(self) -> Broker:
        """Raises TransientError(unreachable) while it can't be reached, or refuses us."""
        async with self._opening:
            if self._broker is None:
                try:
                    made: BrokerLifecycle = self._connect(self._url, f"hub endpoint {self._name}")
                    await made.open()
                except HubError as error:
                    raise TransientError(f"endpoint {self._name}: {error}", "unreachable") from error
                self._broker = made
            return self._broker

    async def close(self) -> None:
        if self._broker is not None:
            await self._broker.close()


class BrokerOf:
    """The broker that an adapter works with: the hub's own, where all is declared at the start, or that of an endpoint,
    where the adapter declares what it needs when it first needs it."""

    def __init__(self, own: Broker, endpoint: AmqpEndpoint | None) -> None:
        self.is_own = endpoint is None
        self._own = own
        self._endpoint = endpoint
        self._declared = False

    async def ready(self, needed: Callable[[], Topology]) -> Broker:
        """With the topology declared there. Raises TransientError, and ConfigError for what can't be declared."""
        if self._endpoint is None:
            return self._own
        broker = await self._endpoint.broker()
        if not self._declared:
            await broker.declare(needed())
            self._declared = True
        return broker
