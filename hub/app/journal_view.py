"""The journal for those who only look: what is not there is not made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.clock.system_clock import SystemClock
from hub.configuration.site import Settings
from hub.journal.database.urls import engine_url, sqlite_path
from hub.journal.journal import Journal


def missing_journal(folder: SiteFolder, settings: Settings) -> Path | None:
    """The file of an SQLite journal that no hub has made yet; None where it is there, or on a server. Raises
    ConfigError."""
    url = engine_url(journal_url(folder, settings))
    path = sqlite_path(url) if url.startswith("sqlite") else None
    return path if path is not None and not path.exists() else None


@asynccontextmanager
async def looking_at(folder: SiteFolder, settings: Settings) -> AsyncIterator[Journal]:
    """The journal of a site, open. Where no hub has made it yet, an empty one elsewhere: a file that a query made would
    belong to whoever asked, and a hub of another user could not open it. Raises JournalUnavailable and ConfigError."""
    if missing_journal(folder, settings) is None:
        async with opened(journal_url(folder, settings), folder.resolve(settings.claims)) as journal:
            yield journal
        return
    with TemporaryDirectory(prefix="hub-") as empty:
        async with opened(f"{empty}/hub.db", Path(empty) / "claims") as journal:
            yield journal


@asynccontextmanager
async def opened(url: str, claims: Path) -> AsyncIterator[Journal]:
    journal = Journal(url, claims, SystemClock())
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()
