"""The address of a client, also behind a proxy: the one that its wrong passwords are counted for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Literal

SIGNS = ("forwarded", "x-forwarded-for", "via", "x-real-ip")
"""Headers that a proxy sets."""

FOR = re.compile(r'(?:^|;)\s*for="?([^";]{1,100})', re.IGNORECASE)
WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+)(?::\d{1,5})?")

ProxyHeader = Literal["x-forwarded-for", "forwarded"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in texts)


class ClientAddresses:
    """Of one port. `proxies` None: nobody has said whether a proxy stands before it; empty: none does.

    `behind` says that the options name an address of its own for clients, so that something may stand in between.
    """

    def __init__(self, proxies: tuple[str, ...] | None, header: ProxyHeader, behind: bool) -> None:
        self._known = proxies is not None
        self._networks = networks_of(proxies or ())
        self._header = header
        self._behind = behind

    def is_proxy(self, address: str) -> bool:
        """Whether the options list it as a trusted proxy."""
        found = parsed(address)
        return found is not None and any(found in network for network in self._networks)

    def of(self, peer: str, headers: Mapping[str, str]) -> str:
        """Empty: not known, because a proxy stands (or may stand) before the client and nobody has listed it."""
        if not self._known:
            return "" if self._behind or any(name in headers for name in SIGNS) else peer
        if not self.is_proxy(peer):
            return peer
        for hop in self._hops(headers.get(self._header, "")):
            address = parsed(hop)
            if address is None:
                return ""
            if not self.is_proxy(str(address)):
                return str(address)
        return ""

    def _hops(self, value: str) -> Iterator[str]:
        """From the right: each proxy appends who spoke to it, and only what trusted proxies have appended counts."""
        for part in reversed(value[-4096:].split(",")):
            if self._header == "forwarded":
                found = FOR.search(part)
                yield found[1].strip() if found else ""
            else:
                yield part.strip()


def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address with or without a port; one that is mapped into IPv6 as the IPv4 address that it is."""
    match = WITH_PORT.fullmatch(text)
    try:
        found = ipaddress.ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
