"""The body of a request: in memory while it is small, in a file of the spool when it grows, gone when it has been
taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from fastapi import Request
from starlette.requests import ClientDisconnect

from hub.core.clock import Clock
from hub.core.network.web import FirstLook, WebResponse
from hub.core.ports import Body, BytesBody, FileBody

IN_MEMORY = 1 << 18
"""Bytes of a body that stay in memory."""


PREFIX = "http-"
LONGEST = 3600.0
"""Seconds that no request takes: a file that is older was left by a process that was killed."""


class BodyRefused(Exception):
    """A body that isn't taken; `status` says why."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class LookRefused(Exception):
    """The first bytes of the body have decided: `response` is the answer."""

    def __init__(self, response: WebResponse) -> None:
        self.response = response
        super().__init__(f"refused with {response.status}")


@asynccontextmanager
async def body_of(
    request: Request, largest: int, seconds: float, spool: Path, clock: Clock, look: FirstLook | None = None
) -> AsyncIterator[Body]:
    """The whole body. Raises BodyRefused for one that is too large, too slow or broken off, LookRefused when `look`
    refuses it."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told[:19]) > largest:
        raise too_large(largest)
    spooled = Spooled(spool)
    try:
        try:
            async with clock.timeout(seconds):
                async for piece in looked_at(request.stream(), look):
                    await spooled.add(piece)
                    if spooled.size > largest:
                        raise too_large(largest)
        except TimeoutError:
            raise BodyRefused(408, f"the body did not come within {seconds:g} seconds") from None
        except ClientDisconnect:
            raise BodyRefused(400, "the body was broken off") from None
        except OSError as error:
            raise BodyRefused(503, "there is no room for the body") from error
        yield await spooled.body()
    finally:
        spooled.remove()


async def looked_at(pieces: AsyncIterator[bytes], look: FirstLook | None) -> AsyncIterator[bytes]:
    """The same bytes; the first of them only after the look at them. Raises LookRefused."""
    if look is not None:
        first = bytearray()
        async for piece in pieces:
            first += piece
            if len(first) >= look.size:
                break
        refused = await look.check(bytes(first[: look.size]))
        if refused is not None:
            raise LookRefused(refused)
        yield bytes(first)
    async for piece in pieces:
        yield piece


def too_large(largest: int) -> BodyRefused:
    return BodyRefused(413, f"the body is larger than {largest} bytes")


def swept(spool: Path, now: float) -> int:
    """Removes what killed processes have left; says how many files it was. `now`: seconds since the epoch."""
    found = 0
    for path in spool.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another process sweeps too
            if now - path.stat().st_mtime > LONGEST:
                path.unlink()
                found += 1
    return found


class Spooled:
    """Grows piece by piece; the disk is written by a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self._removed = False
        self.size = 0

    async def add(self, piece: bytes) -> None:
        self._held += piece
        self.size += len(piece)
        if len(self._held) > IN_MEMORY:
            await asyncio.to_thread(self._write)

    async def body(self) -> Body:
        if self._file is None:
            return BytesBody(bytes(self._held))
        await asyncio.to_thread(self._write)
        self._file.flush()
        return FileBody(Path(self._file.name))

    def remove(self) -> None:
        """Also while a thread writes, whose request was cancelled: what it leaves it removes itself."""
        self._removed = True
        self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def _write(self) -> None:
        try:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = NamedTemporaryFile(dir=self._folder, prefix=PREFIX, delete=False)  # noqa: SIM115
            self._file.write(self._held)
            self._held = bytearray()
        finally:
            if self._removed:
                self._drop()
