"""Engines of the journal's database, and transactions that never wait for it without a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hub.core.clock import Clock
from hub.journal.database.faults import DatabaseSilent

T = TypeVar("T")

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "temp_store=MEMORY", "cache_size=-65536")

PATIENCE = 15.0
"""Seconds that one transaction on PostgreSQL may take, connecting included. After it the connection is cut, here and by
the server: a link that fell silent, or a host that vanished, keeps neither a hub nor a row lock."""

CONNECT = 10.0
LOCK_WAIT = 10.0
"""Seconds that a connection, or the lock of another transaction, is waited for."""

IDLE = "idle_connections"
"""The execution option under which an engine of PostgreSQL keeps the set of its idle connections, so that they can be
cut."""

GRACE = 3.0
"""Seconds in which a transaction that was given up may still end in order; then its connection is cut."""


def make_engine(url: str, patience: float = PATIENCE) -> AsyncEngine:
    """For reading and for single decisions."""
    if url.startswith("sqlite"):
        engine = create_async_engine(url, connect_args={"timeout": 30})
        sa.event.listen(engine.sync_engine, "connect", set_pragmas)
        return engine
    idle: set[Any] = set()
    engine = create_async_engine(
        url,
        execution_options={IDLE: idle},
        pool_size=4,
        max_overflow=2,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={"timeout": min(CONNECT, patience), "command_timeout": patience},
    )

    def bound_waits(connection: Any, record: object) -> None:
        """`SET`, and no startup parameters, which connection poolers refuse."""
        connection.run_async(lambda driver: driver.execute(waits(patience)))

    def remember(connection: Any, *_: object) -> None:
        if connection is not None:
            idle.add(connection.driver_connection)

    def forget(connection: Any, *_: object) -> None:
        if connection is not None:
            idle.discard(connection.driver_connection)

    sa.event.listen(engine.sync_engine, "connect", bound_waits)
    sa.event.listen(engine.sync_engine, "checkin", remember)
    for event in ("checkout", "close", "invalidate"):
        sa.event.listen(engine.sync_engine, event, forget)
    return engine


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The engine again, for transactions that can't write. On PostgreSQL the two share their connections."""
    if engine.dialect.name != "sqlite":
        return engine.execution_options(postgresql_readonly=True)
    made = make_engine(engine.url.render_as_string(hide_password=False))
    sa.event.listen(made.sync_engine, "connect", lambda connection, record: pragma(connection, "query_only=ON"))
    return made


def waits(patience: float) -> str:
    """What a session tells the server: how long it may hold locks idly, wait for those of others, and be silent."""
    milliseconds = round(patience * 1000)
    settings = {
        "idle_in_transaction_session_timeout": milliseconds,
        "statement_timeout": milliseconds,
        "lock_timeout": round(min(LOCK_WAIT, patience) * 1000),
        "tcp_keepalives_idle": 10,
        "tcp_keepalives_interval": 5,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": milliseconds,
    }
    return "; ".join(f"SET {name} = {value}" for name, value in settings.items())


def set_pragmas(connection: Any, record: object) -> None:
    pragma(connection, *PRAGMAS)


def pragma(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for one in pragmas:
        cursor.execute(f"PRAGMA {one}")
    cursor.close()


async def transact(
    engine: AsyncEngine, step: Callable[[AsyncConnection], Awaitable[T]], patience: float, clock: Clock
) -> T:
    """`await step(connection)` in a transaction of its own. Raises Silent when the database has not answered within
    `patience` seconds: the connection is cut then, and so is every idle one, which may have fallen silent with it. A
    caller that is cancelled does not wait for the database either."""
    if engine.dialect.name == "sqlite":  # in threads of this process: nothing falls silent
        async with engine.begin() as connection:
            return await step(connection)
    driver: list[Any] = []
    running = asyncio.ensure_future(_run(engine, step, driver))
    try:
        with suppress(TimeoutError):
            async with clock.timeout(patience):
                await asyncio.wait({running})
    except asyncio.CancelledError:
        _give_up(running, driver, clock)
        raise
    if not running.done():
        _cut(driver)
        running.cancel()
        _give_up(running, driver, clock)
        await _cut_idle(engine)
        raise DatabaseSilent(f"the database has not answered for {patience:g}s")
    return running.result()


async def _run(engine: AsyncEngine, step: Callable[[AsyncConnection], Awaitable[T]], driver: list[Any]) -> T:
    async with engine.connect() as connection:
        driver.append((await connection.get_raw_connection()).driver_connection)
        async with connection.begin():
            return await step(connection)


def _give_up(running: asyncio.Future[Any], driver: list[Any], clock: Clock) -> None:
    running.cancel()
    later = clock.call_later(GRACE, _cut, driver)

    def ended(future: asyncio.Future[Any]) -> None:
        later.cancel()
        if not future.cancelled():
            future.exception()

    running.add_done_callback(ended)


async def _cut_idle(engine: AsyncEngine) -> None:
    """Gives the engine an empty pool. Closing a silent connection in order would wait for it, so each is aborted."""
    idle: set[Any] = engine.get_execution_options()[IDLE]
    _cut(list(idle))
    idle.clear()
    await engine.dispose(close=False)


def _cut(driver: list[Any]) -> None:
    """Aborts the connection: whatever waits for it fails at once."""
    for connection in driver:
        with suppress(Exception):
            connection.terminate()


class Transactions:
    """Runs functions in transactions, one after the other. SQLite has a thread of its own, so that a batch costs one
    hop and the disk never holds the event loop; PostgreSQL is asked through its asynchronous driver."""

    def __init__(self, url: str, engine: AsyncEngine, clock: Clock, patience: float = PATIENCE) -> None:
        self._engine = engine
        self._clock = clock
        self._patience = patience
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
        await transact(self._engine, lambda connection: connection.run_sync(work), self._patience, self._clock)

    def _on_thread(self, work: Callable[[Connection], None]) -> None:
        assert self._own is not None  # noqa: S101  (there is a thread)
        with self._own.begin() as connection:
            work(connection)

    async def close(self) -> None:
        if self._thread is not None and self._own is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._own.dispose)
            self._thread.shutdown()
