"""A route: a condition over facts, and the destinations that a matching document goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hub.core.routing.condition import Condition

PRODUCTION = (False,)


@dataclass(frozen=True, slots=True)
class Send:
    """One destination of a route, with its guards: it passes when `only_if` holds and `unless` doesn't."""

    destination: str
    only_if: Condition | None = None
    unless: Condition | None = None

    def passes(self, facts: Mapping[str, Any]) -> bool:
        """Raises ConditionError when a guard can't be decided."""
        if self.only_if is not None and not self.only_if.holds(facts):
            return False
        return self.unless is None or not self.unless.holds(facts)

    @property
    def guards(self) -> tuple[Condition, ...]:
        return tuple(guard for guard in (self.only_if, self.unless) if guard is not None)

    @property
    def guard_text(self) -> str:
        """`if: total >= 10000`, as the route file has it; empty without a guard."""
        texts = [f"if: {self.only_if.source}"] if self.only_if else []
        return " ".join(texts + ([f"unless: {self.unless.source}"] if self.unless else []))


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `when` maps a fact to the values it may have; it always holds `test`, which is (False,) unless the
    route says otherwise: test traffic never takes a route by accident. `once` names the facts of the once-key. `drop`:
    a document that passes no guard is dropped on purpose instead of being unmatched."""

    id: str
    to: tuple[Send, ...]
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    owner: str = ""
    once: tuple[str, ...] = ()
    drop: bool = False
    destinations: tuple[str, ...] = field(init=False)
    guarded: bool = field(init=False)

    def __post_init__(self) -> None:
        when = {name: tuple(dict.fromkeys(values)) for name, values in self.when.items()}
        when.setdefault("test", PRODUCTION)
        object.__setattr__(self, "when", MappingProxyType(when))
        object.__setattr__(self, "destinations", tuple(send.destination for send in self.to))
        object.__setattr__(self, "guarded", any(send.guards for send in self.to))

    @property
    def content(self) -> dict[str, Any]:
        """Everything that decides what the route does, in one normal form, for the table's version."""
        return {
            "id": self.id,
            "owner": self.owner,
            "when": [[name, sorted(map(_typed, values))] for name, values in sorted(self.when.items())],
            "once": list(self.once),
            "to": [[send.destination, _source(send.only_if), _source(send.unless)] for send in self.to],
            "drop": self.drop,
        }


def when(**facts: Any) -> dict[str, tuple[Any, ...]]:
    """`when(document="order", partner=["ACME", "BOLT"])`: equality or a list of values, as a route file has it."""
    return {name: values(value) for name, value in facts.items()}


def values(value: Any) -> tuple[Any, ...]:
    """A value, or a list of values, as a tuple."""
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def _typed(value: Any) -> list[str]:
    if isinstance(value, Decimal):
        return ["number", format(value.normalize(), "f")]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    return [type(value).__name__, str(value)]


def _source(condition: Condition | None) -> str | None:
    return condition.source if condition else None
