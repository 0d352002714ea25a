"""Brings the journal's schema up to date, by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x6875622D6A
"""The PostgreSQL advisory lock under which one process migrates while the others wait."""


async def upgrade(engine: AsyncEngine) -> None:
    """Upgrades to the newest revision. Safe to run in several processes at once. A migration takes as long as it takes:
    `engine` should have no bound on statements."""
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await connection.run_sync(_upgrade)


async def is_current(connection: AsyncConnection) -> bool:
    """Whether there is nothing to upgrade."""
    return await connection.run_sync(_is_current)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; Alembic is loaded only where there is something to migrate."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    found.attributes["connection"] = connection
    return found


def _upgrade(connection: Connection) -> None:
    if _is_current(connection):
        return
    from alembic import command

    command.upgrade(config(connection), "head")


HEAD = "0014"
"""The newest revision; a test compares it with the migration scripts."""
