"""Free TCP ports on the loopback."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 15_000


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now, below the range that the kernel hands to clients: a connection of
    another test never takes one before its server listens there."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(LOWEST, first_of_clients())
        if port not in found and is_free(port):
            found.append(port)
    return found


def first_of_clients() -> int:
    """The first port that a connection may get as its own."""
    return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
