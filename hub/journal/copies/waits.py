"""Waiting rows: copies that wait for something else than time alone, kept as rows and not in queues.

A row says what it waits for. It is woken when that has happened (its once-key is decided, its endpoint is let through
again, the process that is sending it has ended or is gone, its time has come), by whichever process looks first. What
nobody wakes is woken at `due_at`, so that no copy waits for ever."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.once_key import OnceStatus
from hub.journal import schema
from hub.journal.copies.wait import Reason, Wait, WaitingCopies
from hub.journal.database.clock import database_now
from hub.journal.journal import Journal
from hub.journal.processes.processes import living

LEFT = 60.0
"""Seconds after which a copy that was taken, and is still there, belongs to nobody: its process was killed, or it could
not be published. It is taken again then."""

MOST = 200
"""Copies that are woken at once for one reason."""


class Waits:
    """The rows, asked and changed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def take(self, let_through: Mapping[str, int], without: Collection[str] = ()) -> list[Wait]:
        """The copies that may go on now, oldest first, taken by this process; `end` follows when each is confirmed by
        the broker. One that can't be published stays taken: for a minute it is nobody's turn, so that such copies never
        keep others waiting.
        `let_through`: how many copies each endpoint of this process bears now. `without`: routes whose copies are not
        to be taken. Raises JournalUnavailable."""
        table, sqlite = schema.waiting, self._journal.is_sqlite
        now, me = database_now(sqlite), self._journal.process
        free = sa.or_(table.c.taken_by.is_(None), table.c.taken_at < now - LEFT)
        if without:
            free = sa.and_(free, table.c.route.not_in(sorted(without)))
        key = schema.once_key
        pending = sa.exists().where(
            key.c.route == table.c.route,
            key.c.value == table.c.waits_for,
            key.c.status == OnceStatus.PENDING,
            key.c.owner != table.c.document_id,
        )
        effect = schema.effect
        let_go = sa.exists().where(
            effect.c.document_id == table.c.document_id,
            effect.c.destination == table.c.destinations,
            sa.or_(effect.c.claimed_by.is_(None), effect.c.claimed_by.not_in(living(sqlite))),
        )
        due = sa.and_(table.c.reason != Reason.ONCE, table.c.due_at <= now)
        mine = sa.and_(table.c.reason == Reason.ENDPOINT, table.c.process == me)
        orphaned = sa.and_(table.c.reason == Reason.ENDPOINT, table.c.process.not_in(living(sqlite)))
        wanted = [
            (sa.and_(table.c.reason == Reason.ONCE, sa.not_(pending)), MOST),
            (sa.and_(table.c.reason == Reason.PROCESS, let_go), MOST),
            (sa.and_(due, table.c.reason != Reason.ENDPOINT), MOST),
            (orphaned, MOST),
            (sa.and_(mine, due), MOST),
        ]
        wanted += [
            (sa.and_(mine, table.c.waits_for == name), min(count, MOST)) for name, count in let_through.items() if count
        ]

        async def write(connection: AsyncConnection) -> list[Wait]:
            taken: list[Wait] = []
            for condition, most in wanted:
                oldest = sa.select(table.c.id).where(condition, free).order_by(table.c.since, table.c.id).limit(most)
                ids = list((await connection.execute(oldest)).scalars())
                if ids:
                    mark = sa.update(table).where(table.c.id.in_(ids), free).values(taken_by=me, taken_at=now)
                    taken += [
                        Wait(**{name: getattr(row, name) for name in Wait._fields})
                        for row in await connection.execute(mark.returning(table))
                    ]
            return sorted(taken, key=lambda wait: (wait.since, wait.id))

        return await self._journal.change(write)

    async def end(self, ids: Sequence[str]) -> None:
        """Their copies are confirmed. One that waits again meanwhile stays."""
        table = schema.waiting
        gone = sa.delete(table).where(table.c.id.in_(list(ids)), table.c.taken_by == self._journal.process)

        await self._journal.execute(gone)

    async def look_again(self, known: Collection[str]) -> None:
        """The copies of this process that wait for an endpoint which is not among the known ones go on now."""
        table = schema.waiting
        mine = (table.c.reason == Reason.ENDPOINT, table.c.process == self._journal.process)
        due = sa.update(table).where(*mine, table.c.waits_for.not_in(list(known)))
        now = due.values(due_at=database_now(self._journal.is_sqlite))

        await self._journal.execute(now)

    async def counts(self) -> list[WaitingCopies]:
        """What copies wait for, the oldest first."""
        table = schema.waiting
        oldest = sa.func.min(table.c.since).label("oldest")
        select = sa.select(table.c.reason, table.c.waits_for, sa.func.count().label("copies"), oldest)
        grouped = select.where(table.c.reason != Reason.ONCE).group_by(table.c.reason, table.c.waits_for)
        once = sa.select(table.c.reason, sa.literal("").label("waits_for"), sa.func.count().label("copies"), oldest)
        keys = once.where(table.c.reason == Reason.ONCE).group_by(table.c.reason)

        async def query(connection: AsyncConnection) -> list[WaitingCopies]:
            rows = [*(await connection.execute(grouped)).all(), *(await connection.execute(keys)).all()]
            found = [WaitingCopies(Reason(row.reason), row.waits_for, row.copies, row.oldest) for row in rows]
            return sorted(found, key=lambda one: one.oldest)

        return await self._journal.read(query)

    async def without(self, routes: Container[str]) -> dict[str, int]:
        """By route: how many copies wait for routes that are not among these."""
        table = schema.waiting
        grouped = sa.select(table.c.route, sa.func.count()).group_by(table.c.route).order_by(table.c.route)

        async def query(connection: AsyncConnection) -> dict[str, int]:
            return {route: count for route, count in (await connection.execute(grouped)).all() if route not in routes}

        return await self._journal.read(query)

    async def oldest(self, limit: int = 1000) -> list[Wait]:
        """The copies that wait, the oldest first."""
        table = schema.waiting
        select = sa.select(table).order_by(table.c.since, table.c.id).limit(limit)

        async def query(connection: AsyncConnection) -> list[Wait]:
            rows = await connection.execute(select)
            return [Wait(**{name: getattr(row, name) for name in Wait._fields}) for row in rows]

        return await self._journal.read(query)
