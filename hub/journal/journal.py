"""The journal, opened: commits, claims, and the record of the processes that share it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.core.clock import Clock
from hub.core.errors import ClaimMissing, JournalUnavailable
from hub.core.ports import Body, BytesBody
from hub.journal import schema
from hub.journal.commit.claims import INLINE, ClaimStore, StoredClaim
from hub.journal.commit.entry import Committed, Entry
from hub.journal.commit.group_commit import CONFLICTS, GroupCommit
from hub.journal.commit.writers import IN_ORDER
from hub.journal.database.clock import DatabaseClock
from hub.journal.database.engines import PATIENCE, Transactions, make_engine, reading, transact
from hub.journal.database.faults import first_line, is_away, is_conflict, is_refused_write
from hub.journal.database.journal_file import refuse_unusable
from hub.journal.database.urls import engine_url, show_url, sqlite_path
from hub.journal.migrate import is_current, upgrade
from hub.journal.processes.heartbeat import Heartbeat
from hub.journal.rows import typed

T = TypeVar("T")

LONGEST_MIGRATION = 3600.0
"""Seconds that one statement of a migration may take."""

SLOW_COMMIT = 5.0
"""Seconds after which a commit under way means that the journal is away."""

LONGEST_PAUSE = 5.0
"""Seconds between two attempts to write to a claim store that can't be written."""


