"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from hub.core.dead_letter import DeadStatus
from hub.journal import schema


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters. Ages in seconds. Everything that is stated must hold."""

    ids: tuple[str, ...] = ()
    kind: str | None = None
    route: str | None = None
    source: str | None = None
    destination: str | None = None
    error: str | None = None
    partner: str | None = None
    older: float | None = None
    newer: float | None = None
    owner: str | None = None
    status: tuple[DeadStatus, ...] = (DeadStatus.DEAD,)

    def where(self, now: float) -> list[sa.ColumnElement[bool]]:
        table = schema.dead_letter.c
        found: list[sa.ColumnElement[bool]] = []
        if self.status:
            found.append(table.status.in_(self.status))
        if self.ids:
            found.append(sa.or_(*(table.id.startswith(id, autoescape=True) for id in self.ids)))
        for column, value in (
            ("kind", self.kind),
            ("route", self.route),
            ("source", self.source),
            ("partner", self.partner),
            ("owner", self.owner),
        ):
            if value is not None:
                found.append(table[column] == value)
        if self.destination is not None:
            found.append(
                (sa.literal(",") + table.destinations + ",").contains(f",{self.destination},", autoescape=True)
            )
        if self.error is not None:
            found.append(
                sa.or_(
                    table.error == self.error, sa.func.lower(table.cause).contains(self.error.lower(), autoescape=True)
                )
            )
        if self.older is not None:
            found.append(table.dead_at <= now - self.older)
        if self.newer is not None:
            found.append(table.dead_at >= now - self.newer)
        return found
