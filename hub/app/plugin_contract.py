"""What every plug-in keeps to, as checks for its own tests: `hub new` writes a test that calls them.

Each raises AssertionError, in a sentence, where the plug-in breaks its contract (`hub.core.ports`). They need no event
loop and no pytest plug-in.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.app.logs import make_logger
from hub.app.plugin_discovery import discover
from hub.clock.system_clock import SystemClock
from hub.configuration.files.yaml_loader import load
from hub.core.context import Context
from hub.core.errors import DecodeError, RejectedError, TransientError
from hub.core.outgoing_address import OutgoingAddress
from hub.core.plugin import KINDS, Plugin, PluginKind
from hub.core.ports import (
    Arrival,
    Body,
    BytesBody,
    Destination,
    Outgoing,
    Reader,
    Reading,
    Receipt,
    Source,
    Taken,
    WriteContext,
    Writer,
)
from hub.documents.base import Document

CLOCK = SystemClock()

LIMIT = 10.0
"""Seconds within which a source has to offer what waits."""

GARBLED = 300
REFERENCE = re.compile(r"\$\{[^}]+\}")
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


def installed(kind: PluginKind, name: str) -> Plugin[Any]:
    """The plug-in as the hub finds it, with a declaration that holds what it promises."""
    plugin = discover().find(KINDS[kind], name)
    if plugin is None:
        raise AssertionError(f"the hub finds no {kind} {name!r}: is the distribution installed? (pip install -e .)")
    if not plugin.summary.endswith("."):
        raise AssertionError("the summary should be a sentence")
    for field, about in plugin.options.model_fields.items():
        if not about.description:
            raise AssertionError(f"the option {field} has no description")
    _options(plugin, _example(plugin))
    refuses(plugin, {**_example(plugin), "no_such_option": 1})
    return plugin


def refuses(plugin: Plugin[Any], options: dict[str, Any]) -> None:
    """The options model takes no such options."""
    try:
        _options(plugin, options)
    except ValidationError:
        return
    raise AssertionError(f"{plugin.name} takes the options {options}")


def made(plugin: Plugin[Any], site: Path, options: dict[str, Any] | None = None) -> Any:
    """What the builder builds on a site; without options by those of the example."""
    given = _options(plugin, _example(plugin) if options is None else options)
    return plugin.build(f"my-{plugin.kind}", given, Context(site, log=make_logger(), clock=CLOCK))


def _example(plugin: Plugin[Any]) -> dict[str, Any]:
    """The example, with any value of the environment where it refers to one."""
    text = REFERENCE.sub("http://example.test", plugin.example)
    return dict(load("example", text.encode(), {}).data or {})


def _options(plugin: Plugin[Any], options: dict[str, Any]) -> Any:
    return plugin.options.model_validate_json(json.dumps(options))


def source_waits_for_take(source: Source, waiting: Callable[[], int]) -> Arrival:
    """With one thing waiting at the origin: what was not taken waits on and is offered again, alike; what was taken is
    gone; and a source that is cancelled ends. `waiting` counts what waits. Gives what was offered."""
    return asyncio.run(_source_waits_for_take(source, waiting))


async def _source_waits_for_take(source: Source, waiting: Callable[[], int]) -> Arrival:
    offered: list[tuple[Arrival, bytes]] = []
    acknowledged_early: list[int] = []

    async def take(arrival: Arrival) -> Taken:
        await CLOCK.sleep(0.05)
        offered.append((arrival, b"".join(arrival.body.chunks())))
        if not waiting():
            acknowledged_early.append(len(offered))
        if len(offered) == 1:
            raise TransientError("the broker is away", "unreachable")
        return Taken(documents=1)

    running = asyncio.create_task(source.run(take))
    try:
        async with CLOCK.timeout(LIMIT):
            while not running.done() and not acknowledged_early and (len(offered) < 2 or waiting()):
                await CLOCK.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"offered {len(offered)} times in {LIMIT:.0f} seconds, and {waiting()} wait") from None
    finally:
        running.cancel()
        with suppress(TimeoutError):
            async with CLOCK.timeout(LIMIT):
                await asyncio.wait([running])
    if acknowledged_early:
        raise AssertionError("the source acknowledged before `take` had returned: a crash would lose the arrival")
    if not running.done():
        raise AssertionError("the source goes on after it was cancelled")
    if not running.cancelled():
        raise AssertionError(f"the source ended by itself: {running.exception()!r}")
    first, second = offered[:2]
    if (first[0].salt, first[1]) != (second[0].salt, second[1]):
        raise AssertionError("what is offered again has other bytes or another salt: it would be another message")
    return second[0]


def outgoing(body: bytes = b'{"document": "order@1", "number": "1"}', **changes: Any) -> Outgoing:
    """Something to send."""
    return Outgoing(**{**_OUTGOING, "body": body, **changes})


_OUTGOING: dict[str, Any] = {
    "document_id": "d" * 32,
    "document": "order",
    "key": "k" * 32,
    "content_type": "application/json",
    "facts": {"document": "order", "partner": "ACME", "number": "1"},
}


def addresses(destination: Destination, one: Outgoing) -> dict[str, Any]:
    """What a person is shown of its address before it is sent: plain values, the same each time."""
    first, second = destination.address(one), destination.address(one)
    if not isinstance(first, OutgoingAddress):
        raise AssertionError(f"address should give an OutgoingAddress, not {first!r}")
    if first != second:
        raise AssertionError("the same document gave two different addresses: a retry would go elsewhere")
    try:
        return dict(json.loads(json.dumps(first.shown())))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"an address holds plain values alone: {error}") from error


def sends(destination: Destination, *all: Outgoing) -> list[Receipt]:
    """The receipts of things sent one after the other, and of closing."""

    async def work() -> list[Receipt]:
        try:
            return [await destination.send(one) for one in all]
        finally:
            await destination.close()

    found = asyncio.run(work())
    if not all or any(not isinstance(receipt, Receipt) for receipt in found):
        raise AssertionError(f"send should give a Receipt, not {found!r}")
    return found


def fails(destination: Destination, one: Outgoing) -> TransientError | RejectedError:
    """The error with which it can't be sent: one of the two that a destination may raise."""
    try:
        sends(destination, one)
    except (TransientError, RejectedError) as error:
        return error
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"a destination raises TransientError or RejectedError, not {error!r}") from error
    raise AssertionError("it was sent")


