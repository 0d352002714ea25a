"""Which documents wait for a batch, and the batches that are made of them. A batch is closed by one transaction,
published by one process, and taken over when that process is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.identity import message_id
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.batch_dissolving import Dissolution, dissolve
from hub.journal.batches.batch_members import members
from hub.journal.journal import Journal
from hub.journal.processes.processes import living
from hub.journal.rows import BatchMemberRow, BatchRow, StuckBatch, columns, typed


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """Documents of one kind that wait at one destination, all of them test or production. `gathered`: the facts that
    they have in common, as JSON; empty where their writer decides."""

    destination: str
    partner: str
    document: str
    test: bool
    count: int
    oldest: float
    gathered: str = ""


class Batches:
    """Compare-and-set on what waits."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def waiting(self) -> list[WaitingBatch]:
        """What waits now, by destination, partner, kind and test."""
        table = schema.batch_member
        by = (table.c.destination, table.c.partner, table.c.document, table.c.test, table.c.gathered)
        wants = columns(WaitingBatch, table, count=sa.func.count(), oldest=sa.func.min(table.c.added_at))
        select = sa.select(*wants).where(table.c.batch.is_(None)).group_by(*by).order_by(*by)

        return await self._journal.rows(WaitingBatch, select)

    async def close(self, group: WaitingBatch, most: int, before: float, now: float) -> str | None:
        """Makes a batch of the oldest of the group: at most `most`, when there are so many or one was added at `before`
        or earlier. Its id; None when somebody else was quicker."""
        table = schema.batch_member
        mine = (
            table.c.batch.is_(None),
            table.c.destination == group.destination,
            table.c.partner == group.partner,
            table.c.document == group.document,
            table.c.test == group.test,
            table.c.gathered == group.gathered,
        )
        order = (table.c.added_at, table.c.document_id, table.c.generation)

        async def write(connection: AsyncConnection) -> str | None:
            select = sa.select(*columns(BatchMemberRow, table)).where(*mine).order_by(*order).limit(most)
            rows = typed(BatchMemberRow, await connection.execute(select.with_for_update()))
            if not rows or (len(rows) < most and rows[0].added_at > before):
                return None
            parts = [f"{row.document_id}.{row.generation}" for row in rows]
            id = message_id("batch", (group.destination, *parts))
            one = (table.c.document_id == sa.bindparam("id"), table.c.generation == sa.bindparam("of"))
            update = sa.update(table).where(*mine, *one).values(batch=id, position=sa.bindparam("at"))
            places = [{"id": row.document_id, "of": row.generation, "at": n} for n, row in enumerate(rows, 1)]
            await connection.execute(update, places)
            if not await _is_ours(connection, id, len(rows)):
                return None
            values: dict[str, Any] = {"id": id, "destination": group.destination, "partner": group.partner}
            values |= {"document": group.document, "test": group.test, "members": len(rows), "closed_at": now}
            await connection.execute(sa.insert(schema.batch).values(**values, taken_by=self._journal.process))
            return id

        return await self._journal.change(write)

    async def unpublished(self) -> list[BatchRow]:
        """Batches that this process is to publish, oldest first: those that it closed, and those of processes that are
        gone."""
        table, living_now = schema.batch, living(self._journal.is_sqlite)
        me = self._journal.process

        select = sa.select(*columns(BatchRow, table)).where(table.c.published_at.is_(None))
        select = select.order_by(table.c.closed_at, table.c.id)

        async def write(connection: AsyncConnection) -> list[BatchRow]:
            rows = typed(BatchRow, await connection.execute(select))
            if all(row.taken_by == me for row in rows):
                return rows
            left = (table.c.published_at.is_(None), table.c.taken_by != me, table.c.taken_by.not_in(living_now))
            await connection.execute(sa.update(table).where(*left).values(taken_by=me))
            return typed(BatchRow, await connection.execute(select.where(table.c.taken_by == me)))

        return await self._journal.change(write)

    async def stuck(self, since: float | None = None) -> list[StuckBatch]:
        """Batches that were closed, at `since` or earlier, and aren't published, oldest first; with each the `cause`,
        where one was recorded. It decides nothing."""
        table, event = schema.batch, schema.event
        last = sa.select(event.c.text).where(event.c.message_id == table.c.id, event.c.stage == Stage.UNPUBLISHED)
        cause = last.order_by(event.c.id.desc()).limit(1).scalar_subquery()
        select = sa.select(*columns(StuckBatch, table, cause=cause)).where(table.c.published_at.is_(None))
        if since is not None:
            select = select.where(table.c.closed_at <= since)

        return await self._journal.rows(StuckBatch, select.order_by(table.c.closed_at, table.c.id))

    async def dissolve(self, wanted: Dissolution) -> list[str] | None:
        """See `hub.journal.batches.batch_dissolving`."""

        return await self._journal.change(lambda connection: connection.run_sync(dissolve, wanted))

    async def members(self, batch: str) -> list[BatchMemberRow]:
        """In the order of their transactions."""

        return await self._journal.read(lambda connection: connection.run_sync(members, batch))

    async def published(self, batch: str, now: float) -> None:
        """The broker has confirmed it."""
        table = schema.batch

        await self._journal.execute(sa.update(table).where(table.c.id == batch).values(published_at=now))


async def _is_ours(connection: AsyncConnection, id: str, count: int) -> bool:
    """Whether all the rows came into the batch, and nobody has made it before; what came into half a batch is let go. A
    database that locks no rows lets others take some of them after they were read."""
    table = schema.batch_member
    known = sa.select(schema.batch.c.id).where(schema.batch.c.id == id)
    if (await connection.execute(known)).first() is not None:
        return False
    taken = sa.select(sa.func.count()).where(table.c.batch == id)
    if (await connection.execute(taken)).scalar_one() == count:
        return True
    await connection.execute(sa.update(table).where(table.c.batch == id).values(batch=None, position=None))
    return False
