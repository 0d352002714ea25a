"""One thing that was inside of another, and the bounds of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.core.errors import DecodeError
from hub.core.ports import Body, BytesBody

MOST_ENTRIES = 1000
LARGEST = 4_000_000_000
"""Bytes that may come out of one body, all in all."""

RATIO = 200
"""Times that what comes out may be larger than the body, beyond SMALL."""

SMALL = 16_000_000
KEPT = 1_000_000
"""Bytes of an entry that are kept; a larger one is unpacked again when it is read."""


@dataclass(frozen=True, slots=True)
class UnpackedEntry:
    """`body`, or why there is none. `name` is what it was called inside: for people, never a path."""

    body: Body | None
    name: str = ""
    error: DecodeError | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A body that is unpacked each time it is read."""

    size: int
    make: Callable[[], Iterator[bytes]]

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        for piece in self.make():
            for start in range(0, len(piece), size):
                yield piece[start : start + size]


class UnpackAllowance:
    """What may still come out of a body."""

    def __init__(self, packed: int) -> None:
        self._left = min(LARGEST, max(SMALL, packed * RATIO))
        self._entries = 0

    def one_more(self) -> None:
        """Raises TooMuch."""
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            raise TooMuch(f"more than {MOST_ENTRIES} entries")

    def spend(self, size: int) -> None:
        """Raises TooMuch."""
        self._left -= size
        if self._left < 0:
            raise TooMuch(
                f"more than {RATIO} times its size, or than {LARGEST} bytes, come out of it: it is refused as a bomb"
            )


class TooMuch(DecodeError):
    """Ends the whole body, and not one entry."""


def tried(
    make: Callable[[], Iterator[bytes]], allowance: UnpackAllowance, first: Iterator[bytes] | None = None
) -> Body:
    """Unpacks once, to see that it can be done and stays within bounds. Raises DecodeError. `first`: the pieces of this
    first time, where they are at hand."""
    kept, size = list[bytes](), 0
    for piece in make() if first is None else first:
        allowance.spend(len(piece))
        size += len(piece)
        if size <= KEPT:
            kept.append(piece)
    return BytesBody(b"".join(kept)) if size <= KEPT else Again(size, make)
