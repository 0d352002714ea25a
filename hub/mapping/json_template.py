"""The type of an option that names a template which makes JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def makes_json(name: str) -> str:
    """The name. Raises ValueError: what an expression gives is escaped for JSON only where the name says so."""
    if not name.endswith(".json.j2"):
        raise ValueError(f"{name!r} makes no JSON by its name; it should end in .json.j2")
    return name


JsonTemplate = Annotated[str, AfterValidator(makes_json)]
"""`order.json.j2`."""
