"""Where files of other machines are fetched to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from hub.core.ports import Body, BytesBody, FileBody

SMALL = 1 << 18
"""Files up to this size (bytes) are held in memory."""


class Spool:
    """Files that are too large for the memory, each under a name of ours: a partner's name never becomes a path of this
    machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def empty(self) -> None:
        """Removes what a crash left half fetched."""
        await asyncio.to_thread(self._empty)

    def _empty(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            left.unlink(missing_ok=True)

    @asynccontextmanager
    async def fetch(
        self, size: int, read: Callable[[], Awaitable[bytes]], download: Callable[[Path], Awaitable[None]]
    ) -> AsyncIterator[Body]:
        """A file of `size` bytes, read or downloaded into a new file that goes with the block."""
        if size <= SMALL:
            yield BytesBody(await read())
            return
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        path = self._folder / uuid.uuid4().hex
        try:
            await download(path)
            yield FileBody(path)
        finally:
            await asyncio.to_thread(path.unlink, True)


def local_body(path: Path) -> Body:
    """A file of this machine, in memory where it is small. Blocks."""
    size = path.stat().st_size
    return BytesBody(path.read_bytes()) if size <= SMALL else FileBody(path)
