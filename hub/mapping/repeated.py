"""Names of which each may stand once. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def repeated(names: Iterable[str]) -> str | None:
    """The first that stood before; None where each stands once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
