"""Every test with a `journal` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock.system_clock import SystemClock
from hub.journal.journal import Journal
from tests.support.migrated import lay_journal


@pytest.fixture(params=["sqlite", "postgres"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        lay_journal(tmp_path / "hub.db")
        return str(tmp_path / "hub.db")
    return str(request.getfixturevalue("database_url"))


@pytest.fixture
def states() -> list[bool]:
    """What the journal said of itself, in order."""
    return []


@pytest.fixture
async def journal(journal_url: str, tmp_path: Path, states: list[bool]) -> AsyncIterator[Journal]:
    made = Journal(
        journal_url, tmp_path / "claims", SystemClock(), on_state=lambda available, _: states.append(available)
    )
    await made.open(worker=True)
    yield made
    await made.close()
