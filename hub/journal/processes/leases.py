"""Leases: of many processes that share a journal, one at a time does a thing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.database.clock import database_now
from hub.journal.journal import Journal


class Leases:
    """Taken and kept by this process, by name. Time is the database's own, so that hosts need not agree on theirs."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def take(self, name: str, seconds: float) -> bool:
        """Takes the lease, or keeps it for `seconds` from now; False while another process has it. Raises
        JournalUnavailable."""
        table, now = schema.lease, database_now(self._journal.is_sqlite)
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        until = now + seconds
        row = insert(table).values(name=name, holder=self._journal.process, until=until, taken_at=now)
        free = sa.or_(table.c.holder == self._journal.process, table.c.until < now, self._gone())
        held = {"holder": self._journal.process, "until": until}
        taken = row.on_conflict_do_update(index_elements=["name"], set_=held, where=free).returning(table.c.name)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(taken)).first() is not None

        return await self._journal.change(write)

    async def give(self, name: str) -> None:
        """Gives the lease back, so that another process need not wait for its end. Harmless where it is not ours."""
        table = schema.lease
        mine = sa.and_(table.c.name == name, table.c.holder == self._journal.process)

        await self._journal.execute(sa.delete(table).where(mine))

    async def holders(self) -> dict[str, str]:
        """Who holds what, of the leases that have not ended."""
        table = schema.lease

        async def query(connection: AsyncConnection) -> dict[str, str]:
            rows = await connection.execute(
                sa.select(table.c.name, table.c.holder).where(table.c.until >= database_now(self._journal.is_sqlite))
            )
            return {row.name: row.holder for row in rows}

        return await self._journal.read(query)

    @staticmethod
    def _gone() -> Any:
        """Its holder is no process that the journal knows: what it held is free at once."""
        known = sa.select(schema.process.c.id).where(schema.process.c.id == schema.lease.c.holder)
        return sa.not_(sa.exists(known))
