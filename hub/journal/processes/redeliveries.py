"""Copies that came again, and the processes that died during them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.database.clock import database_now
from hub.journal.journal import Journal
from hub.journal.processes.host import gone, this_host
from hub.journal.processes.processes import LIVE_SECONDS
from hub.journal.rows import SuspectRow, columns, typed

WORK_SECONDS = 10.0
"""A process that still says, so long after it has begun a copy, that it lives does nothing more for it but wait for a
far end. Who ends it then does not do so because of the copy, as a rule."""

LATE_FOR_ONE = 5
"""So many processes that died later count as one: a far end may answer late, with what ends a process."""


@dataclass(frozen=True, slots=True)
class Begun:
    """`deaths`: how many processes have died over the copy, as far as it may be to blame. `times`: how many have died
    during it at all.
    `beat`: another host has it, and its process may be alive; when that process last said so. None: nothing is in
    doubt."""

    deaths: int
    beat: float | None = None
    times: int = 0


class Fate(Enum):
    """What has become of a process that had begun a copy. LATE: it died, but long after it began: the copy only waited
    then."""

    LIVES = "lives"
    DIED = "died"
    LATE = "late"


class Redeliveries:
    """Counts the processes that died during a copy, by the copy's name. A process is recorded before it begins, and
    only for copies that came again: an ordinary copy costs nothing. Raises JournalUnavailable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def begin(self, name: str, below: int, beat: float | None = None) -> Begun:
        """Records that this process begins, where fewer than `below` have died and nothing is in doubt. `beat` is what
        the last answer said: a process that has said nothing since then is dead."""

        async def write(connection: AsyncConnection) -> Begun:
            return await self._begin(connection, name, below, beat)

        return await self._journal.change(write)

    async def finish(self, name: str) -> None:
        """Its outcome is committed: nothing is counted any more."""
        await self._write(sa.delete(schema.suspect).where(schema.suspect.c.name == name))

    async def release(self, name: str) -> None:
        """This process has done nothing for it: when it dies, the copy is not to blame."""
        table = schema.suspect
        mine = (table.c.name == name) & (table.c.begun_by == self._journal.process)
        await self._write(sa.update(table).where(mine).values(begun_by=None))

    async def leave(self) -> None:
        """This process ends in order: what it has begun counts for nothing."""
        table = schema.suspect
        await self._write(sa.update(table).where(table.c.begun_by == self._journal.process).values(begun_by=None))

    async def _begin(self, connection: AsyncConnection, name: str, below: int, beat: float | None) -> Begun:
        table, me, now = schema.suspect, self._journal.process, self._journal.clock()
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        began = database_now(self._journal.is_sqlite)
        new = insert(table).values(name=name, losses=0, cause="", updated_at=now, begun_by=me, begun_at=began)
        if (await connection.execute(new.on_conflict_do_nothing().returning(table.c.name))).first() is not None:
            return Begun(0)
        select = sa.select(*columns(SuspectRow, table)).where(table.c.name == name).with_for_update()
        row = next(iter(typed(SuspectRow, await connection.execute(select))), None)
        if row is None:
            return Begun(0)
        fate, seen = await self._fate(connection, row, beat)
        losses, late = row.losses + (fate is Fate.DIED), row.late + (fate is Fate.LATE)
        deaths = losses + late // LATE_FOR_ONE
        if seen is None and deaths < below:
            values = {"losses": losses, "late": late, "begun_by": me, "begun_at": began, "updated_at": now}
            await connection.execute(sa.update(table).where(table.c.name == name).values(**values))
        return Begun(deaths, seen, losses + late)

    async def _fate(
        self, connection: AsyncConnection, suspect: SuspectRow, beat: float | None
    ) -> tuple[Fate, float | None]:
        """What has become of the process that began, or when it last said that it lives."""
        table, process = schema.process, suspect.begun_by
        if process is None or process == self._journal.process:
            return Fate.LIVES, None
        silent = table.c.heartbeat_at < database_now(self._journal.is_sqlite) - LIVE_SECONDS
        row = (await connection.execute(sa.select(table, silent.label("silent")).where(table.c.id == process))).first()
        if row is None or row.silent or gone(row.host, row.pid) or row.heartbeat_at == beat:
            began = suspect.begun_at
            waited = row.heartbeat_at - began if row is not None and began is not None else 0.0
            return Fate.LATE if waited > WORK_SECONDS else Fate.DIED, None
        alive = row.host == this_host() or beat is not None
        return Fate.LIVES, None if alive else row.heartbeat_at

    async def _write(self, statement: Any) -> None:
        await self._journal.execute(statement)
