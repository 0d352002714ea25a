"""Claims: bodies kept under their digest. Small ones are rows of the group commit, large ones files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from hub.core.errors import JournalUnavailable
from hub.core.identity import digest
from hub.core.ports import Body, BytesBody, FileBody

INLINE = 1 << 18
"""Bodies up to this size (bytes) become rows."""

NEW = ".new-"
"""How the names of files begin that are not whole yet."""

ABANDONED = 3600.0
"""Seconds after which a file that is not whole belongs to nobody any more."""

PROBE = 1 << 16
"""Bytes that a probe of the folder writes."""


class StoredClaim(NamedTuple):
    """A claim that is safe once its row (`row`: the body, or None for a file that is on disk already) is committed."""

    digest: str
    size: int
    row: bytes | None


class ClaimFile(FileBody):
    """The file of a large claim. That it can't be read is a fault of the store, never of a document:
    JournalUnavailable."""

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        try:
            yield from super().chunks(size)
        except OSError as error:
            raise JournalUnavailable(f"the claim {self.path} can't be read: {error}") from error


class ClaimStore:
    """The folder of large claims, two levels deep by digest. Storing the same body twice keeps one file.

    A folder that can't be written (full, read-only, gone) raises JournalUnavailable, as a database that is away does.
    `trouble` is why the last attempt failed; empty when it worked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.trouble = ""

    def path(self, digest_: str) -> Path:
        return self._folder / digest_[:2] / digest_[2:4] / digest_

    def keep(self, body: bytes) -> StoredClaim:
        """Keeps bytes that are in memory. Blocks while writing a large one."""
        if len(body) <= INLINE:
            return StoredClaim(digest(body), len(body), body)
        return self.keep_stream(BytesBody(body))

    def keep_stream(self, body: Body) -> StoredClaim:
        """Keeps a body of any size in flat memory; it is on disk, synced, when this returns. Blocks. Raises what
        reading the body raises, and JournalUnavailable."""
        if body.size <= INLINE:
            return self.keep(b"".join(body.chunks()))
        sha, size = hashlib.sha256(), 0
        with self._writing():
            make_folder(self._folder)
            new = NamedTemporaryFile(dir=self._folder, prefix=NEW, delete=False)  # noqa: SIM115  (closed below)
        try:
            with new:
                for piece in body.chunks():
                    sha.update(piece)
                    size += len(piece)
                    with self._writing():
                        new.write(piece)
                with self._writing():
                    new.flush()
                    os.fsync(new.fileno())
            name = sha.hexdigest()
            with self._writing():
                self._place(Path(new.name), self.path(name), size)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
        self.trouble = ""
        return StoredClaim(name, size, None)

    def _place(self, new: Path, target: Path, size: int) -> None:
        if target.exists() and target.stat().st_size == size:
            new.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            new.replace(target)
        for folder in (target.parent, target.parent.parent, self._folder, self._folder.parent):
            sync_folder(folder)  # also for a file that was there: who put it there may not have come so far

    def probe(self) -> str:
        """Tries to write a few KB; `trouble` as it is then. Blocks."""
        try:
            with self._writing():
                make_folder(self._folder)
                with NamedTemporaryFile(dir=self._folder, prefix=NEW) as new:
                    new.write(bytes(PROBE))
                    new.flush()
        except JournalUnavailable:
            return self.trouble
        self.trouble = ""
        return ""

    def sweep(self, now: float, older: float = ABANDONED) -> int:
        """Removes what processes that were killed have left half-written, for `older` seconds or more; how many
        files."""
        swept = 0
        for left in self._folder.glob(f"{NEW}*"):
            with suppress(OSError):
                if now - left.stat().st_mtime >= older:
                    left.unlink()
                    swept += 1
        return swept

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.trouble = f"claims can't be written to {self._folder}: {error.strerror or error}"
            raise JournalUnavailable(self.trouble) from error

    def open(self, digest_: str) -> FileBody | None:
        """The file of a large claim, None when there is none."""
        path = self.path(digest_)
        return ClaimFile(path) if path.exists() else None

    def sizes(self) -> Iterator[int]:
        for path in self._folder.glob("??/??/*"):
            yield path.stat().st_size


def make_folder(folder: Path) -> None:
    """Makes it with its parents; what is new survives a power loss."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
