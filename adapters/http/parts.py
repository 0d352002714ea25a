"""The parts of a multipart/form-data body (RFC 7578), each a body of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from adapters.http.request_body import Spooled
from hub.core.errors import DecodeError
from hub.core.ports import Body

MOST = 100
"""Parts of one body."""


@dataclass(frozen=True, slots=True)
class MultipartFile:
    """`name` is what the sender calls the file, for people: it never becomes a path."""

    name: str
    content_type: str
    body: Body


@asynccontextmanager
async def parts_of(body: Body, content_type: str, spool: Path) -> AsyncIterator[list[MultipartFile]]:
    """Those with content, in their order; they are gone afterwards. Raises DecodeError."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for piece in body.chunks():
            yield piece

    headers = Headers({"content-type": content_type})
    parser = MultiPartParser(headers, pieces(), max_files=MOST, max_fields=MOST)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise DecodeError(f"no readable multipart body: {error}") from error
    kept: list[Spooled] = []
    try:
        parts = []
        for field, value in form.multi_items():
            spooled = Spooled(spool)
            kept.append(spooled)
            if isinstance(value, UploadFile):
                await copy(value.file, spooled)
                parts.append(
                    MultipartFile(show_name(value.filename or field), value.content_type or "", await spooled.body())
                )
            else:
                await spooled.add(value.encode("utf-8", "surrogateescape"))
                parts.append(MultipartFile(show_name(field), "text/plain", await spooled.body()))
        yield [part for part in parts if part.body.size]
    finally:
        await form.close()
        for one in kept:
            one.remove()


async def copy(file: IO[bytes], to: Spooled) -> None:
    while piece := file.read(1 << 17):
        await to.add(piece)


def show_name(name: str) -> str:
    return "".join(character if character.isprintable() else "_" for character in name)[:200]
