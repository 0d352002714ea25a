"""Where a RabbitMQ is: an AMQP URL, taken apart. Its password never leaves this object by `str` or `repr`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote, urlsplit

from hub.core.errors import ConfigError
from hub.core.network.amqp_hosts import hosts_of

PORTS = {"amqp": 5672, "amqps": 5671}
OPTIONS = {"heartbeat", "channel_max", "cafile", "certfile", "keyfile"}

RESERVED_CHANNELS = 16
"""Channels of each connection that consumers leave to questions and declarations."""


@dataclass(frozen=True, slots=True)
class AmqpAddress:
    """`amqp[s]://user:password@host:port,host:port/vhost?heartbeat=10&channel_max=2047&cafile=...&certfile=...&keyfile=...`"""

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
    channel_max: int | None = None
    """Channels of one connection; None: as many as the broker allows."""
    others: tuple[tuple[str, int], ...] = ()
    """Further nodes of the cluster, tried in turn."""

    @classmethod
    def parse(cls, url: str) -> AmqpAddress:
        """Raises ConfigError, which shows nothing of the URL but what is wrong with it."""
        try:
            parts = urlsplit(url)
            hosts = hosts_of(url)
        except ValueError:
            raise ConfigError("this is not an AMQP URL", hint="amqp://user:password@host:5672/vhost") from None
        if parts.scheme not in PORTS or not hosts:
            found = f"found {parts.scheme}://" if parts.scheme else "no scheme"
            raise ConfigError(f"an AMQP URL begins with amqp:// or amqps:// and names a host ({found})")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        unknown = sorted(options.keys() - OPTIONS)
        if unknown:
            raise ConfigError(
                f"unknown option {unknown[0]!r} in the AMQP URL", hint=f"known: {', '.join(sorted(OPTIONS))}"
            )
        heartbeat = _number(options, "heartbeat", "seconds")
        channels = _number(options, "channel_max", f"a number above {RESERVED_CHANNELS}", RESERVED_CHANNELS + 1)
        return cls(
            hosts[0][0],
            hosts[0][1] or PORTS[parts.scheme],
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            unquote(parts.path[1:]) or "/",
            parts.scheme == "amqps",
            heartbeat,
            options.get("cafile"),
            options.get("certfile"),
            options.get("keyfile"),
            channels,
            tuple((host, port or PORTS[parts.scheme]) for host, port in hosts[1:]),
        )

    @property
    def nodes(self) -> tuple[AmqpAddress, ...]:
        """One address for each node that the URL names."""
        return (self, *(replace(self, host=host, port=port) for host, port in self.others))

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


def _number(options: dict[str, str], name: str, expected: str, least: int = 0) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and least <= int(text) < 65536):
        raise ConfigError(f"{name} in the AMQP URL must be {expected}, found {text!r}")
    return int(text)
