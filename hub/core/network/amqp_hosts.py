"""The nodes that an AMQP URL names: `amqp://user:password@one:5672,two:5672/vhost`."""

from __future__ import annotations

from urllib.parse import urlsplit


def hosts_of(url: str) -> tuple[tuple[str, int | None], ...]:
    """Host and port of each, in their order; empty where there is none. Raises ValueError for a list with a gap or a
    wrong port."""
    listed = urlsplit(url).netloc.rpartition("@")[2]
    if not listed:
        return ()
    found: list[tuple[str, int | None]] = []
    for each in listed.split(","):
        parts = urlsplit(f"//{each}")
        if not parts.hostname:
            raise ValueError(each)
        found.append((parts.hostname, parts.port))
    return tuple(found)
