"""What this process reads right now, where a crash leaves it for the next process."""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

SIZE = 4096
LENGTH = 2
"""Bytes in which the length of the name stands."""


class FlightRecorder:
    """A name in a file that is mapped into memory: writing it costs no system call, and what is written survives the
    process, though not the machine. The lock of the file says that its process lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._descriptor = -1
        self._page: mmap.mmap | None = None

    def open(self, process: str) -> list[str]:
        """Begins to record; gives the names that dead processes have left."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = [name for path in sorted(self._folder.glob("*.reading")) if (name := left_in(path))]
        self._path = self._folder / f"{process}.reading"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.ftruncate(self._descriptor, SIZE)
        self._page = mmap.mmap(self._descriptor, SIZE)
        return found

    def note(self, name: str) -> None:
        """From now on this process is at `name`, and at nothing else, until `clear`."""
        if self._page is not None:
            data = name.encode("utf-8", "replace")[: SIZE - LENGTH]
            self._page[LENGTH : LENGTH + len(data)] = data
            self._page[:LENGTH] = len(data).to_bytes(LENGTH, "big")

    def clear(self) -> None:
        if self._page is not None:
            self._page[:LENGTH] = b"\0\0"

    def close(self) -> None:
        if self._page is not None and self._path is not None:
            self._page.close()
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._page = None


def left_in(path: Path) -> str:
    """What a dead process was at; the file is gone then. Empty for a process that lives, or was at nothing."""
    try:
        with path.open("rb+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = stream.read(SIZE)
            path.unlink(missing_ok=True)
    except OSError:
        return ""
    return data[LENGTH : LENGTH + int.from_bytes(data[:LENGTH], "big")].decode("utf-8", "replace")
