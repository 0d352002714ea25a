"""The schema that the migrations make is the one that the code expects; what was there before stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.clock.system_clock import SystemClock
from hub.journal import migrate, schema
from hub.journal.database.engines import make_engine
from hub.journal.database.urls import engine_url
from hub.journal.journal import Journal


@pytest.fixture(params=["sqlite", "postgres"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database without tables."""
    return str(tmp_path / "hub.db" if request.param == "sqlite" else request.getfixturevalue("empty_database_url"))


@pytest.fixture
def engine(journal_url: str) -> AsyncEngine:
    return make_engine(engine_url(journal_url))


def test_head_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(migrate.config()).get_current_head() == migrate.HEAD


async def test_the_migrations_make_the_tables_that_the_code_expects(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))

    await migrate.upgrade(engine)
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_journal_of_the_first_version_is_brought_up_to_date_with_what_it_holds(
    engine: AsyncEngine, journal_url: str, tmp_path: Path
) -> None:
    def first(connection: Connection) -> None:
        command.upgrade(migrate.config(connection), "0001")
        row = ("d", "out", "r", "delivered", 1, "key", 1, 1.0, 1.0)
        columns = "document_id, destination, route, status, generation, key, attempts, first_at, updated_at"
        marks = ", ".join(repr(value) for value in row)
        connection.execute(sa.text(f"INSERT INTO effect ({columns}) VALUES ({marks})"))

    async with engine.begin() as connection:
        await connection.run_sync(first)
    await engine.dispose()
    journal = Journal(journal_url, tmp_path / "claims", SystemClock())
    await journal.open()

    async def effects(connection: object) -> list[tuple[str, None]]:
        rows = await connection.execute(sa.select(schema.effect.c.status, schema.effect.c.facts))  # type: ignore[attr-defined]
        return [tuple(row) for row in rows]

    assert await journal.read(effects) == [("delivered", None)]
    await journal.close()
