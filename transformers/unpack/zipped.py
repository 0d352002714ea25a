"""The entries of a zip file in the order in which they stand, read from its beginning (APPNOTE 4.3)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from hub.core.errors import DecodeError
from hub.core.ports import Body
from transformers.unpack.entry import TooMuch, UnpackAllowance, UnpackedEntry, tried
from transformers.unpack.inflating import RAW, inflated
from transformers.unpack.stream import Stream

HEADER = struct.Struct("<4sHHHHHIIIHH")
LOCAL, DIRECTORY, END, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
STORED, DEFLATED = 0, 8
ENCRYPTED, SIZE_FOLLOWS = 0x1, 0x8
ZIP64 = 1
LONGEST_END = (1 << 16) + 22


class Changed(DecodeError):
    """The entry was read to its end, and isn't what was packed."""


@dataclass(frozen=True, slots=True)
class Local:
    """A local header: `data` is where the entry's bytes begin, `packed` how many there are, None when that stands after
    them."""

    name: str
    method: int
    flags: int
    check: int
    data: int
    packed: int | None
    zip64: bool


def zip_entries(body: Body, allowance: UnpackAllowance) -> Iterator[UnpackedEntry]:
    """Raises DecodeError, after those before it, where the file can't be read on."""
    stream = Stream(body)
    while (local := _next(stream)) is not None:
        allowance.one_more()
        if local.flags & ENCRYPTED:
            raise DecodeError(f"the entry {local.name!r} is encrypted, and can't be read")
        entry = _entry(stream, body, local, allowance)
        if not local.name.endswith("/"):
            yield entry


def _next(stream: Stream) -> Local | None:
    mark = stream.upto(4)
    if mark in (DIRECTORY, END):
        _ends(stream, mark)
        return None
    if mark != LOCAL:
        raise DecodeError("the zip file breaks off, or isn't one", offset=stream.at)
    _, _, flags, method, _, _, check, packed, size, name, extra = HEADER.unpack(mark + stream.take(HEADER.size - 4))
    called = stream.take(name).decode("utf-8" if flags & 0x800 else "cp437", "replace")
    wide = _zip64(stream.take(extra))
    if wide is not None and packed == 0xFFFFFFFF:
        packed = struct.unpack_from("<Q", wide, 8 if size == 0xFFFFFFFF else 0)[0] if len(wide) >= 16 else packed
    return Local(
        called[:200], method, flags, check, stream.at, None if flags & SIZE_FOLLOWS else packed, wide is not None
    )


def _ends(stream: Stream, tail: bytes) -> None:
    """The directory after the entries says nothing new; that it is whole says that the file is."""
    while piece := stream.some():
        tail = (tail + piece)[-LONGEST_END:]
    if END not in tail:
        raise DecodeError("the zip file breaks off", offset=stream.at)


def _zip64(extra: bytes) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == ZIP64:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return None


def _entry(stream: Stream, body: Body, local: Local, allowance: UnpackAllowance) -> UnpackedEntry:
    """Leaves the stream after the entry. Raises DecodeError where nobody can say where that is."""
    try:
        again = partial(_read_entry, body, local)
        entry = UnpackedEntry(tried(again, allowance, _bytes(stream, local)), local.name)
    except TooMuch:
        raise
    except DecodeError as error:
        wrong = DecodeError(f"the entry {local.name!r}: {error}")
        if local.packed is None and not isinstance(error, Changed):
            raise wrong from None
        entry = UnpackedEntry(None, local.name, wrong)
    if local.packed is not None:
        if stream.at > local.data + local.packed:
            raise DecodeError(f"the entry {local.name!r} is larger than it says", offset=stream.at)
        stream.skip(local.data + local.packed - stream.at)
    return entry


def _read_entry(body: Body, local: Local) -> Iterator[bytes]:
    return _bytes(Stream(body, local.data), local)


def _bytes(stream: Stream, local: Local) -> Iterator[bytes]:
    check, size = 0, 0
    for piece in _unpacked(stream, local):
        check, size = zlib.crc32(piece, check), size + len(piece)
        yield piece
    if local.packed is not None:
        if check != local.check:
            raise Changed("its check sum is wrong")
        return
    packed = stream.at - local.data
    said = _descriptor(stream, local.zip64)
    if check != said[0]:
        raise Changed("its check sum is wrong")
    if (packed, size) != said[1:]:
        raise Changed("its size is wrong")


def _unpacked(stream: Stream, local: Local) -> Iterator[bytes]:
    if local.method == DEFLATED:
        return inflated(stream, RAW)
    if local.method == STORED and local.packed is not None:
        return stream.pieces(local.packed)
    raise DecodeError(f"it is packed by the method {local.method}; known are stored (of a known size) and deflated")


def _descriptor(stream: Stream, zip64: bool) -> tuple[int, ...]:
    """The check sum, the size packed and the size (APPNOTE 4.3.9): its mark may be left out."""
    mark = stream.take(4)
    check = stream.take(4) if mark == DESCRIPTOR else mark
    return struct.unpack("<IQQ" if zip64 else "<III", check + stream.take(16 if zip64 else 8))
