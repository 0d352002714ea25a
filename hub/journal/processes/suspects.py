"""What a process, or a worker, was lost over: counted, so that it can't take one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.journal import Journal

FORGET_SECONDS = 86400.0
"""After a day without a further loss an arrival is no suspect any more."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """How often it was lost, how it ended the last time, and when."""

    count: int
    cause: str
    at: float


class Suspects:
    """Arrivals over which workers were lost, by name. What is counted is committed when the call returns. Raises
    JournalUnavailable.

    Looking is free: the suspects are few, and in memory. What another process counts meanwhile is seen when this one
    counts too.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, Suspect] = {}

    async def load(self, now: float) -> None:
        """At the start of the hub, and now and then: what is older than a day is forgotten, what other processes have
        counted is known."""
        table = schema.suspect

        async def write(connection: AsyncConnection) -> dict[str, Suspect]:
            await connection.execute(sa.delete(table).where(table.c.updated_at < now - FORGET_SECONDS))
            rows = await connection.execute(sa.select(table))
            return {row.name: Suspect(count=row.losses, cause=row.cause, at=row.updated_at) for row in rows}

        self._known = await self._journal.change(write)

    def count(self, name: str) -> int:
        known = self._suspect(name)
        return known.count if known is not None else 0

    def cause(self, name: str) -> str:
        known = self._suspect(name)
        return known.cause if known is not None else ""

    def _suspect(self, name: str) -> Suspect | None:
        known = self._known.get(name)
        return None if known is None or known.at < self._journal.clock() - FORGET_SECONDS else known

    async def add(self, name: str, cause: str, now: float) -> int:
        """One loss more; how many there are."""
        table = schema.suspect
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        cause = cause.replace("\x00", "\ufffd")[:2000]
        row = insert(table).values(name=name, losses=1, cause=cause, updated_at=now)
        counted = sa.case((table.c.updated_at < now - FORGET_SECONDS, 1), else_=table.c.losses + 1)
        stored = row.on_conflict_do_update(
            index_elements=["name"], set_={"losses": counted, "cause": cause, "updated_at": now}
        ).returning(table.c.losses)

        async def write(connection: AsyncConnection) -> int:
            return int((await connection.execute(stored)).scalar_one())

        count = int(await self._journal.change(write))
        self._known[name] = Suspect(count, cause, now)
        return count

    async def clear(self, name: str) -> None:
        """It has come through, or is to be tried anew."""
        self._known.pop(name, None)
        gone = sa.delete(schema.suspect).where(schema.suspect.c.name == name)

        await self._journal.execute(gone)
