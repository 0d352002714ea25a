"""The exchange source: no delivery is forgotten, and no publisher's header steers the hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from structlog.testing import capture_logs

import adapters.exchange.source
from adapters.exchange import (
    ExchangeSource,
    ExchangeSourceOptions,
    StreamSource,
    StreamSourceOptions,
    arrival_headers,
)
from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import JournalUnavailable, TransientError
from hub.core.message import Header, Message
from hub.core.ports import Arrival, Taken
from hub.core.topology import source_queue
from tests.support.brokers import depth_becomes, eventually

ANY = [{"a": 1}, [1, {"b": None}], b"\xff\x00", None, "x" * 100_000, True, 2**40, 1.5, "text/evil\r\n"]


@pytest.mark.parametrize("value", ANY, ids=lambda value: type(value).__name__)
def test_application_headers_never_stand_for_the_hubs_own(value: Any) -> None:
    headers = {"content_type": value, "Correlation_ID": value, "correlation_id": value, "hub-route": value, "HUB-x": 1}
    message = Message("id", b"", "text/plain", {**headers, "mine": value}, "corr\x00\n" + "é" * 300)
    kept = arrival_headers(message)
    assert set(kept) == {"content_type", "correlation_id", Header.HOPS, "mine"}
    assert kept["content_type"] == "text/plain"
    assert kept["correlation_id"].startswith("corr__é")
    assert len(kept["correlation_id"].encode()) <= 255
    bare = arrival_headers(Message("id", b"", "", headers))
    assert bare == {Header.HOPS: 0}


@pytest.mark.parametrize(("value", "hops"), [(3, 3), (-9, 0), (True, 0), ("3", 0), (None, 0), ({}, 0), (b"3", 0)])
def test_hops_are_an_integer(value: Any, hops: int) -> None:
    kept = arrival_headers(Message("id", b"", headers={Header.HOPS: value}))[Header.HOPS]
    assert kept == hops
    assert type(kept) is int


@asynccontextmanager
async def consuming(folder: Path, take: Callable[[Arrival], Awaitable[Taken]]) -> AsyncIterator[EmbeddedBroker]:
    broker = EmbeddedBroker(folder / "broker.db", SystemClock())
    await broker.open()
    options = ExchangeSourceOptions(name="shop.events")
    source = ExchangeSource("shop", options, Context(folder, broker, log=structlog.get_logger(), clock=SystemClock()))
    await broker.declare(source.topology())
    running = asyncio.create_task(source.run(take))
    try:
        yield broker
    finally:
        running.cancel()
        await asyncio.wait({running})
        await broker.close()


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("k"), JournalUnavailable("away"), RecursionError()])
async def test_a_take_that_breaks_gives_the_message_back_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(adapters.exchange.source, "RETURN_PAUSE", 0.01)
    names: list[str] = []

    async def take(arrival: Arrival) -> Taken:
        names.append(arrival.name)
        if len(names) < 3:
            raise error
        return Taken(1)

    with capture_logs() as logs:
        async with consuming(tmp_path, take) as broker:
            await broker.publish("shop.events", "order.placed", Message("m1", b"{}"))
            await eventually(lambda: counted(names, 3))
            await depth_becomes(broker, source_queue("shop"), 0)
    told = [entry for entry in logs if entry["event"] == "message_not_taken"]
    assert [(entry["source"], entry["message_id"]) for entry in told] == [("shop", "m1")] * 2
    assert str(error) in told[0]["error"]
    assert names == ["m1"] * 3


async def counted(names: Sequence[Any], count: int) -> bool:
    return len(names) >= count


async def test_what_the_intake_cannot_take_yet_returns_to_the_queue_when_the_source_stops(tmp_path: Path) -> None:
    names: list[str] = []

    async def away(arrival: Arrival) -> Taken:
        names.append(arrival.name)
        raise TransientError("away", "unreachable")

    async with consuming(tmp_path, away) as broker:
        await broker.publish("shop.events", "order.placed", Message("m1", b"{}"))
        await eventually(lambda: counted(names, 2))

    async def well(arrival: Arrival) -> Taken:
        names.append("taken " + arrival.name)
        return Taken(1)

    async with consuming(tmp_path, well):
        await eventually(lambda: last(names, "taken m1"))


async def last(names: list[str], name: str) -> bool:
    return names[-1] == name


async def test_a_journal_that_is_away_counts_against_no_message(tmp_path: Path) -> None:
    """A queue of somebody else's may drop what was given back too often."""
    tries: list[bool] = []

    async def away(arrival: Arrival) -> Taken:
        tries.append(True)
        if len(tries) < 4:
            raise JournalUnavailable("away")
        return Taken(1)

    redelivered: list[bool] = []

    class Watched(ExchangeSource):
        async def _take(self, delivery: Any, take: Any, stopping: asyncio.Event) -> None:
            redelivered.append(delivery.redelivered)
            await super()._take(delivery, take, stopping)

    broker = EmbeddedBroker(tmp_path / "broker.db", SystemClock())
    await broker.open()
    source = Watched(
        "shop",
        ExchangeSourceOptions(name="shop.events"),
        Context(tmp_path, broker, log=structlog.get_logger(), clock=SystemClock()),
    )
    await broker.declare(source.topology())
    running = asyncio.create_task(source.run(away))
    await broker.publish("shop.events", "order.placed", Message("m1", b"{}"))
    await eventually(lambda: counted(tries, 4))
    running.cancel()
    await asyncio.wait({running})
    await broker.close()
    assert redelivered == [False]