def reads(reader: Reader, data: bytes) -> list[Reading]:
    """What a reader finds in some bytes. Whatever they are, it raises nothing else than DecodeError."""
    try:
        return list(reader.read(BytesBody(data)))
    except DecodeError as error:
        return [Reading((), error=error)]
    except Exception as error:
        raise AssertionError(f"a reader raises DecodeError alone, not {error!r}, for {data[:200]!r}") from error


def bears_garbage(reader: Reader, sample: bytes) -> None:
    """Random bytes, and the sample cut off and with bytes changed: each Reading is a document or an error. The same
    every time."""
    chance = random.Random(850)  # noqa: S311 - tests repeat
    for data in _garbled(sample, chance):
        for reading in reads(reader, data):
            if (reading.document is None) == (reading.error is None):
                raise AssertionError(f"a Reading is a document or an error, for {data[:200]!r}")


def _garbled(sample: bytes, chance: random.Random) -> Iterable[bytes]:
    yield b""
    for _ in range(GARBLED):
        yield chance.randbytes(chance.randrange(1, 400))
        yield sample[: chance.randrange(len(sample))]
        at = chance.randrange(len(sample))
        yield sample[:at] + chance.randbytes(chance.randrange(1, 4)) + sample[at + 1 :]


def reads_lazily(reader: Reader, sample: bytes) -> None:
    """Of an endless body of samples the reader gives the first document at once."""

    class Endless:
        size = 1 << 40

        def chunks(self, size: int = 1 << 18) -> Iterable[bytes]:
            for _ in range(10_000):
                yield sample
            raise AssertionError(
                "the reader reads the body whole before it gives a document: memory would grow with it"
            )

    body: Body = Endless()  # type: ignore[assignment]
    next(iter(reader.read(body)))


def writes(writer: Writer, document: Document) -> bytes:
    """The bytes of a document: the same each time they are asked for."""
    context = WriteContext("d" * 32, "my-destination", "k" * 32, NOW, {"partner": "ACME", "number": "1"})
    first, second = writer.write(document, context), writer.write(document, context)
    if first != second:
        raise AssertionError("the same document gave two different texts: a retry would send something else")
    return first.body
