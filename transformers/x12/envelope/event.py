"""What a scan of envelopes yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.core.errors import DecodeError
from transformers.x12.envelope.delimiters import InterchangeHeader

Kind = Literal["ISA", "TA1", "GS", "ST", "GE", "IEA", "junk", "end"]


@dataclass(frozen=True, slots=True)
class Event:
    """What stands at `offset`. `elements` are those of a control segment (`[0]` its id). A transaction has its bytes
    (`data`, from ST to SE, without the last terminator) and `closed`: whether its SE is there. `error` says what junk
    is.
    `lone`: junk that stands where an interchange should begin. `binary`: ranges of the data that BIN or BDS segments
    say are binary. `wrap`: the length of the lines that the body is wrapped into, and of the line ends, which `data`
    doesn't have;
    `start`: where it would stand in the body without them."""

    kind: Kind
    offset: int
    elements: tuple[str, ...] = ()
    data: bytes = b""
    closed: bool = True
    header: InterchangeHeader | None = None
    error: DecodeError | None = None
    lone: bool = False
    binary: tuple[tuple[int, int], ...] = ()
    wrap: tuple[int, int] | None = None
    start: int = 0

    def at(self, inner: int) -> int:
        """Where in the body a byte of `data` stands."""
        if self.wrap is None:
            return self.offset + inner
        return unwrapped_to_body(self.start + inner, self.wrap)


def unwrapped_to_body(offset: int, wrap: tuple[int, int]) -> int:
    """An offset in a body without its line ends as an offset in the body: `wrap` is the length of lines and of line
    ends."""
    return offset + offset // wrap[0] * wrap[1]
