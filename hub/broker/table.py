"""AMQP 0-9-1 field tables: headers to bytes and back, exactly.

Source: the AMQP 0-9-1 specification 4.2.5 with RabbitMQ's errata. Every type that a broker can hand over survives a
round trip: floats as doubles, negative decimals, bytes, nested tables and arrays, None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any

from hub.core.errors import MessageError

DEEPEST = 64
"""Tables nested deeper than this stay undecoded bytes: hostile nesting must not exhaust the stack."""

UNDECODABLE = "hub-undecodable"
"""The header that keeps the bytes of a table from where it stops making sense."""

_U32 = Struct(">I")
_I32 = Struct(">i")
_I64 = Struct(">q")
_U64 = Struct(">Q")
_F64 = Struct(">d")
_SCALED = Struct(">Bi")
_SIMPLE = {
    ord("b"): Struct(">b"),
    ord("B"): Struct(">B"),
    ord("s"): Struct(">h"),
    ord("u"): Struct(">H"),
    ord("I"): _I32,
    ord("i"): _U32,
    ord("l"): _I64,
    ord("L"): _I64,
    ord("f"): Struct(">f"),
    ord("d"): _F64,
}


def encode_table(table: Mapping[str, Any]) -> bytes:
    """The table with its length in front. Raises MessageError for what AMQP can't carry, naming the header."""
    parts = []
    for name, value in table.items():
        try:
            parts.append(_name(name))
            parts.append(_encode_text(value) if type(value) is str else _encode(value))
        except (TypeError, ValueError, StructError, RecursionError) as error:
            raise MessageError(f"header {name!r} can't be carried by AMQP: {error}") from error
    data = b"".join(parts)
    return _U32.pack(len(data)) + data


def decode_table(data: bytes, at: int = 0) -> tuple[dict[str, Any], int]:
    """The table that begins with its length at `at`, and the offset behind it. Never raises for what stands inside."""
    (length,) = _U32.unpack_from(data, at)
    start = at + 4
    return _fields(data, start, min(start + length, len(data)), 1), start + length


_OCTETS = tuple(bytes((octet,)) for octet in range(256))


def short_string(text: str) -> bytes:
    """A string of at most 255 bytes with its length. Raises ValueError for a longer one."""
    data = text.encode()
    size = len(data)
    if size > 255:
        raise ValueError(f"{size} bytes, at most 255 fit")
    return _OCTETS[size] + data


@lru_cache(maxsize=4096)
def _name(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"a header name must be text, not {type(name).__name__}")
    return short_string(name)


def _encode(value: Any) -> bytes:
    encoder = _ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value)
    for kind, general in _ENCODERS.items():
        if isinstance(value, kind):
            return general(value)
    if isinstance(value, Mapping):
        return _encode_table(value)
    raise TypeError(f"{type(value).__name__} has no AMQP type")


def _encode_text(value: str) -> bytes:
    data = value.encode()
    return b"S" + _U32.pack(len(data)) + data


def _encode_bytes(value: bytes | bytearray) -> bytes:
    return b"x" + _U32.pack(len(value)) + bytes(value)


def _encode_int(value: int) -> bytes:
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return b"I" + _I32.pack(value)
    return b"l" + _I64.pack(value)


def _encode_decimal(value: Decimal) -> bytes:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a finite number")
    mantissa = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    if exponent > 0:
        mantissa, exponent = mantissa * 10 ** min(exponent, 20), 0
    if exponent < -255 or not -0x80000000 <= mantissa <= 0x7FFFFFFF:
        raise ValueError(f"decimal {value} has more digits than AMQP's 32 bits")
    return b"D" + _SCALED.pack(-exponent, mantissa)


def _encode_time(value: datetime) -> bytes:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return b"T" + _I64.pack(int(aware.timestamp()))


def _encode_list(value: list[Any] | tuple[Any, ...]) -> bytes:
    data = b"".join(map(_encode, value))
    return b"A" + _U32.pack(len(data)) + data


def _encode_table(value: Mapping[str, Any]) -> bytes:
    data = b"".join(_name(name) + _encode(item) for name, item in value.items())
    return b"F" + _U32.pack(len(data)) + data


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    str: _encode_text,
    bool: lambda value: b"t\x01" if value else b"t\x00",
    int: _encode_int,
    float: lambda value: b"d" + _F64.pack(value),
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    Decimal: _encode_decimal,
    datetime: _encode_time,
    type(None): lambda _: b"V",
    dict: _encode_table,
    list: _encode_list,
    tuple: _encode_list,
}


def _fields(data: bytes, at: int, end: int, depth: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    try:
        while at < end:
            start = at
            behind = at + 1 + data[at]
            name = data[at + 1 : behind].decode(errors="backslashreplace")
            table[name], at = _decode(data, behind, end, depth)
    except (IndexError, KeyError, StructError):
        table[UNDECODABLE] = data[start:end]
    return table


def _items(data: bytes, at: int, end: int, depth: int) -> list[Any]:
    items: list[Any] = []
    while at < end:
        item, at = _decode(data, at, end, depth)
        items.append(item)
    return items


def _decode(data: bytes, at: int, end: int, depth: int) -> tuple[Any, int]:
    tag = data[at]
    at += 1
    if tag in _LONG:
        (length,) = _U32.unpack_from(data, at)
        at += 4
        behind = at + length
        if behind > end:
            raise IndexError("the value ends outside of its table")
        return _decode_long(tag, data, at, behind, depth), behind
    simple = _SIMPLE.get(tag)
    if simple is not None:
        return simple.unpack_from(data, at)[0], at + simple.size
    if tag == _BOOLEAN:
        return data[at] != 0, at + 1
    if tag in _VOID:
        return None, at
    if tag == _DECIMAL:
        scale, mantissa = _SCALED.unpack_from(data, at)
        return Decimal((mantissa < 0, tuple(map(int, str(abs(mantissa)))), -scale)), at + 5
    if tag == _TIME:
        return _decode_time(_U64.unpack_from(data, at)[0]), at + 8
    raise KeyError(tag)


_TEXT, _BYTES, _ARRAY, _TABLE = (ord(tag) for tag in "SxAF")
_BOOLEAN, _DECIMAL, _TIME = (ord(tag) for tag in "tDT")
_LONG = frozenset((_TEXT, _BYTES, _ARRAY, _TABLE))
_VOID = frozenset((ord("V"), 0))


def _decode_long(tag: int, data: bytes, at: int, end: int, depth: int) -> Any:
    if tag == _TEXT:
        raw = data[at:end]
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw
    if tag == _BYTES or depth >= DEEPEST:
        return data[at:end]
    if tag == _TABLE:
        return _fields(data, at, end, depth + 1)
    return _items(data, at, end, depth + 1)


def _decode_time(seconds: int) -> datetime | int:
    """A time that Python can't name (a client that meant milliseconds, say) stays a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return seconds
