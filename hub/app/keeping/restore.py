"""Brings a backup back, to a site on which no hub has run."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from hub.app.keeping.backup import BROKER, CLAIMS, JOURNAL, Manifest, link_claims, replaced_at_end
from hub.app.keeping.kept_files import KEPT, bring_back
from hub.app.keeping.left_behind import BROKER_FILE
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.broker.embedded.lock import FileLock
from hub.clock.system_clock import SystemClock
from hub.configuration.site import Settings
from hub.core.errors import ConfigError
from hub.journal.database.transfer import JournalTransfer, Progress
from hub.journal.database.urls import engine_url, show_url, sqlite_path
from hub.journal.interchanges.control_counter import ControlCounter
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from hub.runtime.recovery.rebuilding import OWNER, WANTED

SKIP = 1000
"""Control numbers of each partner that are left out: those that were sent after the backup was made are not known any
more."""


class Restore:
    """The journal may be of another kind than it was: SQLite or PostgreSQL."""

    def __init__(self, folder: SiteFolder, settings: Settings, progress: Progress = lambda table, rows: None) -> None:
        self._folder, self._settings, self._progress = folder, settings, progress
        self._journal = journal_url(folder, settings)

    async def run(self, source: Path, skip: int = SKIP) -> tuple[Manifest, dict[str, int]]:
        """The backup's manifest, and the last control number of each partner. Raises ConfigError when the site has a
        journal or messages already, or `source` is no whole backup; JournalUnavailable when the database can't be
        written."""
        manifest = Manifest.read(source)
        lock = FileLock(self._folder.resolve("var/hub.lock"))
        lock.acquire("this site")
        try:
            self._refuse_what_is_there()
            await asyncio.to_thread(link_claims, source / CLAIMS, self._folder.resolve(self._settings.claims))
            if manifest.broker:
                await asyncio.to_thread(put, source / BROKER, self._folder.resolve(BROKER_FILE))
            await self._bring_journal(source / JOURNAL)
            await asyncio.to_thread(bring_back, source / KEPT, self._folder.path)
            return manifest, await self._go_on(manifest, skip)
        finally:
            lock.release()

    def _refuse_what_is_there(self) -> None:
        url = engine_url(self._journal)
        journal = sqlite_path(url) if url.startswith("sqlite") else None
        for path in (journal, self._folder.resolve(BROKER_FILE)):
            if path is not None and path.exists():
                raise ConfigError(
                    f"{path} is there already", hint="a backup is restored to a site without one: move it away"
                )

    async def _bring_journal(self, source: Path) -> None:
        url = engine_url(self._journal)
        path = sqlite_path(url) if url.startswith("sqlite") else None
        if path is not None:
            await asyncio.to_thread(put, source, path)
        else:
            await JournalTransfer(str(source), url, self._progress).run()

    async def _go_on(self, manifest: Manifest, skip: int) -> dict[str, int]:
        journal = Journal(self._journal, self._folder.resolve(self._settings.claims), SystemClock())
        await journal.open()
        try:
            if manifest.rebuild:
                await JournalMemory(journal, OWNER).put(WANTED, show_url(journal.url))
            return await ControlCounter(journal).skip(skip)
        finally:
            await journal.close()


def put(source: Path, target: Path) -> None:
    """Copies a file; it has its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced_at_end(target) as new:
        shutil.copyfile(source, new)
