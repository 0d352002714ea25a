"""Takes the history of a site to another journal: rows and large claims, while no hub runs on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from hub.app.site_folder import SiteFolder
from hub.broker.embedded.lock import FileLock
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError, JournalUnavailable
from hub.core.ports import FileBody
from hub.journal.commands import Commands
from hub.journal.commit.claims import ClaimStore
from hub.journal.database.transfer import JournalTransfer, Progress, Transferred, mark_copied
from hub.journal.database.urls import engine_url, show_url
from hub.journal.journal import Journal


@dataclass(frozen=True, slots=True)
class JournalStore:
    """A journal and the folder of its large claims."""

    journal: str
    claims: Path

    @property
    def is_file(self) -> bool:
        return engine_url(self.journal).startswith("sqlite")


class JournalCopy:
    """One copy. Claims go first, because rows may only refer to what is there."""

    def __init__(self, folder: SiteFolder, source: JournalStore, target: JournalStore, progress: Progress) -> None:
        self._source, self._target, self._progress = source, target, progress
        self._lock = FileLock(folder.resolve("var/hub.lock")) if source.is_file or target.is_file else None

    async def run(self) -> tuple[Transferred, int]:
        """What was copied, and how many claims are in the target's folder. Raises ConfigError when a hub runs, or the
        target holds rows; JournalUnavailable when the copy can't be made."""
        transfer = JournalTransfer(self._source.journal, self._target.journal, self._progress)
        if self._lock is not None:
            self._lock.acquire("this site")
        try:
            if not self._source.is_file:
                await self._refuse_running()
            claims = await asyncio.to_thread(copy_claims, self._source.claims, self._target.claims)
            done = await transfer.run()
            clock = Journal(self._source.journal, self._source.claims, SystemClock()).clock
            await mark_copied(self._source.journal, self._target.journal, clock())
            return done, claims
        finally:
            if self._lock is not None:
                self._lock.release()

    async def _refuse_running(self) -> None:
        journal = Journal(self._source.journal, self._source.claims, SystemClock())
        await journal.open()
        try:
            running = await Commands(journal).processes()
        finally:
            await journal.close()
        if running:
            who = ", ".join(f"{row.pid} on {row.host.partition('/')[0]}" for row in running)
            raise ConfigError(
                f"hubs run on {show_url(journal.url)} (pid {who})", hint="stop them: a copy needs a journal at rest"
            )


def copy_claims(source: Path, target: Path) -> int:
    """Copies the files of large claims that are not there yet, each checked by its digest; how many there are. Blocks.
    Raises JournalUnavailable."""
    if source.resolve() == target.resolve():
        return 0
    store, count = ClaimStore(target), 0
    for path in sorted(source.glob("??/??/*")):
        there = store.path(path.name)
        if not (there.exists() and there.stat().st_size == path.stat().st_size):
            kept = store.keep_stream(FileBody(path))
            if kept.digest != path.name or kept.row is not None:
                raise JournalUnavailable(f"the claim {path} is damaged: its bytes have the digest {kept.digest}")
        count += 1
    return count
