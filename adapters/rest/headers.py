"""Headers that a site may let us send."""

from __future__ import annotations

from adapters.rest.auth import TOKEN

OURS = ("host", "content-type", "content-length", "transfer-encoding", "connection", "authorization", "cookie")
"""They follow from the request, or belong into the endpoint's `auth`."""


def checked_headers(value: dict[str, str]) -> dict[str, str]:
    """Raises ValueError for one that isn't a header, or not the site's to set."""
    for name in value:
        if not TOKEN.fullmatch(name):
            raise ValueError("the name of a header must be of letters, digits and hyphens")
        if name.lower() in OURS:
            raise ValueError(f"{name} can't be set here; credentials belong into the endpoint's auth:")
    if any(ord(c) < 32 for text in value.values() for c in text):
        raise ValueError("a header holds a control character")
    return value
