"""The record of this process among those that share a journal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import JournalUnavailable
from hub.journal import schema
from hub.journal.database.clock import DatabaseClock, database_now
from hub.journal.database.faults import first_line
from hub.journal.processes.host import gone, this_host
from hub.journal.processes.processes import HEARTBEAT_SECONDS, LIVE_SECONDS

Change = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]
"""Runs a change in a transaction of its own. Raises JournalUnavailable."""


class Heartbeat:
    """Others see by it that this process lives. `on_silence` is called when a beat could not be written."""

    def __init__(
        self, process: str, is_sqlite: bool, change: Change, clock: DatabaseClock, on_silence: Callable[[], None]
    ) -> None:
        self._process = process
        self._is_sqlite = is_sqlite
        self._change = change
        self._clock = clock
        self._on_silence = on_silence
        self.table_version = ""
        self._task: asyncio.Task[None] | None = None
        self._skewed = False
        self._log = structlog.get_logger("hub.journal")

    async def begin(self) -> None:
        """Announces this process, and beats until `end`. Raises JournalUnavailable."""
        await self._change(self._forget_others)
        await self._change(self.say_alive)
        self._task = asyncio.create_task(self._beat(), name="journal-heartbeat")

    async def end(self) -> None:
        """No beat follows."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def announce(self, table_version: str) -> None:
        """Tells the others by which route table this process works from now on, before it makes a copy by it."""
        self.table_version = table_version
        if self._task is not None:
            await self._change(self.say_alive)

    @property
    def beats(self) -> bool:
        return self._task is not None

    async def _forget_others(self, connection: AsyncConnection) -> None:
        """SQLite has one process at a time; with PostgreSQL those go that have been silent for long, and those of this
        machine that have ended: what they were sending may be taken over at once."""
        table = schema.process
        if self._is_sqlite:
            await connection.execute(sa.delete(table))
            return
        long_silent = database_now(self._is_sqlite) - 20 * LIVE_SECONDS
        await connection.execute(sa.delete(table).where(table.c.heartbeat_at < long_silent))
        ended = [row.id for row in await connection.execute(sa.select(table)) if gone(row.host, row.pid)]
        await connection.execute(sa.delete(table).where(table.c.id.in_(ended)))

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_SECONDS)
            try:
                await self._change(self.say_alive)
            except (JournalUnavailable, SQLAlchemyError) as error:
                self._log.warning("heartbeat_not_written", cause=first_line(error))
                self._on_silence()

    async def say_alive(self, connection: AsyncConnection) -> None:
        """Also after another process, or a person, has removed the row: who beats lives. The time is the database's."""
        now = database_now(self._is_sqlite)
        insert = sqlite.insert if self._is_sqlite else postgresql.insert
        row = insert(schema.process).values(
            id=self._process, host=this_host(), pid=os.getpid(), started_at=now,
            heartbeat_at=now, table_version=self.table_version,
        )  # fmt: skip
        beat = {"heartbeat_at": now, "table_version": self.table_version}
        await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=beat))
        await self.ask_time(connection)

    async def ask_time(self, connection: AsyncConnection) -> None:
        """Follows the clock of the database; says so when this host's own is another one."""
        self._clock.adopt(float((await connection.execute(sa.select(database_now(self._is_sqlite)))).scalar_one()))
        if self._clock.is_skewed != self._skewed:
            self._skewed = self._clock.is_skewed
            self._log.warning("clock_skew", skew=round(self._clock.skew, 1), text=self._clock.told or "synchronized")

    async def forget(self, connection: AsyncConnection) -> None:
        """This process has ended."""
        await connection.execute(sa.delete(schema.process).where(schema.process.c.id == self._process))
