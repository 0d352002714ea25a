"""Journals whose schema is up to date before anybody opens them: migrations run once, and are copied."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import asyncpg

from hub.journal.database.engines import make_engine
from hub.journal.database.urls import engine_url
from hub.journal.migrate import upgrade

TEMPLATE = "hub_migrated"
"""A database of the run's PostgreSQL, from which those of the tests are copied."""

LOCK = 1
"""The advisory lock under which one worker of the run makes it."""


def lay_journal(path: Path) -> None:
    """Puts an empty journal there, where none is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_file(), path)


@cache
def _file() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hub-migrated-")) / "hub.db"
    with ThreadPoolExecutor(1) as thread:  # the caller's event loop runs
        thread.submit(asyncio.run, _migrate(str(path))).result()
    return path


async def _migrate(url: str) -> None:
    engine = make_engine(engine_url(url))
    await upgrade(engine)
    await engine.dispose()


async def make_template(connection: asyncpg.Connection, url: str) -> None:
    """Makes TEMPLATE, unless it is there. `url` is that of a database whose name takes its place."""
    await connection.execute(f"SELECT pg_advisory_lock({LOCK})")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
            await connection.execute(f"CREATE DATABASE {TEMPLATE}_new")
            await _migrate(f"{url.rpartition('/')[0]}/{TEMPLATE}_new")
            await connection.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}")
    finally:
        await connection.execute(f"SELECT pg_advisory_unlock({LOCK})")
