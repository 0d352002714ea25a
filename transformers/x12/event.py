"""What a scan of envelopes yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.core.errors import DecodeError
from transformers.x12.delimiters import InterchangeHeader

Kind = Literal["ISA", "GS", "ST", "GE", "IEA", "junk", "end"]


@dataclass(frozen=True, slots=True)
class Event:
    """What stands at `offset`. `elements` are those of a control segment (`[0]` its id). A transaction has its bytes
    (`data`, from ST to SE, without the last terminator) and `closed`: whether its SE is there. `error` says what junk is.
    `lone`: junk that stands where an interchange should begin."""

    kind: Kind
    offset: int
    elements: tuple[str, ...] = ()
    data: bytes = b""
    closed: bool = True
    header: InterchangeHeader | None = None
    error: DecodeError | None = None
    lone: bool = False
