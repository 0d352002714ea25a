"""Files in folders: a source that claims by an atomic rename, a destination that writes atomically."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pydantic import Field

from hub.core.duration import Duration, seconds
from hub.core.errors import HubError, MappingError, RejectedError, TransientError, TransientKind
from hub.core.naming import render
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Arrival, FileBody, Outgoing, Receipt, Take, Taken

WORK = ".hub-work"
AT_ONCE = 8
"""Files of one folder that are in work at once."""

FULL = (errno.ENOSPC, errno.EDQUOT)


class FileSourceOptions(Options):
    """A folder in which files are dropped."""

    folder: str = Field(description="The folder to watch, relative to the site. Created when missing.")
    match: str = Field("*", description="Which files to take: a glob over the file name.")
    ignore: tuple[str, ...] = Field(
        ("*.tmp", "*.part", ".*"), description="Names that are still being written; take them once they are renamed."
    )
    settle: Duration = Field(
        "2s",
        description="A file is taken once its size and time have not changed for so long; `0s` where files are renamed in.",
    )
    poll: Duration = Field("1s", description="How often to look.")
    done: str | None = Field(None, description="Where taken files go; without it `done` inside the folder.")
    failed: str | None = Field(
        None, description="Where files go of which nothing could be read; without it `failed` inside the folder."
    )


class FileSource:
    """Watches one folder.

    A file is claimed by a rename into `.hub-work` inside the folder, and locked while it is worked on, so that two hubs
    never take the same one. What a crash left in `.hub-work` is offered again first. Symbolic links and other
    things that are not regular files are never followed or taken.
    """

    def __init__(self, name: str, options: FileSourceOptions, context: Context) -> None:
        self._name = name
        self._options = options
        site = Path(context.site)
        self._folder = site / options.folder
        self._work = self._folder / WORK
        self._done = site / options.done if options.done else self._folder / "done"
        self._failed = site / options.failed if options.failed else self._folder / "failed"
        self._settle = seconds(options.settle)
        self._poll = seconds(options.poll)
        self._log = context.log
        self._seen: dict[str, tuple[int, int, float]] = {}

    async def run(self, take: Take) -> None:
        while True:
            try:
                paths = await asyncio.to_thread(self._claim_ready)
            except OSError as error:
                self._log.warning("source_unreadable", source=self._name, folder=str(self._folder), error=str(error))
                paths = []
            free = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for path in paths:
                    group.create_task(self._offer(path, take, free))
            await asyncio.sleep(self._poll)

    def _claim_ready(self) -> list[Path]:
        """Claims what is ready. Blocks; gives the paths in the work folder, oldest names first."""
        for folder in (self._folder, self._work, self._done, self._failed):
            folder.mkdir(parents=True, exist_ok=True)
        now = asyncio_time()
        seen: dict[str, tuple[int, int, float]] = {}
        with os.scandir(self._folder) as entries:
            found = sorted((entry for entry in entries if self._wanted(entry)), key=lambda entry: entry.name)
        for entry in found:
            try:
                state = entry.stat(follow_symlinks=False)
                size, changed = state.st_size, state.st_mtime_ns
                before = self._seen.get(entry.name)
                since = before[2] if before and before[:2] == (size, changed) else now
                if now - since >= self._settle:
                    self._claim(Path(entry.path), state.st_ino)
                else:
                    seen[entry.name] = (size, changed, since)
            except FileNotFoundError:
                continue
        self._seen = seen
        return sorted(path for path in self._work.iterdir() if path.is_file() and not path.is_symlink())

    def _wanted(self, entry: os.DirEntry[str]) -> bool:
        return (
            entry.is_file(follow_symlinks=False)
            and fnmatchcase(entry.name, self._options.match)
            and not any(fnmatchcase(entry.name, pattern) for pattern in self._options.ignore)
        )

    def _claim(self, path: Path, inode: int) -> None:
        """One rename: of two hubs only one succeeds. No other file that is alive has the same inode, so nothing is replaced."""
        path.rename(self._work / f"{path.name}~{inode}")
        sync(self._work)

    async def _offer(self, path: Path, take: Take, free: asyncio.Semaphore) -> None:
        try:
            async with free:
                with locked(path) as mine:
                    if mine:
                        taken = await take(Arrival(self._name, FileBody(path), original_name(path)))
                        await asyncio.to_thread(self._put_away, path, taken)
        except FileNotFoundError:
            return
        except (HubError, OSError) as error:
            self._log.warning("file_not_taken", source=self._name, file=path.name, error=str(error))
            await asyncio.sleep(self._poll)

    def _put_away(self, path: Path, taken: Taken) -> None:
        free_name(path, self._failed if taken.failed else self._done, original_name(path))


class FileDestinationOptions(Options):
    """A folder into which documents are written."""

    folder: str = Field(description="The folder, relative to the site. Created when missing.")
    name: str = Field(
        "{document}_{number}.json", description="The file name; `{fact}` is substituted, unsafe characters become `_`."
    )
    overwrite: bool = Field(
        False, description="Whether a file of that name with other contents is replaced; else it is refused."
    )


class FileDestination:
    """Writes a temporary file, syncs it, and renames it: a reader sees the whole file or none. A file that stands there
    with the same contents counts as delivered."""

    def __init__(self, options: FileDestinationOptions, context: Context) -> None:
        self._folder = Path(context.site) / options.folder
        self._name = options.name
        self._overwrite = options.overwrite

    async def send(self, outgoing: Outgoing) -> Receipt:
        try:
            name = render(self._name, outgoing.facts)
        except MappingError as error:
            raise RejectedError(str(error), code="no_name") from error
        try:
            return await asyncio.to_thread(self._write, name, outgoing.body)
        except OSError as error:
            kind: TransientKind = "busy" if error.errno in FULL else "unreachable"
            raise TransientError(f"{self._folder / name}: {error.strerror}", kind) from error

    def _write(self, name: str, body: bytes) -> Receipt:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / name
        if not self._overwrite and target.exists():
            return same_or_refused(target, body)
        with NamedTemporaryFile(dir=self._folder, prefix=".new-", suffix=".tmp", delete=False) as new:
            try:
                new.write(body)
                new.flush()
                os.fsync(new.fileno())
                self._place(Path(new.name), target)
            except FileExistsError:
                return same_or_refused(target, body)
            finally:
                Path(new.name).unlink(missing_ok=True)
        sync(self._folder)
        return Receipt(f"written to {name}")

    def _place(self, new: Path, target: Path) -> None:
        new.chmod(0o644)
        if self._overwrite:
            new.replace(target)
        else:
            os.link(new, target)

    async def close(self) -> None:
        return None


def same_or_refused(target: Path, body: bytes) -> Receipt:
    if target.is_file() and target.stat().st_size == len(body):
        there = hashlib.sha256(target.read_bytes()).digest()
        if there == hashlib.sha256(body).digest():
            return Receipt(f"{target.name} stood there already, with the same contents")
    raise RejectedError(f"{target.name} stands there already with other contents", code="exists")


def free_name(path: Path, folder: Path, name: str | None = None) -> Path:
    """Moves a file into a folder under its own name, or `name~2`, `name~3`, ... where that is taken. Atomic: an existing
    file is never replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = name or path.name
    for number in range(1, 100_000):
        target = folder / (wanted if number == 1 else f"{wanted}~{number}")
        try:
            os.link(path, target, follow_symlinks=False)
        except FileExistsError:
            continue
        path.unlink()
        sync(folder)
        return target
    raise OSError(f"no free name for {wanted} in {folder}")


def original_name(path: Path) -> str:
    stem, mark, number = path.name.rpartition("~")
    return stem if mark and number.isdigit() else path.name


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def asyncio_time() -> float:
    """A clock that never goes back."""
    return os.times().elapsed


def build_source(name: str, options: Any, context: Context) -> FileSource:
    return FileSource(name, options, context)


def build_destination(name: str, options: Any, context: Context) -> FileDestination:
    return FileDestination(options, context)


PLUGINS = (
    Plugin(
        name="file",
        kind="source",
        options=FileSourceOptions,
        summary="Takes the files that are dropped into a folder.",
        example='folder: var/drop/acme\nmatch: "*.edi"\nsettle: 2s\n',
        build=build_source,
    ),
    Plugin(
        name="file",
        kind="destination",
        options=FileDestinationOptions,
        summary="Writes each document to a file of its own, atomically.",
        example='folder: var/out/invoices\nname: "{document}_{number}.json"\n',
        build=build_destination,
        fact_templates=("name",),
    ),
)
