"""Whether what lets us in travels in the clear to another host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from hub.core.network.amqp_hosts import hosts_of
from hub.core.network.client_network import is_loopback
from hub.core.plugin import Problem

CLEAR = ("http", "amqp", "pyamqp", "redis", "ftp", "ws", "mqtt")
"""Schemes without TLS."""

LETS_IN = re.compile(r"authorization|cookie|token|secret|api_?key|password|passwd")


def clear_host(url: str) -> str:
    """The host of a URL without TLS; empty where it has TLS, no host, or the host is this machine."""
    try:
        scheme = urlsplit(url).scheme.lower()
        hosts = [host for host, _ in hosts_of(url)]
    except ValueError:
        return ""
    return next((host for host in hosts if scheme in CLEAR and not is_loopback(host)), "")


def lets_in(names: Iterable[str]) -> bool:
    """Whether a header or parameter of one of these names carries credentials."""
    return any(LETS_IN.search(name.lower().replace("-", "_")) for name in names)


def holds_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False


def credentials_in_the_clear(field: str, url: str, what: str) -> Iterator[Problem]:
    """A warning: a network of one's own may be trusted, and the site must run there too."""
    host = clear_host(url)
    if host:
        scheme = urlsplit(url).scheme
        hint = f"use TLS ({scheme}s://) where the other side has it, or a network that nobody else reads"
        yield Problem((field,), f"{what} in the clear to {host}: {scheme}:// has no TLS", hint, warning=True)
