"""The network that an address stands for when connections and failures are counted."""

from __future__ import annotations

import ipaddress

IPV6_PREFIX = 64
"""Bits. One IPv6 customer has a whole /64 and may use a new address for each connection."""


def network_of(address: str) -> str:
    """An IPv4 address, also one that is mapped into IPv6, stands for itself; an IPv6 address for its /64. Other text
    stays."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