class StreamDelivery:
    """A message of a stream, as a consumer gets it."""

    def __init__(self, offset: int | None) -> None:
        self.message = Message(str(offset), b"{}", headers={} if offset is None else {"x-stream-offset": offset})
        self.acked = False

    def ack(self) -> None:
        self.acked = True


class OneStream:
    """A broker with one stream, which gives these deliveries."""

    def __init__(self, *deliveries: StreamDelivery) -> None:
        self.deliveries = deliveries

    async def consume(self, queue: str, handler: Any, **_: Any) -> OneStream:
        for delivery in self.deliveries:
            handler(delivery)
        return self

    async def cancel(self) -> None:
        return None


class Remembers(dict[str, str]):
    async def put(self, name: str, value: str) -> None:
        self[name] = value

    async def get(self, name: str) -> Any:  # type: ignore[override]
        return dict.get(self, name)


def streaming(folder: Path, memory: Remembers, *deliveries: StreamDelivery) -> StreamSource:
    context = Context(
        folder,
        cast("Any", OneStream(*deliveries)),
        log=structlog.get_logger(),
        memory=cast("Any", lambda name: memory),
        clock=SystemClock(),
    )
    return StreamSource("history", StreamSourceOptions(queue="history"), context)


async def test_a_take_that_breaks_holds_the_stream_until_it_works(tmp_path: Path) -> None:
    tries: list[bool] = []

    async def take(arrival: Arrival) -> Taken:
        tries.append(True)
        if len(tries) < 3:
            raise OSError(28, "no space left on device")
        return Taken(1)

    delivery, memory = StreamDelivery(7), Remembers()
    with capture_logs() as logs:
        running = asyncio.create_task(streaming(tmp_path, memory, delivery).run(take))
        await eventually(lambda: counted(tries, 3))
        running.cancel()
        await asyncio.wait({running})
    assert delivery.acked
    assert memory == {"next": "8", "seen": "8"}
    assert len([entry for entry in logs if entry["event"] == "message_not_taken"]) == 2


async def test_a_queue_that_is_no_stream_is_said(tmp_path: Path) -> None:
    async def take(arrival: Arrival) -> Taken:
        return Taken(1)

    with pytest.raises(TransientError, match="no stream"):
        await asyncio.wait_for(streaming(tmp_path, Remembers(), StreamDelivery(None)).run(take), 10)
