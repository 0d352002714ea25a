"""Group commit: what many tasks want to write becomes one transaction, so that a commit costs each of them little.

While one transaction runs, the next one gathers. When the database is away the batch is kept and tried again until it is
back: nobody who waits for a commit goes on before it is there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from hub.core.errors import JournalUnavailable
from hub.journal import schema
from hub.journal.bulk import IN_ORDER
from hub.journal.entry import EffectState, Entry, OnceState

Transact = Callable[[Callable[[Connection], None]], Awaitable[None]]
"""Runs a function in one transaction and commits it: on a thread of its own for SQLite, on the driver's for PostgreSQL."""

MOST = 500


class GroupCommit:
    """Writes entries in the order in which they were submitted. `on_state(available, text)` is told when the database
    goes and comes."""

    def __init__(self, transact: Transact, process: str, on_state: Callable[[bool, str], None]) -> None:
        self._transact = transact
        self._process = process
        self._on_state = on_state
        self._waiting: deque[tuple[Entry, asyncio.Future[None]]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.available = True
        self.commits = 0
        self.entries = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="journal-group-commit")

    def submit(self, entry: Entry) -> asyncio.Future[None]:
        """Resolves when the entry is committed. Raises JournalUnavailable only when the hub stops before that."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closing:
            done.set_exception(JournalUnavailable("the journal is closed"))
            return done
        self._waiting.append((entry, done))
        self._wake.set()
        return done

    async def close(self, timeout: float = 5.0) -> None:
        """Commits what waits, for at most `timeout` seconds; the rest fails with JournalUnavailable."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=timeout)
            for task in late:
                task.cancel()
                await asyncio.wait({task})
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(JournalUnavailable("the hub stopped before the journal was back"))
                done.exception()
        self._waiting.clear()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
                try:
                    await self._commit(batch)
                except asyncio.CancelledError:
                    self._waiting.extendleft(reversed(batch))
                    raise
            if self._closing:
                return

    async def _commit(self, batch: Sequence[tuple[Entry, asyncio.Future[None]]]) -> None:
        pause = 0.05
        while True:
            try:
                await self._write([entry for entry, _ in batch])
            except (DBAPIError, OSError, TimeoutError) as error:
                if not is_away(error):
                    await self._one_by_one(batch, error)
                    return
                self._say(False, str(getattr(error, "orig", None) or error).splitlines()[0])
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            break
        self._say(True, "")
        self.commits += 1
        self.entries += len(batch)
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def _one_by_one(self, batch: Sequence[tuple[Entry, asyncio.Future[None]]], error: Exception) -> None:
        """A statement was refused, not the connection: only the entry that carries it fails."""
        if len(batch) == 1:
            done = batch[0][1]
            if not done.done():
                done.set_exception(error)
            return
        for pair in batch:
            await self._commit([pair])

    def _say(self, available: bool, text: str) -> None:
        if available != self.available:
            self.available = available
            self._on_state(available, text)

    async def _write(self, entries: Sequence[Entry]) -> None:
        """One hop to the database for the whole batch."""

        def work(connection: Connection) -> None:
            for bulk in IN_ORDER:
                rows = [row for entry in entries if bulk in entry.rows for row in entry.rows[bulk]]
                if rows:
                    bulk.write(connection, rows)
            self._once_updates(connection, entries)
            self._answer(connection, entries)

        await self._transact(work)

    def _once_updates(self, connection: Connection, entries: Sequence[Entry]) -> None:
        now = sa.literal(time.time())
        table, effect = schema.once_key, schema.effect
        for route, owner in {pair for entry in entries for pair in entry.once_finished}:
            unfinished = sa.exists().where(
                effect.c.document_id == owner, effect.c.route == route, effect.c.status != "delivered"
            )
            mine = sa.and_(table.c.route == route, table.c.owner == owner, table.c.status == "pending")
            connection.execute(sa.update(table).where(mine, ~unfinished).values(status="done", updated_at=now))
        for route, owner in {pair for entry in entries for pair in entry.once_freed}:
            connection.execute(
                sa.update(table)
                .where(table.c.route == route, table.c.owner == owner)
                .values(status="freed", updated_at=now)
            )

    def _answer(self, connection: Connection, entries: Sequence[Entry]) -> None:
        documents = list({key[0] for entry in entries for key in entry.effects_asked})
        states: dict[tuple[str, str], EffectState] = {}
        for row in select_in(connection, schema.effect, schema.effect.c.document_id, documents):
            states[row.document_id, row.destination] = EffectState(
                *(row.document_id, row.destination, row.route, row.status, row.generation, row.key),
                *(row.claim, row.content_type, row.attempts, row.claimed_by == self._process, row.text),
            )
        values = list({key[1] for entry in entries for key in entry.once_asked})
        held: dict[tuple[str, str], OnceState] = {}
        for row in select_in(connection, schema.once_key, schema.once_key.c.value, values):
            held[row.route, row.value] = OnceState(row.owner, row.status)
        for entry in entries:
            entry.effects = {key: states[key] for key in entry.effects_asked if key in states}
            entry.once = {key: held[key] for key in entry.once_asked if key in held}


def select_in(connection: Connection, table: sa.Table, column: sa.Column[Any], values: Sequence[str]) -> list[Any]:
    """All rows whose column is one of the values, however many there are."""
    found: list[Any] = []
    for start in range(0, len(values), 900):
        part = values[start : start + 900]
        found.extend(connection.execute(sa.select(table).where(column.in_(part))).all())
    return found


def is_away(error: BaseException) -> bool:
    """Whether the database, not the statement, is what failed."""
    if isinstance(error, DBAPIError):
        return (
            bool(error.connection_invalidated)
            or isinstance(error, OperationalError | InterfaceError)
            or (
                type(error.orig).__name__ in ("CannotConnectNowError", "AdminShutdownError", "CrashShutdownError")
                or "connection" in str(error.orig).lower()
            )
        )
    return isinstance(error, OSError | TimeoutError)
