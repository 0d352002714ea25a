"""Where a RabbitMQ is: an AMQP URL, taken apart. Its password never leaves this object by `str` or `repr`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from hub.core.errors import ConfigError

PORTS = {"amqp": 5672, "amqps": 5671}
OPTIONS = {"heartbeat", "cafile", "certfile", "keyfile"}


@dataclass(frozen=True, slots=True)
class AmqpAddress:
    """`amqp[s]://user:password@host:port/vhost?heartbeat=10&cafile=...&certfile=...&keyfile=...`"""

    host: str
    port: int
    user: str = "guest"
    password: str = field(default="guest", repr=False)
    vhost: str = "/"
    tls: bool = False
    heartbeat: int | None = None
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None

    @classmethod
    def parse(cls, url: str) -> AmqpAddress:
        """Raises ConfigError, which shows nothing of the URL but what is wrong with it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ConfigError("this is not an AMQP URL", hint="amqp://user:password@host:5672/vhost") from None
        if parts.scheme not in PORTS or not host:
            found = f"found {parts.scheme}://" if parts.scheme else "no scheme"
            raise ConfigError(f"an AMQP URL begins with amqp:// or amqps:// and names a host ({found})")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        unknown = sorted(options.keys() - OPTIONS)
        if unknown:
            raise ConfigError(
                f"unknown option {unknown[0]!r} in the AMQP URL", hint=f"known: {', '.join(sorted(OPTIONS))}"
            )
        heartbeat = options.get("heartbeat")
        if heartbeat is not None and not (heartbeat.isdecimal() and int(heartbeat) < 65536):
            raise ConfigError(f"heartbeat in the AMQP URL must be seconds, found {heartbeat!r}")
        return cls(
            host,
            port or PORTS[parts.scheme],
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            unquote(parts.path[1:]) or "/",
            parts.scheme == "amqps",
            None if heartbeat is None else int(heartbeat),
            options.get("cafile"),
            options.get("certfile"),
            options.get("keyfile"),
        )

    def __str__(self) -> str:
        scheme = "amqps" if self.tls else "amqp"
        return f"{scheme}://{self.host}:{self.port}{'' if self.vhost == '/' else '/' + self.vhost}"

    def context(self) -> ssl.SSLContext | None:
        """What TLS trusts and shows; None without TLS. Raises ConfigError when a named file can't be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.cafile)
            if self.certfile:
                context.load_cert_chain(self.certfile, self.keyfile)
        except OSError as error:
            raise ConfigError(f"TLS for {self} can't be set up: {error}") from error
        return context
