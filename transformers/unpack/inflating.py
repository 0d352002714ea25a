"""Deflated bytes (RFC 1951, and RFC 1952 for gzip), inflated piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hub.core.errors import DecodeError
from hub.core.ports import Body
from transformers.unpack.entry import TooMuch, UnpackAllowance, UnpackedEntry, tried
from transformers.unpack.stream import Stream

PIECE = 1 << 18
MOST_MEMBERS = 100_000
"""Of one gzip file. Programs that write in blocks make one for each 64 KB."""

RAW = -zlib.MAX_WBITS
GZIP = zlib.MAX_WBITS | 16


def inflated(stream: Stream, bits: int) -> Iterator[bytes]:
    """One deflated stream; what follows it stays in the stream. Raises DecodeError."""
    machine = zlib.decompressobj(bits)
    while not machine.eof:
        packed = stream.some()
        if not packed:
            raise DecodeError("it breaks off", offset=stream.at)
        while packed and not machine.eof:
            try:
                piece = machine.decompress(packed, PIECE)
            except zlib.error as error:
                raise DecodeError(f"it can't be unpacked: {error}", offset=stream.at) from None
            packed = machine.unconsumed_tail
            if piece:
                yield piece
    stream.back(machine.unused_data)


def gzip_entries(body: Body, allowance: UnpackAllowance) -> Iterator[UnpackedEntry]:
    """One: all members of the file together (RFC 1952 2.2)."""

    def make() -> Iterator[bytes]:
        stream = Stream(body)
        members = 0
        while begin := stream.upto(1):
            members += 1
            if members > MOST_MEMBERS:
                raise TooMuch(f"more than {MOST_MEMBERS} gzip members")
            stream.back(begin)
            yield from inflated(stream, GZIP)

    allowance.one_more()
    try:
        yield UnpackedEntry(tried(make, allowance))
    except TooMuch:
        raise
    except DecodeError as error:
        yield UnpackedEntry(None, error=error)
