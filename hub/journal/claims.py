"""Claims: bodies kept under their digest. Small ones are rows of the group commit, large ones files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from hub.core.identity import digest
from hub.core.ports import Body, BytesBody, FileBody

INLINE = 1 << 18
"""Bodies up to this size (bytes) become rows."""


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """A claim that is safe once its row (`row`: the body, or None for a file that is on disk already) is committed."""

    digest: str
    size: int
    row: bytes | None


class ClaimStore:
    """The folder of large claims, two levels deep by digest. Storing the same body twice keeps one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest_: str) -> Path:
        return self._folder / digest_[:2] / digest_[2:4] / digest_

    def keep(self, body: bytes) -> StoredClaim:
        """Keeps bytes that are in memory. Blocks while writing a large one."""
        if len(body) <= INLINE:
            return StoredClaim(digest(body), len(body), body)
        return self.keep_stream(BytesBody(body))

    def keep_stream(self, body: Body) -> StoredClaim:
        """Keeps a body of any size in flat memory; it is on disk, synced, when this returns. Blocks."""
        if body.size <= INLINE:
            return self.keep(b"".join(body.chunks()))
        make_folder(self._folder)
        sha, size = hashlib.sha256(), 0
        with NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as new:
            try:
                for piece in body.chunks():
                    sha.update(piece)
                    size += len(piece)
                    new.write(piece)
                new.flush()
                os.fsync(new.fileno())
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
        name = sha.hexdigest()
        target = self.path(name)
        if target.exists() and target.stat().st_size == size:
            Path(new.name).unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(new.name).replace(target)
        for folder in (target.parent, target.parent.parent, self._folder, self._folder.parent):
            sync_folder(folder)  # also for a file that was there: who put it there may not have come so far
        return StoredClaim(name, size, None)

    def open(self, digest_: str) -> FileBody | None:
        """The file of a large claim, None when there is none."""
        path = self.path(digest_)
        return FileBody(path) if path.exists() else None

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
