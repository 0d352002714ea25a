"""A message's properties as AMQP carries them: the flags and fields of a content header.

The embedded broker stores the same bytes, so that both brokers carry exactly the same messages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any

from hub.broker.table import decode_table, encode_table, short_string
from hub.core.errors import MessageError
from hub.core.message import EMPTY, Message

LARGEST_FRAME = 131072
"""Bytes of a whole frame: the most that the hub accepts when a server offers more. Properties must fit in one."""

_FLAGS = Struct(">H")
_CONTENT_TYPE = 1 << 15
_HEADERS = 1 << 13
_DELIVERY_MODE = 1 << 12
_CORRELATION_ID = 1 << 10
_REPLY_TO = 1 << 9
_MESSAGE_ID = 1 << 7
_TYPE = 1 << 5
_CONTENT_ENCODING, _PRIORITY, _EXPIRATION, _TIMESTAMP, _USER_ID = 1 << 14, 1 << 11, 1 << 8, 1 << 6, 1 << 4
_APP_ID = 1 << 3
_PERSISTENT = b"\x02"
_FURTHER = _CONTENT_ENCODING | _PRIORITY | _EXPIRATION | _TIMESTAMP | _USER_ID
"""Those that a message has in `properties`; and `app_id`, where it is not a mark of ours, which is a number."""

_FURTHER_NAMES = ("content_encoding", "priority", "expiration", "timestamp", "user_id", "app_id")
_TIME = Struct(">Q")
_AROUND = 20 + 21
"""What a content header's frame needs besides the properties: frame, class and body size, and room for a mark."""

_FIELDS = (
    (_CONTENT_TYPE, "content_type", "short"),
    (_CONTENT_ENCODING, "content_encoding", "short"),
    (_HEADERS, "headers", "table"),
    (_DELIVERY_MODE, "delivery_mode", "octet"),
    (_PRIORITY, "priority", "octet"),
    (_CORRELATION_ID, "correlation_id", "short"),
    (_REPLY_TO, "reply_to", "short"),
    (_EXPIRATION, "expiration", "short"),
    (_MESSAGE_ID, "id", "short"),
    (_TIMESTAMP, "timestamp", "time"),
    (_TYPE, "type", "short"),
    (_USER_ID, "user_id", "short"),
    (_APP_ID, "app_id", "short"),
    (1 << 2, "cluster_id", "short"),
)


def encode_properties(message: Message, *, marked: bool = False) -> bytes:
    """The property bytes of a persistent message. `marked`: they end in a place for an app_id, which the caller appends
    as a short string. Raises MessageError when AMQP can't carry a header, an id or a property."""
    if message.properties:
        return _encode_all(message, marked)
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


def _encode_all(message: Message, marked: bool) -> bytes:
    """The same for a message with further properties."""
    more = message.properties
    values: dict[str, bytes] = {"delivery_mode": _PERSISTENT}
    for name, text in (
        ("content_type", message.content_type or None),
        ("content_encoding", more.get("content_encoding")),
        ("correlation_id", message.correlation_id),
        ("reply_to", message.reply_to),
        ("expiration", _milliseconds(more.get("expiration"))),
        ("id", message.id or None),
        ("type", message.type),
        ("user_id", more.get("user_id")),
    ):
        if text is not None:
            values[name] = _short(name.replace("_", " "), str(text))
    if message.headers:
        values["headers"] = encode_table(message.headers)
    if (priority := more.get("priority")) is not None:
        values["priority"] = _octet(priority)
    if isinstance(stamp := more.get("timestamp"), datetime):
        values["timestamp"] = _TIME.pack(max(0, int(stamp.timestamp())))
    flags = _APP_ID if marked else 0
    parts = [b""]
    for flag, name, _ in _FIELDS:
        if name in values:
            flags |= flag
            parts.append(values[name])
    parts[0] = _FLAGS.pack(flags)
    return b"".join(parts)


def _milliseconds(seconds: Any) -> str | None:
    return None if seconds is None else str(max(0, round(float(seconds) * 1000)))


def _octet(value: Any) -> bytes:
    if not isinstance(value, int) or not 0 <= value <= 255:
        raise MessageError(f"priority {value!r} can't be carried by AMQP: it is a number from 0 to 255")
    return bytes((value,))


def check_names(exchange: str, key: str) -> None:
    """Raises MessageError when AMQP can't carry them."""
    for what, name in (("exchange", exchange), ("routing key", key)):
        if len(name) > 255 or not name.isascii():
            _short(what, name)


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
    app = fields.get("app_id")
    if app is not None and app.isdecimal():
        del fields["app_id"]
        app = None
    return Message(
        fields.get("id", ""),
        body,
        fields.get("content_type", ""),
        fields.get("headers", EMPTY),
        fields.get("correlation_id"),
        fields.get("reply_to"),
        fields.get("type"),
        {name: fields[name] for name in _FURTHER_NAMES if name in fields} if app or "further" in fields else EMPTY,
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
        if flags & _FURTHER:
            fields["further"] = True
        for flag, name, kind in _FIELDS:
            if not flags & flag:
                continue
            if kind == "short":
                behind = at + 1 + data[at]
                fields[name] = data[at + 1 : behind].decode(errors="backslashreplace")
                at = behind
            elif kind == "table":
                fields[name], at = decode_table(data, at)
            elif kind == "octet":
                fields[name] = data[at]
                at += 1
            else:
                fields[name] = _moment(_TIME.unpack_from(data, at)[0])
                at += 8
    except (IndexError, StructError):
        pass
    if "expiration" in fields:
        fields["expiration"] = _seconds(fields["expiration"])
    return fields


def _moment(seconds: int) -> datetime | None:
    """AMQP says seconds; some publishers send milliseconds, and some garbage."""
    try:
        return datetime.fromtimestamp(seconds if seconds < 1 << 36 else seconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdigit() else None


def _short(what: str, text: str) -> bytes:
    try:
        return short_string(text)
    except ValueError as error:
        raise MessageError(f"{what} {text[:40]!r} can't be carried by AMQP: {error}") from error
