"""A message's properties as AMQP carries them: the flags and fields of a content header.

The embedded broker stores the same bytes, so that both brokers carry exactly the same messages.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any

from hub.broker.table import decode_table, encode_table, short_string
from hub.core.errors import MessageError
from hub.core.message import EMPTY, Message

_FLAGS = Struct(">H")
_CONTENT_TYPE = 1 << 15
_HEADERS = 1 << 13
_DELIVERY_MODE = 1 << 12
_CORRELATION_ID = 1 << 10
_REPLY_TO = 1 << 9
_MESSAGE_ID = 1 << 7
_TYPE = 1 << 5
_APP_ID = 1 << 3
_PERSISTENT = b"\x02"
_AROUND = 20 + 21
"""What a content header's frame needs besides the properties: frame, class and body size, and room for a mark."""

_FIELDS = (
    (_CONTENT_TYPE, "content_type", "short"),
    (1 << 14, "content_encoding", "short"),
    (_HEADERS, "headers", "table"),
    (_DELIVERY_MODE, "delivery_mode", "octet"),
    (1 << 11, "priority", "octet"),
    (_CORRELATION_ID, "correlation_id", "short"),
    (_REPLY_TO, "reply_to", "short"),
    (1 << 8, "expiration", "short"),
    (_MESSAGE_ID, "id", "short"),
    (1 << 6, "timestamp", "time"),
    (_TYPE, "type", "short"),
    (1 << 4, "user_id", "short"),
    (_APP_ID, "app_id", "short"),
    (1 << 2, "cluster_id", "short"),
)


def encode_properties(message: Message, *, marked: bool = False) -> bytes:
    """The property bytes of a persistent message. `marked`: they end in a place for an app_id, which the caller appends
    as a short string. Raises MessageError when AMQP can't carry a header or an id."""
    flags = _DELIVERY_MODE
    parts = [b""]
    if message.content_type:
        flags |= _CONTENT_TYPE
        parts.append(_short("content type", message.content_type))
    if message.headers:
        flags |= _HEADERS
        parts.append(encode_table(message.headers))
    parts.append(_PERSISTENT)
    if message.correlation_id is not None:
        flags |= _CORRELATION_ID
        parts.append(_short("correlation id", message.correlation_id))
    if message.reply_to is not None:
        flags |= _REPLY_TO
        parts.append(_short("reply-to", message.reply_to))
    if message.id:
        flags |= _MESSAGE_ID
        parts.append(_short("message id", message.id))
    if message.type is not None:
        flags |= _TYPE
        parts.append(_short("type", message.type))
    if marked:
        flags |= _APP_ID
    parts[0] = _FLAGS.pack(flags)
    return b"".join(parts)


def check_names(exchange: str, key: str) -> None:
    """Raises MessageError when AMQP can't carry them."""
    _short("exchange", exchange)
    _short("routing key", key)


def largest_properties(frame: int) -> int:
    """How many bytes of properties fit in a frame of so many bytes: AMQP never cuts them in two."""
    return frame - _AROUND


def check_size(properties: bytes, frame: int) -> None:
    """Raises MessageError when they don't fit in a frame of so many bytes."""
    most = largest_properties(frame)
    if len(properties) > most:
        raise MessageError(
            f"headers and properties of {len(properties)} bytes can't be carried: at most {most} bytes fit in a frame"
        )


def decode_properties(data: bytes, body: bytes, at: int = 0) -> Message:
    """The message of these properties and this body. What isn't there is "" (id, content type), None or {}."""
    fields = read_properties(data, at)
    return Message(
        fields.get("id", ""),
        body,
        fields.get("content_type", ""),
        fields.get("headers", EMPTY),
        fields.get("correlation_id"),
        fields.get("reply_to"),
        fields.get("type"),
    )


def mark_of(data: bytes, at: int = 0) -> str:
    """The app_id behind the properties, "" when there is none."""
    return str(read_properties(data, at).get("app_id", ""))


def read_properties(data: bytes, at: int = 0) -> dict[str, Any]:
    """Every property that is set, by name. Bytes that end too early end the properties."""
    fields: dict[str, Any] = {}
    try:
        (flags,) = _FLAGS.unpack_from(data, at)
        at += 2
        for flag, name, kind in _FIELDS:
            if not flags & flag:
                continue
            if kind == "short":
                behind = at + 1 + data[at]
                fields[name] = data[at + 1 : behind].decode(errors="backslashreplace")
                at = behind
            elif kind == "table":
                fields[name], at = decode_table(data, at)
            else:
                at += 1 if kind == "octet" else 8
    except (IndexError, StructError):
        pass
    return fields


def _short(what: str, text: str) -> bytes:
    try:
        return short_string(text)
    except ValueError as error:
        raise MessageError(f"{what} {text[:40]!r} can't be carried by AMQP: {error}") from error
