"""Engines of the journal's database, and the way of its group commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "temp_store=MEMORY", "cache_size=-65536")


def make_engine(url: str) -> AsyncEngine:
    """For reading and for single decisions."""
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=4, max_overflow=2, pool_pre_ping=True, pool_timeout=10)
    engine = create_async_engine(url, connect_args={"timeout": 30})
    sa.event.listen(engine.sync_engine, "connect", set_pragmas)
    return engine


def set_pragmas(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Transactions:
    """Runs functions in transactions, one after the other. SQLite has a thread of its own, so that a batch costs one hop and
    the disk never holds the event loop; PostgreSQL is asked through its asynchronous driver."""

    def __init__(self, url: str, engine: AsyncEngine) -> None:
        self._engine = engine
        self._own: Engine | None = None
        self._thread: ThreadPoolExecutor | None = None
        if url.startswith("sqlite"):
            plain = url.replace("+aiosqlite", "", 1)
            self._own = sa.create_engine(plain, connect_args={"timeout": 30, "check_same_thread": False})
            sa.event.listen(self._own, "connect", set_pragmas)
            self._thread = ThreadPoolExecutor(1, "journal")

    async def __call__(self, work: Callable[[Connection], None]) -> None:
        """Returns after the commit."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._on_thread, work)
            return
        async with self._engine.begin() as connection:
            await connection.run_sync(work)

    def _on_thread(self, work: Callable[[Connection], None]) -> None:
        assert self._own is not None  # noqa: S101  (there is a thread)
        with self._own.begin() as connection:
            work(connection)

    async def close(self) -> None:
        if self._thread is not None and self._own is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._own.dispose)
            self._thread.shutdown()
