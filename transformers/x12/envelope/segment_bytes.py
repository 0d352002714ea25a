"""The segments of a transaction as they stand in its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from transformers.x12.envelope.delimiters import Delimiters, blanks
from transformers.x12.envelope.event import Event


@dataclass(frozen=True, slots=True)
class SegmentBytes:
    """A segment as it stands in the bytes of a transaction: where it begins, without blanks around it. `binary`: it
    ends with binary data, whose blanks are its own."""

    start: int
    data: bytes
    binary: bool = False


def segment_bytes(event: Event, delimiters: Delimiters) -> list[SegmentBytes]:
    """The segments of a transaction, blank ones left out."""
    found, blank = [], blanks(delimiters)
    for piece in _pieces(event, delimiters.terminator):
        kept = piece.data.lstrip(blank)
        start = piece.start + len(piece.data) - len(kept)
        if kept := kept if piece.binary else kept.rstrip(blank):
            found.append(SegmentBytes(start, kept, piece.binary))
    return found


def _pieces(event: Event, terminator: bytes) -> Iterator[SegmentBytes]:
    """What stands between the terminators; one within binary data ends nothing."""
    start = 0
    for first, end in event.binary:
        while (at := event.data.find(terminator, start, first)) >= 0:
            yield SegmentBytes(start, event.data[start:at])
            start = at + 1
        yield SegmentBytes(start, event.data[start:end], binary=True)
        at = event.data.find(terminator, end)
        start = len(event.data) if at < 0 else at + 1
    for data in event.data[start:].split(terminator):
        yield SegmentBytes(start, data)
        start += len(data) + 1
