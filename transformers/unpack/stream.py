"""The bytes of a body in portions of one's own choice."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.errors import DecodeError
from hub.core.ports import Body


class Stream:
    """Reads on. `at` is how far it has come."""

    def __init__(self, body: Body, start: int = 0) -> None:
        self._chunks = body.chunks()
        self._buffer = b""
        self.at = 0
        self.skip(start)

    def some(self) -> bytes:
        """The next bytes, as many as there are at hand; none at the end."""
        found = self._buffer or next(self._chunks, b"")
        self._buffer = b""
        self.at += len(found)
        return found

    def back(self, rest: bytes) -> None:
        """Gives back the end of what `some` gave."""
        self._buffer = rest + self._buffer
        self.at -= len(rest)

    def take(self, size: int) -> bytes:
        """Raises DecodeError when there are fewer."""
        found = self.upto(size)
        if len(found) < size:
            raise DecodeError("it breaks off", offset=self.at)
        return found

    def upto(self, size: int) -> bytes:
        parts, missing = list[bytes](), size
        while missing > 0 and (piece := self.some()):
            if len(piece) > missing:
                self.back(piece[missing:])
                piece = piece[:missing]
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass

    def pieces(self, size: int) -> Iterator[bytes]:
        """So many bytes, piece by piece. Raises DecodeError when there are fewer."""
        missing = size
        while missing > 0:
            piece = self.some()
            if not piece:
                raise DecodeError("it breaks off", offset=self.at)
            if len(piece) > missing:
                self.back(piece[missing:])
                piece = piece[:missing]
            missing -= len(piece)
            yield piece
