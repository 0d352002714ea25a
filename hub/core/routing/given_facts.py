"""Facts that a source gives with what it brings: from headers, properties, parameters, by its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from hub.core.ports import FactValue
from hub.core.routing.facts import BUILT_IN, FACT_NAME

GIVEN_TOO = ("partner", "test")
"""Built-in facts that a source may give: who sent it, and whether it is test traffic."""

LONGEST = 1000
"""Characters of a value that become a fact; nothing longer is looked at."""


def checked(mapping: dict[str, str]) -> dict[str, str]:
    for name, origin in mapping.items():
        if not FACT_NAME.fullmatch(name) or (name in BUILT_IN and name not in GIVEN_TOO):
            raise ValueError(f"{name!r} is no name that a source can give; declare a fact with from: arrival.{name}")
        if not origin:
            raise ValueError(f"{name} says not where it comes from")
    return mapping


GivenFacts = Annotated[
    dict[str, str],
    AfterValidator(checked),
    Field(description="What becomes a fact: name, as in `from: arrival.name`, to where it stands."),
]


def take_given(mapping: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, FactValue]:
    """The facts of one arrival; `values` by lower-case name of where they stand. What isn't there, or is no plain
    value, is left out."""
    found: dict[str, FactValue] = {}
    for name, origin in mapping.items():
        value = values.get(origin.lower())
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str | int | bool | float):
            found[name] = value if isinstance(value, bool | int) else str(value)[:LONGEST]
    return found
