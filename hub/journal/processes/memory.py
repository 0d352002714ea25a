"""What sources remember across restarts and processes: the offset in a stream, the cursor of a list, the last
firing."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.journal import Journal


class JournalMemory:
    """Small texts by owner and name, in the journal. See `hub.core.ports.Memory`."""

    def __init__(self, journal: Journal, owner: str) -> None:
        self._journal = journal
        self._owner = owner

    async def get(self, name: str) -> str | None:
        table = schema.memory
        mine = sa.and_(table.c.owner == self._owner, table.c.name == name)

        async def query(connection: AsyncConnection) -> str | None:
            row = (await connection.execute(sa.select(table.c.value).where(mine))).first()
            return row.value if row is not None else None

        return await self._journal.read(query)

    async def put(self, name: str, value: str) -> None:
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        now = self._journal.clock()
        row = insert(schema.memory).values(owner=self._owner, name=name, value=value, updated_at=now)
        kept = row.on_conflict_do_update(index_elements=["owner", "name"], set_={"value": value, "updated_at": now})

        await self._journal.execute(kept)

    async def first(self, name: str, value: str) -> str:
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        row = insert(schema.memory).values(owner=self._owner, name=name, value=value, updated_at=self._journal.clock())

        await self._journal.execute(row.on_conflict_do_nothing())
        return await self.get(name) or value
