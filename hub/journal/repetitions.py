"""Answers to requests that may be repeated, or may not: in the journal, shared by all processes."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.web import Repetition, WebResponse
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.processes import living

SWEEP_SECONDS = 60.0
"""How often a process removes what has expired."""

LONGEST_WORK = 900.0
"""Seconds after which work counts as left undone, whoever has it: no request is answered that late."""


class JournalRepetitions:
    """Of one source. See `hub.core.web.Repetitions`."""

    def __init__(self, journal: Journal, owner: str) -> None:
        self._journal = journal
        self._owner = owner
        self._swept = 0.0

    async def begin(self, key: str, fingerprint: str, keep: float) -> Repetition | None:
        async def query(connection: AsyncConnection) -> Repetition | None:
            if await self._take(connection, key, fingerprint, keep):
                return None
            row = (await connection.execute(sa.select(schema.repetition).where(self._is(key)))).one()
            return Repetition(row.fingerprint, answer_of(row))

        found: Repetition | None = await self._journal.read(query)
        return found

    async def finish(self, key: str, answer: WebResponse) -> None:
        values = {
            "status": answer.status,
            "content_type": answer.content_type,
            "headers": orjson.dumps(dict(answer.headers)).decode(),
            "body": answer.body,
        }
        kept = sa.update(schema.repetition).where(self._is(key), self._mine()).values(**values)

        async def query(connection: AsyncConnection) -> None:
            await connection.execute(kept)

        await self._journal.read(query)

    async def free(self, key: str) -> None:
        gone = sa.delete(schema.repetition).where(self._is(key), self._mine())

        async def query(connection: AsyncConnection) -> None:
            await connection.execute(gone)

        await self._journal.read(query)

    async def _take(self, connection: AsyncConnection, key: str, fingerprint: str, keep: float) -> bool:
        """Whether the key was free: new, expired, or left undone by a process that has ended."""
        table, now = schema.repetition, self._journal.clock()
        await self._sweep(connection, now)
        insert = sqlite.insert if self._journal.is_sqlite else postgresql.insert
        values: dict[str, Any] = {
            "fingerprint": fingerprint,
            "taken_by": self._journal.process,
            "taken_at": now,
            "expires_at": now + keep,
            "status": None,
            "content_type": None,
            "headers": None,
            "body": None,
        }
        alive = living(self._journal.is_sqlite)
        undone = sa.and_(
            table.c.status.is_(None), sa.or_(table.c.taken_by.not_in(alive), table.c.taken_at < now - LONGEST_WORK)
        )
        row = insert(table).values(owner=self._owner, key=key, **values)
        taken = row.on_conflict_do_update(
            index_elements=["owner", "key"], set_=values, where=sa.or_(table.c.expires_at < now, undone)
        )
        return (await connection.execute(taken.returning(table.c.key))).first() is not None

    async def _sweep(self, connection: AsyncConnection, now: float) -> None:
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            await connection.execute(sa.delete(schema.repetition).where(schema.repetition.c.expires_at < now))

    def _is(self, key: str) -> Any:
        return sa.and_(schema.repetition.c.owner == self._owner, schema.repetition.c.key == key)

    def _mine(self) -> Any:
        return sa.and_(schema.repetition.c.status.is_(None), schema.repetition.c.taken_by == self._journal.process)


def answer_of(row: Any) -> WebResponse | None:
    if row.status is None:
        return None
    headers = orjson.loads(row.headers) if row.headers else {}
    return WebResponse(row.status, bytes(row.body or b""), row.content_type or "", headers)
