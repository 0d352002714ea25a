"""Lines of a body, in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST_LINE = 16 << 20


def lines(chunks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[tuple[int, bytes | None]]:
    """Number, from 1, and bytes of each line with its end (LF, or CR LF); None for one that is longer than that, which
    is not kept."""
    number, kept, size = 1, list[bytes](), 0
    for chunk in chunks:
        for piece in chunk.splitlines(keepends=True) if b"\r" not in chunk else split(chunk):
            size += len(piece)
            if size <= longest:
                kept.append(piece)
            else:
                kept.clear()
            if piece.endswith(b"\n"):
                yield number, b"".join(kept) if size <= longest else None
                number, size = number + 1, 0
                kept.clear()
    if size:
        yield number, b"".join(kept) if size <= longest else None


def split(chunk: bytes) -> Iterator[bytes]:
    """At LF alone: a CR may be a part of a value."""
    start = 0
    while (end := chunk.find(b"\n", start) + 1) > 0:
        yield chunk[start:end]
        start = end
    if start < len(chunk):
        yield chunk[start:]
