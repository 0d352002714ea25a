"""The value of a route's once-key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.core.errors import MappingError
from hub.core.routing.route import Route


def once_value(route: Route, facts: Mapping[str, Any]) -> str:
    """The values of the facts that `once` names, as JSON. Raises MappingError when one has none: two documents without
    a number are not the same document."""
    values = [facts.get(name) for name in route.once]
    for name, value in zip(route.once, values, strict=True):
        if value is None or value == "":
            raise MappingError(f"route {route.id} takes a document once by {name}, which this one doesn't have")
    return orjson.dumps(values).decode()
