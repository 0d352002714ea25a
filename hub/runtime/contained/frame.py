"""What travels between the hub and a worker.

The hub sends pickled orders: it trusts itself. A worker sends JSON heads and raw bytes, never a pickle: it has parsed hostile bytes, and
what has taken it over must not take over the hub.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

ORDER = struct.Struct(">Q")
RESULT = struct.Struct(">IQ")

LARGEST_HEAD = 64 << 20
LARGEST_BODY = 512 << 20
"""Bytes of one result. A worker that announces more has lost its mind."""


AGAIN: Mapping[str, Callable[[str], Any]] = {"integer": int, "number": Decimal, "date": date.fromisoformat}


class Garbled(Exception):
    """A worker has sent what no worker sends."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a piece of work: plain values, and bytes."""

    head: Mapping[str, Any]
    body: bytes = b""


def send_result(connection: socket.socket, result: Result) -> None:
    """Blocks while the hub has not taken the results before it."""
    head = dumped(result.head)
    connection.sendall(RESULT.pack(len(head), len(result.body)) + head)
    if result.body:
        connection.sendall(result.body)


async def receive_result(reader: asyncio.StreamReader) -> Result:
    """Raises Garbled, and IncompleteReadError where the worker has ended."""
    head_size, body_size = RESULT.unpack(await reader.readexactly(RESULT.size))
    if head_size > LARGEST_HEAD or body_size > LARGEST_BODY:
        raise Garbled(f"it announced a result of {head_size} and {body_size} bytes")
    head = loaded(await reader.readexactly(head_size))
    body = await reader.readexactly(body_size) if body_size else b""
    if not isinstance(head, dict):
        raise Garbled("its result is no JSON object")
    return Result(head, body)


def packed_order(order: Any) -> bytes:
    pickled = pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
    return ORDER.pack(len(pickled)) + pickled


def receive_order(connection: socket.socket) -> Any:
    """None when the hub has gone."""
    head = _exactly(connection, ORDER.size)
    if head is None:
        return None
    pickled = _exactly(connection, ORDER.unpack(head)[0])
    return pickle.loads(pickled) if pickled is not None else None  # noqa: S301  (the hub has made it)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        count = connection.recv_into(view[have:])
        if not count:
            return None
        have += count
    return bytes(data)


def dumped(value: Any) -> bytes:
    """JSON, also of text that UTF-8 can't hold."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def loaded(data: bytes) -> Any:
    """Raises Garbled."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"its result is no JSON: {error}") from None


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON that `facts_again` understands."""
    return {name: _plain(value) for name, value in facts.items()}


def facts_again(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Garbled for what no fact is."""
    return {name: _again(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else ["integer", str(value)]
    if isinstance(value, Decimal):
        return ["number", str(value)]
    if isinstance(value, date) and not isinstance(value, datetime):
        return ["date", value.isoformat()]
    return str(value)


def _again(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | float | int):
        return value
    try:
        kind, text = value
        return AGAIN[kind](text)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise Garbled(f"a fact of its result is no fact: {error}") from None
