"""Answers to requests that may be repeated, or may not: in the journal, shared by all processes."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.network.web import Repetition, WebResponse
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.processes.processes import HEARTBEAT_SECONDS, living
from hub.journal.rows import RepetitionRow, columns, typed

SWEEP_SECONDS = 60.0
"""How often a process removes what has expired."""

BEATING = 2.5 * HEARTBEAT_SECONDS
"""Seconds after whose silence a process may have ended, though its work isn't taken over yet."""

LONGEST_WORK = 900.0
"""Seconds after which work counts as left undone, whoever has it: no request is answered that late."""


class JournalRepetitions:
    """Of one source. See `hub.core.network.web.Repetitions`."""

    def __init__(self, journal: Journal, owner: str) -> None:
        self._journal = journal
        self._owner = owner
        self._swept = 0.0
        self._in_work = journal.in_work
        self._beginning = journal.beginning

    async def begin(self, key: str, fingerprint: str, keep: float) -> Repetition | None:
        mine = (self._owner, key)
        lock = self._beginning.setdefault(mine, asyncio.Lock())
        async with lock:  # of several at once in this process the first is seen to be at work by the others
            return await self._begin(key, fingerprint, keep)

    async def _begin(self, key: str, fingerprint: str, keep: float) -> Repetition | None:
        mine = (self._owner, key)
        idle = mine not in self._in_work
        self._in_work.add(mine)

        async def write(connection: AsyncConnection) -> Repetition | None:
            if await self._take(connection, key, fingerprint, keep, idle):
                return None
            select = sa.select(*columns(RepetitionRow, schema.repetition)).where(self._is(key))
            (row,) = typed(RepetitionRow, await connection.execute(select))
            beats = sa.select(sa.literal(row.taken_by).in_(living(self._journal.is_sqlite, BEATING)))
            answer = answer_of(row)
            return Repetition(row.fingerprint, answer, bool(answer or (await connection.execute(beats)).scalar()))

        taken = False
        try:
            found: Repetition | None = await self._journal.change(write)
            taken = found is None
        finally:
            if idle and not taken:
                self._in_work.discard(mine)
        return found

    async def finish(self, key: str, answer: WebResponse) -> None:
        self._in_work.discard((self._owner, key))
        values = {
            "status": answer.status,
            "content_type": answer.content_type,
            "headers": orjson.dumps(dict(answer.headers)).decode(),
            "body": answer.body,
        }
        kept = sa.update(schema.repetition).where(self._is(key), self._mine()).values(**values)

        await self._journal.execute(kept)

    async def free(self, key: str) -> None:
        self._in_work.discard((self._owner, key))
        gone = sa.delete(schema.repetition).where(self._is(key), self._mine())

        await self._journal.execute(gone)

    async def _take(self, connection: AsyncConnection, key: str, fingerprint: str, keep: float, idle: bool) -> bool:
        """Whether the key was free: new, expired, left undone by a process that has ended, or ours while this process
        is `idle` about it."""
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
        if idle:
            mine = sa.and_(table.c.status.is_(None), table.c.taken_by == self._journal.process)
            undone = sa.or_(undone, mine)
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


def answer_of(row: RepetitionRow) -> WebResponse | None:
    if row.status is None:
        return None
    headers = orjson.loads(row.headers) if row.headers else {}
    return WebResponse(row.status, bytes(row.body or b""), row.content_type or "", headers)
