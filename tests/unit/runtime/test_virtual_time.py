"""The virtual clock of tests: it moves when nothing is in work, and whoever waits in vain is told where."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.core.clock import Clock
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from hub.journal.journal import Journal
from tests.support.virtual_time import NothingComes


async def test_a_day_passes_at_once_by_both_readings(clock: Clock) -> None:
    begun, shown, real = clock.monotonic(), clock(), time.monotonic()
    await asyncio.gather(clock.sleep(1800.0), clock.sleep(600.0))
    assert clock.monotonic() - begun == pytest.approx(1800.0)
    assert clock() - shown == pytest.approx(1800.0)
    assert time.monotonic() - real < 60.0


async def test_it_stands_while_a_thread_is_at_work(clock: Clock) -> None:
    go_on = threading.Event()
    asyncio.get_running_loop().call_later(3000.0, lambda: None)
    work = asyncio.create_task(asyncio.to_thread(go_on.wait, 20.0))
    begun = clock.monotonic()
    threading.Timer(0.05, go_on.set).start()
    assert await work
    assert clock.monotonic() == begun


async def test_the_database_shows_the_same_time(clock: Clock, tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "hub.db"), tmp_path / "claims", clock)
    await journal.open(worker=True)
    await clock.sleep(1000.0)
    assert journal.clock() == pytest.approx(clock(), abs=0.001)
    assert journal.clock.skew == pytest.approx(0.0, abs=0.001)
    await journal.close()


async def test_a_retry_queue_of_the_broker_waits_by_it(clock: Clock, tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker.db", clock)
    await broker.open()
    await broker.declare(Topology(queues=(Queue("q"), Queue("later", dead_letter="q", ttl=900.0))))
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    await broker.consume("q", arrived.put_nowait)
    begun = clock.monotonic()
    await broker.publish("", "later", Message("m", b""))
    (await arrived.get()).ack()
    assert clock.monotonic() - begun == pytest.approx(900.0, abs=0.1)
    await broker.close()


async def test_who_waits_in_vain_is_told_where(clock: Clock) -> None:
    with pytest.raises(NothingComes, match=r"no timer is set. The test waits at .*Event.wait .* <- .*waits_in_vain"):
        await asyncio.Event().wait()


async def test_a_clock_that_only_ticks_ends_too(clock: Clock) -> None:
    async def tick() -> None:
        while True:
            await clock.sleep(1.0)

    ticking = asyncio.create_task(tick())
    with pytest.raises(NothingComes, match="not come within 3600 seconds"):
        await asyncio.Event().wait()
    ticking.cancel()
