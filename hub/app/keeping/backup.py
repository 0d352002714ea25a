"""A backup of what a hub knows and holds, while it runs: one folder with the broker's messages, the journal and the
claims."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import orjson

from hub.app.keeping.kept_files import KEPT, take_along
from hub.app.keeping.left_behind import BROKER_FILE
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.clock.system_clock import SystemClock
from hub.configuration.site import Settings
from hub.core.errors import ConfigError, JournalUnavailable
from hub.journal.database.transfer import JournalTransfer, Progress
from hub.journal.database.urls import engine_url, sqlite_path

BROKER, JOURNAL, CLAIMS, MANIFEST = "broker.db", "hub.db", "claims", "backup.json"

FORMAT = 1

BUSY = 30.0
"""Seconds to wait for a file that is being written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. It is written last: a folder without it is no backup. `rebuild`: the messages and
    the journal are not of one moment, so a hub that starts on them publishes everything that is open from the
    journal."""

    format: int
    hub: str
    made_at: float
    broker: bool
    rebuild: bool
    messages: int
    claim_files: int
    kept_files: int = 0

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises ConfigError for a folder that is no whole backup."""
        try:
            found = cls(**orjson.loads((folder / MANIFEST).read_bytes()))
        except FileNotFoundError:
            raise ConfigError(f"{folder} is no backup, or one that was interrupted: it has no {MANIFEST}") from None
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{folder / MANIFEST} can't be read: {error}") from None
        if found.format != FORMAT:
            raise ConfigError(f"{folder} is a backup of format {found.format}; this hub reads format {FORMAT}")
        return found

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Backup:
    """Made by a process of its own.

    Two SQLite files are taken at one moment: what the hub finds after a restore is what it would find after a power
    loss at that moment, from which it loses nothing. A journal in PostgreSQL is taken in one view. The order is kept
    files, broker, journal, claims: what moves meanwhile exists at least once. Claims are never changed and stand before
    the rows that name them.
    """

    def __init__(
        self,
        folder: SiteFolder,
        settings: Settings,
        progress: Progress = lambda table, rows: None,
        kept: Collection[str] = (),
    ) -> None:
        """`kept`: see `kept_by`."""
        self._folder, self._settings, self._progress, self._kept = folder, settings, progress, kept
        self._url = engine_url(journal_url(folder, settings))

    async def make(self, target: Path) -> Manifest:
        """Raises ConfigError when `target` is there and not empty, or there is nothing to back up; JournalUnavailable
        when a file or the database can't be read."""
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError(f"{target} is there already: a backup goes into a folder of its own")
        journal = sqlite_path(self._url) if self._url.startswith("sqlite") else None
        if journal is not None and not journal.is_file():
            raise ConfigError(f"there is no journal {journal}: no hub has run on this site")
        target.mkdir(parents=True, exist_ok=True)
        kept = await asyncio.to_thread(take_along, self._folder.path, self._kept, target / KEPT)
        broker = self._folder.resolve(BROKER_FILE)
        files = [(broker, target / BROKER)] if self._settings.broker == "embedded" and broker.is_file() else []
        has_broker = bool(files)
        if journal is not None:
            files.append((journal, target / JOURNAL))
        try:
            await asyncio.to_thread(snapshot, files)
        except sqlite3.Error as error:
            raise JournalUnavailable(f"the backup can't be made: {error}") from error
        if journal is None:
            await JournalTransfer(self._url, str(target / JOURNAL), self._progress).run()
        claims = await asyncio.to_thread(link_claims, self._folder.resolve(self._settings.claims), target / CLAIMS)
        manifest = Manifest(
            format=FORMAT,
            hub=version("mediation-hub"),
            made_at=SystemClock()(),
            broker=has_broker,
            rebuild=True,  # a snapshot may lie between the commit of a decision and the publishing of its copies
            messages=await asyncio.to_thread(messages_in, target / JOURNAL),
            claim_files=claims,
            kept_files=kept,
        )
        (target / MANIFEST).write_bytes(orjson.dumps(manifest.as_dict(), option=orjson.OPT_INDENT_2))
        return manifest


def snapshot(files: list[tuple[Path, Path]]) -> None:
    """Copies SQLite files as they are at one moment: the first can't be written while the others are opened. Blocks.
    Raises sqlite3.Error."""
    if not files:
        return
    with closing(sqlite3.connect(files[0][0], isolation_level=None, timeout=BUSY)) as gate:
        readers = [sqlite3.connect(path, isolation_level=None, timeout=BUSY) for path, _ in files]
        try:
            gate.execute("BEGIN IMMEDIATE")
            for reader in readers:
                reader.execute("BEGIN")
                reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            gate.execute("ROLLBACK")
            for reader, (_, copy) in zip(readers, files, strict=True):
                with closing(sqlite3.connect(copy, isolation_level=None)) as writer:
                    reader.backup(writer)
                    (state,) = writer.execute("PRAGMA quick_check").fetchone()
                    if state != "ok":
                        raise sqlite3.DatabaseError(f"{copy.name} is damaged: {state}")
        finally:
            for reader in readers:
                reader.close()


def link_claims(source: Path, target: Path) -> int:
    """Links the files of large claims where both folders are on one file system, else copies them; how many. Blocks."""
    count = 0
    for path in source.glob("??/??/*"):
        there = target / path.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists():
            with replaced_at_end(there) as new:
                try:
                    os.link(path, new)
                except OSError:
                    shutil.copyfile(path, new)
        count += 1
    return count


@contextmanager
def replaced_at_end(path: Path) -> Iterator[Path]:
    """A name beside `path` that becomes it at the end."""
    new = path.with_name(f".new-{path.name}")
    new.unlink(missing_ok=True)
    yield new
    new.replace(path)


def messages_in(journal: Path) -> int:
    with closing(sqlite3.connect(journal)) as database:
        return int(database.execute("SELECT COUNT(*) FROM message").fetchone()[0])
