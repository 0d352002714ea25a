"""Free TCP ports on the loopback."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now, below the range that the kernel hands to clients."""
    found: list[int] = []
    sockets = []
    try:
        while len(found) < count:
            candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(candidate)
            candidate.bind(("127.0.0.1", 0))
            found.append(candidate.getsockname()[1])
    finally:
        for each in sockets:
            each.close()
    return found
