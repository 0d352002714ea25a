"""Whether a copy for a destination should be under way, by what the journal knows of the document on its route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from hub.core.effect import UNDER_WAY, EffectStatus
from hub.journal import schema
from hub.journal.rows import EffectRow


@dataclass(slots=True)
class OpenPlace:
    """What is recorded of a document on a route, beside its effects. `ended`: a destination without an effect gets
    none. `buried` and
    `replayed`: the destinations of its dead letters. `waiting`: those that its rows name."""

    ended: bool = False
    buried: set[str] = field(default_factory=set)
    replayed: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)

    def is_open(self, name: str, effect: EffectRow | None, route: str) -> bool:
        """Whether a copy for this destination should be under way. An effect belongs to one route."""
        if name in self.waiting:
            return False
        if effect is None:
            return not self.ended or (name in self.replayed and name not in self.buried)
        if effect.route != route:
            return False
        return effect.status in UNDER_WAY or (effect.status == EffectStatus.DEAD and name not in self.buried)


def names(listed: str) -> list[str]:
    return [name for name in listed.split(",") if name]


def row_waits(document_id: Any, destination: Any) -> Any:
    """Whether a row of `waiting` names this destination of the document."""
    waiting = schema.waiting
    comma = sa.literal(",", sa.Text)
    listed, name = comma + waiting.c.destinations + comma, comma + destination + comma
    return sa.exists().where(waiting.c.document_id == document_id, sa.func.replace(listed, name, "") != listed)
