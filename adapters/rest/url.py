"""URLs that the site gives: checked when they are read. Nothing that a partner gave ever becomes a part of one but the
path and the query."""

from __future__ import annotations

from urllib.parse import urlsplit

SHOWN = 200
DEFAULT_PORTS = {"http": 80, "https": 443}


def usable_url(value: str, field: str) -> str:
    """The URL. Raises ValueError, which doesn't show it, for one that can't be called or holds credentials."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if "@" in value.partition("?")[0]:
        raise ValueError(f"{field} must not hold a user or password: credentials belong into auth:")
    if not usable or not value.isprintable() or " " in value:
        raise ValueError(f"{field} must be an http:// or https:// URL with a host, and a port from 1 to 65535 if any")
    if "?" in value or "#" in value:
        raise ValueError(f"{field} must not hold a query or fragment: a query belongs into the destination's `query`")
    return value


def same_origin(base: str, url: str) -> bool:
    """Whether scheme, host and port are the same, and the URL holds no credentials."""
    try:
        found = urlsplit(url)
        return "@" not in found.netloc and origin_of(url) == origin_of(base)
    except ValueError:
        return False


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Raises ValueError for a port that is none."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)


def show_url(url: str) -> str:
    """A URL that somebody else gave, as it may be told: without its query, in which secrets stand."""
    text = url.partition("?")[0].rpartition("@")[2][:SHOWN]
    return "".join(c if c.isprintable() else "?" for c in text)
