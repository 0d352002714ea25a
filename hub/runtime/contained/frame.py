"""What travels between the hub and a worker.

The hub sends pickled orders: it trusts itself. A worker sends JSON heads and raw bytes, never a pickle: it has parsed
hostile bytes, and what has taken it over must not take over the hub.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.step import StepNote
from hub.core.typed_json import dumped, loaded, values_again

ORDER = struct.Struct(">Q")
RESULT = struct.Struct(">IQ")

LARGEST_HEAD = 64 << 20
LARGEST_BODY = 512 << 20
"""Bytes of one result. A worker that announces more has lost its mind."""


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
    head = parsed(await reader.readexactly(head_size))
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


def parsed(data: bytes) -> Any:
    """Raises Garbled."""
    try:
        return loaded(data)
    except ValueError as error:
        raise Garbled(f"its result is no JSON: {error}") from None


def notes_again(found: Any) -> tuple[StepNote, ...]:
    """What the steps of a document report. Raises ValueError and TypeError."""
    return tuple(
        StepNote(str(step), str(text), tuple({str(key): value for key, value in dict(one).items()} for one in asked))
        for step, text, asked in found
    )


def carried_facts(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a result. Raises Garbled for what no fact is."""
    try:
        return values_again(plain)
    except ValueError as error:
        raise Garbled(f"a fact of its result is no fact: {error}") from None
