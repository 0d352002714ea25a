"""The part of a body that is in memory while it is scanned."""

from __future__ import annotations

import re

from hub.core.ports import Body
from transformers.x12.envelope.boundaries import BOM, wrapped
from transformers.x12.envelope.delimiters import LONGEST
from transformers.x12.envelope.event import unwrapped_to_body


class ByteWindow:
    """`data` from `at` on is what hasn't been taken yet. It is lengthened at its end by `more`, which drops what lies
    before
    `at`: positions in `data` are true until then."""

    def __init__(self, body: Body) -> None:
        self._chunks = body.chunks()
        self._dropped = 0
        self._over = False
        self.data = bytearray()
        self.at = 0
        self.wrap: tuple[int, int] | None = None

    @property
    def plain(self) -> int:
        """Where it stands in the body without the line ends that wrap it."""
        return self._dropped + self.at

    @property
    def offset(self) -> int:
        """Where in the body it stands."""
        return self.plain if self.wrap is None else unwrapped_to_body(self.plain, self.wrap)

    @property
    def left(self) -> int:
        """Bytes in memory that haven't been taken."""
        return len(self.data) - self.at

    def starts(self, text: bytes) -> bool:
        return self.data.startswith(text, self.at)

    def more(self) -> bool:
        """Reads on. False at the end of the body."""
        if self._over:
            return False
        if self.at:
            del self.data[: self.at]
            self._dropped += self.at
            self.at = 0
        piece = next(self._chunks, b"")
        self._over = not piece
        if self.wrap is not None:
            piece = piece.replace(b"\r", b"").replace(b"\n", b"")
        self.data += piece
        return not self._over

    def ahead(self, size: int) -> None:
        """Reads on until so many bytes are there, or the body ends."""
        while self.left < size and self.more():
            pass

    def skip(self, blank: re.Pattern[bytes], and_bom: bool = False) -> bool:
        """Goes behind what is blank. False at the end of the body."""
        while True:
            found = blank.match(self.data, self.at)
            self.at = found.end() if found else self.at
            if self.at == len(self.data):
                if not self.more():
                    return False
                continue
            if and_bom and self.data[self.at] == BOM[0]:
                self.ahead(len(BOM))
                if self.starts(BOM):
                    self.at += len(BOM)
                    continue
            return True

    def unwrap(self) -> None:
        """A body whose ISA is broken into lines is wrapped, all of it: line ends are no part of it."""
        if self.wrap is None and self.plain == 0 and (wrap := wrapped(bytes(self.data[:LONGEST]))):
            self.wrap = wrap
            self.data = self.data.replace(b"\r", b"").replace(b"\n", b"")
