"""Copies that came again, and the processes that died during them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.clock import database_now
from hub.journal.host import gone, this_host
from hub.journal.journal import Journal
from hub.journal.processes import LIVE_SECONDS


@dataclass(frozen=True, slots=True)
class Begun:
    """`deaths`: how many processes have died during the copy. `beat`: another host has it, and its process may be alive; when that
    process last said so. None: nothing is in doubt."""

    deaths: int
    beat: float | None = None


class Redeliveries:
    """Counts the processes that died during a copy, by the copy's name. A process is recorded before it begins, and only for copies that
    came again: an ordinary copy costs nothing. Raises JournalUnavailable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def begin(self, name: str, below: int, beat: float | None = None) -> Begun:
        """Records that this process begins, where fewer than `below` have died and nothing is in doubt. `beat` is what the last
        answer said: a process that has said nothing since then is dead."""

        async def query(connection: AsyncConnection) -> Begun:
            return await self._begin(connection, name, below, beat)

        begun: Begun = await self._journal.read(query)
        return begun

    async def finish(self, name: str) -> None:
        """Its outcome is committed: nothing is counted any more."""
        await self._write(sa.delete(schema.suspect).where(schema.suspect.c.name == name))

    async def leave(self) -> None:
        """This process ends in order: what it has begun counts for nothing."""
        table = schema.suspect
        await self._write(sa.update(table).where(table.c.begun_by == self._journal.process).values(begun_by=None))

    async def _begin(self, connection: AsyncConnection, name: str, below: int, beat: float | None) -> Begun:
        table, me, now = schema.suspect, self._journal.process, time.time()
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        new = insert(table).values(name=name, losses=0, cause="", updated_at=now, begun_by=me)
        if (await connection.execute(new.on_conflict_do_nothing().returning(table.c.name))).first() is not None:
            return Begun(0)
        row = (await connection.execute(sa.select(table).where(table.c.name == name).with_for_update())).first()
        if row is None:
            return Begun(0)
        died, seen = await self._fate(connection, row.begun_by, beat)
        deaths = row.losses + died
        if seen is None and deaths < below:
            values = {"losses": deaths, "begun_by": me, "updated_at": now}
            await connection.execute(sa.update(table).where(table.c.name == name).values(**values))
        return Begun(deaths, seen)

    async def _fate(
        self, connection: AsyncConnection, process: str | None, beat: float | None
    ) -> tuple[bool, float | None]:
        """Whether the process has died, or when it last said that it lives."""
        if process is None or process == self._journal.process:
            return False, None
        table = schema.process
        silent = table.c.heartbeat_at < database_now(self._journal.is_sqlite) - LIVE_SECONDS
        row = (await connection.execute(sa.select(table, silent.label("silent")).where(table.c.id == process))).first()
        if row is None or row.silent or gone(row.host, row.pid) or row.heartbeat_at == beat:
            return True, None
        alive = row.host == this_host() or beat is not None
        return False, None if alive else row.heartbeat_at

    async def _write(self, statement: Any) -> None:
        async def query(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._journal.read(query)
