"""A folder as a source: files are claimed by an atomic rename, offered, and put away."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field

from adapters.file.moving import move, sweep
from adapters.inbox.due_files import SELDOM, SOON, DueFiles, Failure
from adapters.inbox.file_names import NamePatterns, printable, show_name, with_mark, without_mark
from adapters.inbox.folder_sync import sync
from adapters.inbox.offered_files import OfferedFiles
from adapters.inbox.settling import SettlingFiles
from adapters.inbox.spool import SMALL
from hub.core.context import Context
from hub.core.errors import HubError, TransientError
from hub.core.options.duration import Duration, seconds
from hub.core.options.name_pattern import FactsOfNames, facts_of_names
from hub.core.plugin import Options
from hub.core.ports import Arrival, Body, BytesBody, FileBody, Take

WORK = ".hub-work"
Version = tuple[int, int, int]
"""Inode, size and time of the last change: what tells whether a file is still the same."""


class FileSourceOptions(Options):
    """A folder in which files are dropped."""

    store: str | None = Field(None, description="The name of a `store` endpoint; without it a folder of this machine.")
    folder: str = Field(description="The folder to watch, relative to the site, or to the store. Created when missing.")
    match: str = Field("*", description="Which files to take: a glob over the file name.")
    name: FactsOfNames = None
    ignore: tuple[str, ...] = Field(
        ("*.tmp", "*.part", ".*"), description="Names that are still being written; take them once they are renamed."
    )
    settle: Duration = Field(
        "2s",
        description=(
            "A file is taken once its size and time have not changed for so long; `0s` where files are renamed in."
        ),
    )
    poll: Duration = Field("1s", description="How often to look.")
    done: str | None = Field(None, description="Where taken files go; without it `done` inside the folder.")
    failed: str | None = Field(
        None, description="Where files go of which nothing could be read; without it `failed` inside the folder."
    )


class FileSource:
    """Watches one folder.

    A file is claimed by a rename into `.hub-work` inside the folder, and locked while it is worked on, so that two hubs
    never take the same one. What a crash left in `.hub-work` is offered again first. Symbolic links and other things
    that are not regular files are never followed or taken. A file that can't be worked on waits there and is tried
    again, ever more seldom, while the others go on; one that was taken and could not be put away is only moved again. A
    file that was changed after it was claimed is offered again as it is then, and put away only when it has rested.
    """

    def __init__(self, name: str, options: FileSourceOptions, context: Context) -> None:
        self._name = name
        self._patterns = NamePatterns((options.match,), options.ignore)
        site = context.site
        self._folder = site / options.folder
        self._work = self._folder / WORK
        self._done = site / options.done if options.done else self._folder / "done"
        self._failed = site / options.failed if options.failed else self._folder / "failed"
        self._poll, settle = seconds(options.poll), seconds(options.settle)
        self._log, self._clock = context.log, context.clock
        self._facts = facts_of_names(options.name)
        self._settling = SettlingFiles(settle, context.clock.monotonic)
        self._unclaimed = DueFiles(name, self._poll, context.clock, context.log)
        self._claimed = DueFiles(name, max(self._poll, settle), context.clock, context.log)
        self._offered = OfferedFiles()
        self._new: set[str] = set()
        """Claimed by this process, and not offered yet."""

    async def run(self, take: Take) -> None:
        for folder in (self._done, self._failed):
            await asyncio.to_thread(sweep, folder, self._clock())
        while True:
            try:
                paths = await asyncio.to_thread(self._claim_ready)
            except OSError as error:
                where = printable(str(error.filename or self._folder))
                raise TransientError(f"{where} can't be used: {error.strerror or error}", "unreachable") from error
            await self._round(paths, take)
            await self._clock.sleep(self._poll)

    async def _round(self, paths: list[Path], take: Take) -> None:
        """Offers what is due. Memories of files that are gone end here."""
        names = {path.name for path in paths}
        self._claimed.keep(names)
        self._offered.keep(names)
        await self._claimed.offer(paths, lambda path: self._offer(path, take), self._judge)

    def _claim_ready(self) -> list[Path]:
        """Claims what is ready. Blocks; gives the paths in the work folder, oldest names first."""
        self._work.mkdir(parents=True, exist_ok=True)
        for folder in (self._done, self._failed):
            with suppress(OSError):  # told when a file can't be put there; until then everything else goes on
                folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(self._folder) as entries:
            found = sorted((entry for entry in entries if self._is_wanted(entry)), key=lambda entry: entry.name)
        names = {entry.name for entry in found}
        self._unclaimed.keep(names)
        self._settling.keep(names)
        claimed = False
        for entry in found:
            try:
                claimed |= self._claim_settled(entry)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._unclaimed.postpone(entry.name, error, Failure(SELDOM, "file_not_claimed"))
        if claimed:
            sync(self._work)
        return sorted(path for path in self._work.iterdir() if path.is_file() and not path.is_symlink())

    def _claim_settled(self, entry: os.DirEntry[str]) -> bool:
        """Claims a file that has settled."""
        state = entry.stat(follow_symlinks=False)
        settled = self._settling.has_settled(entry.name, version_of(state))
        if settled and self._unclaimed.is_due(entry.name):
            self._claim(Path(entry.path), state.st_ino)
            return True
        return False

    def _is_wanted(self, entry: os.DirEntry[str]) -> bool:
        return entry.is_file(follow_symlinks=False) and self._patterns.wants(entry.name)

    def _claim(self, path: Path, inode: int) -> None:
        """One rename: of two hubs only one succeeds. No other file that is alive has the same inode, so nothing is
        replaced."""
        marked = with_mark(path.name, inode)
        path.rename(self._work / marked)
        self._new.add(marked)

    async def _offer(self, path: Path, take: Take) -> None:
        """One file, if no other hub works on it."""
        with locked(path) as mine:
            if mine:
                await self._work_on(path, take)

    def _judge(self, path: Path, error: Exception) -> Failure | None:
        if isinstance(error, FileNotFoundError) and not path.exists():
            return None
        event = "file_not_put_away" if path.name in self._offered else "file_not_taken"
        return Failure(SOON if isinstance(error, HubError) else SELDOM, event)

    async def _work_on(self, path: Path, take: Take) -> None:
        """Offers the file, unless it was taken as it is now, and puts it away, unless it was changed meanwhile."""
        name, offered = without_mark(path.name), version(path)
        taken = self._offered.find(path.name, offered)
        if taken is None:
            body, offered = await asyncio.to_thread(snapshot, path)
            again = path.name not in self._new
            self._new.discard(path.name)
            taken = await take(self._arrival(body, name, again))
        if version(path) != offered:
            changed = TransientError("changed after it was claimed; it will be offered again", "busy")
            self._claimed.postpone(path.name, changed, Failure(SELDOM, "file_changed"))
            return
        self._offered.note(path.name, offered, taken)
        await asyncio.to_thread(move, path, self._failed if taken.failed else self._done, name)
        self._offered.forget(path.name)
        self._claimed.end_pauses(path.name)
        await taken.settled()

    def _arrival(self, body: Body, name: str, again: bool) -> Arrival:
        return Arrival(self._name, body, show_name(name), facts=self._facts(name), offered_again=again)


def version(path: Path) -> Version:
    return version_of(path.stat())


def version_of(state: os.stat_result) -> Version:
    return state.st_ino, state.st_size, state.st_mtime_ns


def snapshot(path: Path) -> tuple[Body, Version]:
    """What to offer of a file, and the version that it had before it was read."""
    with path.open("rb") as stream:
        before = version_of(os.fstat(stream.fileno()))
        raw = stream.read(SMALL + 1) if before[1] <= SMALL else None
    body = FileBody(path) if raw is None or len(raw) > SMALL else BytesBody(raw)
    return body, before


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Holds the file while it is worked on; False when another process holds it. A crash lets it go."""
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield path.exists()
