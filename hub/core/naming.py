"""Names made from facts: `{fact}` is substituted, nothing is evaluated, and what a partner gave never becomes a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.core.errors import MappingError

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
UNSAFE = re.compile(r"[^A-Za-z0-9._@+=-]+")
LONGEST = 200


def names_in(template: str) -> tuple[str, ...]:
    """The fact names that a template uses."""
    return tuple(PLACE.findall(template))


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Substitutes facts. Each value is cut to letters, digits and `._@+=-` and to 200 characters, and never becomes
    `.` or `..`. Raises MappingError for a fact that has no value here."""

    def value(match: re.Match[str]) -> str:
        found = facts.get(match.group(1))
        if found is None or found == "":
            raise MappingError(f"{template!r} needs the fact {match.group(1)!r}, which this document doesn't have")
        return safe(str(found).lower() if isinstance(found, bool) else str(found))

    return PLACE.sub(value, template)


def safe(value: str) -> str:
    """A value as part of a name."""
    cut = UNSAFE.sub("_", value)[:LONGEST]
    return cut if cut.strip(".") else "_" * max(1, len(cut))
