"""The frames of AMQP 0-9-1 that carry messages, as bytes: publishes, deliveries, confirms and acknowledgments.

aiormq and pamqp encode and decode every other frame.
"""

from __future__ import annotations

from struct import Struct

from hub.broker.table import short_string

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
KINDS = frozenset((METHOD, HEADER, BODY, HEARTBEAT))

FRAME = Struct(">BHI")
END = b"\xce"
END_BYTE = 0xCE
HEARTBEAT_FRAME = FRAME.pack(HEARTBEAT, 0, 0) + END

DELIVER, RETURN, ACK, NACK = 0x003C003C, 0x003C0032, 0x003C0050, 0x003C0078
CONSUME_OK = 0x003C0015
TRAFFIC = frozenset((DELIVER, RETURN, ACK, NACK, CONSUME_OK))
"""The methods that come with every message, and the answer after which deliveries begin: it must not come behind
them."""

TUNE, CLOSE, BLOCKED, UNBLOCKED = 0x000A001E, 0x000A0032, 0x000A003C, 0x000A003D

U32 = Struct(">I")
U64 = Struct(">Q")
_SETTLE = Struct(">BHIIQBB")
_CONTENT = Struct(">BHIHHQ")
CONTENT_SIZE = Struct(">HHQ")
CONTENT_PREFIX = 12


def publish_method(channel: int, exchange: str, key: str, *, mandatory: bool) -> bytes:
    """A Basic.Publish frame. Raises ValueError for a name above 255 bytes."""
    payload = (
        b"\x00\x3c\x00\x28\x00\x00" + short_string(exchange) + short_string(key) + (b"\x01" if mandatory else b"\x00")
    )
    return FRAME.pack(METHOD, channel, len(payload)) + payload + END


def content(channel: int, properties: bytes, body: bytes, largest: int) -> bytes:
    """The header frame and the body frames, each at most `largest` bytes."""
    size = len(body)
    header = _CONTENT.pack(HEADER, channel, CONTENT_PREFIX + len(properties), 60, 0, size) + properties
    if not size:
        return header + END
    room = largest - 8
    if size <= room:
        return b"".join((header, END, FRAME.pack(BODY, channel, size), body, END))
    parts = [header, END]
    for start in range(0, size, room):
        piece = body[start : start + room]
        parts += (FRAME.pack(BODY, channel, len(piece)), piece, END)
    return b"".join(parts)


def ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    return _SETTLE.pack(METHOD, channel, 13, ACK, tag, multiple, END_BYTE)


def requeue(channel: int, tag: int) -> bytes:
    """A Basic.Nack of one delivery, which returns it to its queue."""
    return _SETTLE.pack(METHOD, channel, 13, NACK, tag, 2, END_BYTE)


def text_at(data: bytes, at: int) -> tuple[str, int]:
    """The short string at `at`, and the offset behind it."""
    behind = at + 1 + data[at]
    return data[at + 1 : behind].decode(errors="backslashreplace"), behind