class Journal:
    """The journal database and its claim store.

    `commit` returns when the rows are durable; while the database is away it waits, and `available` is False. `read`
    and `change` run in a transaction of their own, and raise JournalUnavailable at once.
    """

    def __init__(
        self,
        url: str,
        claims: Path,
        clock: Clock,
        *,
        on_state: Callable[[bool, str], None] = lambda available, text: None,
        patience: float = PATIENCE,
    ) -> None:
        """`clock`: of this host. `patience`: seconds after which a database that does not answer counts as away."""
        self.url = engine_url(url)
        self.claims = ClaimStore(claims)
        self.process = uuid.uuid4().hex
        self.clock = DatabaseClock(clock)
        self._on_state = on_state
        self._patience = patience
        self._engine: AsyncEngine | None = None
        self._reading: AsyncEngine | None = None
        self._group: GroupCommit | None = None
        self._transactions: Transactions | None = None
        self._heartbeat = Heartbeat(self.process, self.is_sqlite, self.change, self.clock, self._report_away)
        self.in_work: set[tuple[str, str]] = set()
        """Requests that may be repeated, by source and key, whose work this process has begun and not ended. A row of
        this process that is not among them has lost its answer."""
        self.beginning: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """Those of them that are being asked for right now."""
        self._log = structlog.get_logger("hub.journal")

    @property
    def table_version(self) -> str:
        """By which route table this process works."""
        return self._heartbeat.table_version

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def available(self) -> bool:
        """Whether the last thing the journal was asked for worked, and no commit has been waited for too long."""
        return self.trouble == "" if self._group is not None else False

    @property
    def trouble(self) -> str:
        """Why nothing can be recorded now; empty while everything can."""
        if self._group is None:
            return "not open"
        if not self._group.available:
            return "away"
        if self._group.age > SLOW_COMMIT:
            return f"a commit has been under way for {self._group.age:.0f}s"
        return self.claims.trouble

    async def open(self, *, migrate: bool = True, worker: bool = False) -> None:
        """Connects; brings the schema up to date with `migrate`. With `worker` this process is announced to the others
        and beats until `close`. Raises JournalUnavailable when the database can't be reached, ConfigError for a file
        that can't be a journal."""
        if self.is_sqlite:
            path = sqlite_path(self.url)
            if path is not None:
                refuse_unusable(path)
                path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = make_engine(self.url, self._patience)
        self._reading = reading(self._engine)
        try:
            if migrate:
                await self._migrate(self._engine)
            await self.read(self._heartbeat.ask_time)
        except (SQLAlchemyError, OSError, TimeoutError, JournalUnavailable) as error:
            await self._dispose()
            raise JournalUnavailable(
                f"the journal at {show_url(self.url)} can't be opened: {first_line(error)}"
            ) from error
        self._transactions = Transactions(self.url, self._engine, self.clock, self._patience)
        self._group = GroupCommit(self._transactions, IN_ORDER, self._on_state, self.clock)
        self._group.start()
        if worker:
            await asyncio.to_thread(self.claims.sweep, self.clock())
            await self._heartbeat.begin()

    async def _migrate(self, engine: AsyncEngine) -> None:
        if await transact(engine, is_current, self._patience, self.clock):
            return
        patient = make_engine(self.url, LONGEST_MIGRATION)
        try:
            await upgrade(patient)
        finally:
            await patient.dispose()

    async def close(self) -> None:
        if self._heartbeat.beats:
            await self._heartbeat.end()
            if self.available:
                await self._forget()
        if self._group is not None:
            await self._group.close()
        if self._transactions is not None:
            await self._transactions.close()
        await self._dispose()

    async def _dispose(self) -> None:
        for engine in (self._engine, self._reading):
            if engine is not None:
                await engine.dispose()

    def commit(self, entry: Entry) -> asyncio.Future[Committed]:
        """See GroupCommit.submit."""
        if self._group is None:
            raise JournalUnavailable("the journal is not open")
        return self._group.submit(entry)

    @property
    def counts(self) -> tuple[int, int]:
        """(transactions, entries) committed so far."""
        return (self._group.commits, self._group.entries) if self._group else (0, 0)

    async def read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """`await query(connection)` in a transaction that the database lets write nothing. Raises JournalUnavailable
        when the database is away, or has not answered for `patience` seconds."""
        return await self._transact(self._reading, query)

    async def rows(self, row: Callable[..., T], select: sa.Select[Any]) -> list[T]:
        """The rows of a select that was made of `columns` of their type. Raises as `read`."""

        async def query(connection: AsyncConnection) -> list[T]:
            return typed(row, await connection.execute(select))

        return await self.read(query)

    async def execute(self, statement: sa.Insert | sa.Update | sa.Delete) -> int:
        """A change that is one statement; how many rows it met."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(statement)).rowcount

        return await self.change(work)

    async def change(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """`await work(connection)` in a transaction of its own; once more when another transaction was in its way. What
        it gives exists after the commit. Raises as `read`."""
        return await self._transact(self._engine, work)

    async def _transact(self, engine: AsyncEngine | None, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        if engine is None:
            raise JournalUnavailable("the journal is not open")
        conflicts = 0
        while True:
            try:
                return await transact(engine, work, self._patience, self.clock)
            except Exception as error:
                if is_away(error) and not (engine is self._reading and is_refused_write(error)):
                    raise JournalUnavailable(f"the journal can't be reached: {first_line(error)}") from error
                conflicts += 1
                if not is_conflict(error) or conflicts > CONFLICTS:
                    raise

    async def ping(self) -> None:
        """Raises JournalUnavailable when the database doesn't answer, or claims can't be written."""

        async def query(connection: AsyncConnection) -> None:
            await connection.execute(sa.text("SELECT 1"))

        await self.read(query)
        if trouble := await asyncio.to_thread(self.claims.probe):
            raise JournalUnavailable(trouble)

    async def claim_body(self, digest: str) -> Body:
        """The body of a claim. Raises ClaimMissing when it isn't there: it is never silently empty."""
        stored = self.claims.open(digest)
        if stored is not None:
            return stored
        table = schema.claim

        async def find(connection: AsyncConnection) -> bytes | None:
            row = (await connection.execute(sa.select(table.c.body).where(table.c.digest == digest))).first()
            return bytes(row.body) if row is not None and row.body is not None else None

        body = await self.read(find)
        if body is None:
            raise ClaimMissing(f"claim {digest} is missing from the journal and from the claim store")
        return BytesBody(body)

    async def keep(self, body: bytes) -> StoredClaim:
        """Keeps a body; a large one is written by a thread. It is durable when its row is committed. While the claim
        store can't be written this waits, as `commit` waits for the database. Raises JournalUnavailable when the
        journal is closed meanwhile."""
        if len(body) <= INLINE:
            return self.claims.keep(body)
        pause = 0.1
        while True:
            try:
                return await asyncio.to_thread(self.claims.keep, body)
            except JournalUnavailable as error:
                if self._group is None or self._group.closing:
                    raise
                self._log.warning("claim_not_kept", error=str(error), again_in=pause)
            await self.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def announce(self, table_version: str) -> None:
        """See Heartbeat.announce."""
        await self._heartbeat.announce(table_version)

    async def _forget(self) -> None:
        with suppress(JournalUnavailable):
            await self.change(self._heartbeat.forget)

    def _report_away(self) -> None:
        if self._group is not None and self._group.available:
            self._group.submit(Entry())
