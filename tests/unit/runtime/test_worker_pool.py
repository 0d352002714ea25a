"""The pool of workers: what ends a worker from outside says nothing about its work."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import structlog

from hub.clock.system_clock import SystemClock
from hub.core.errors import TransientError
from hub.core.options.containment import Containment
from hub.runtime.contained.frame import Result
from hub.runtime.contained.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Rest:
    """Says that it has begun, and rests."""

    seconds: float

    def run(self, bench: object) -> Iterator[Result]:
        yield Result({"begun": True})
        time.sleep(self.seconds)
        yield Result({"rested": True})


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    made = WorkerPool(Containment(), structlog.get_logger(), SystemClock())
    yield made
    await made.close()


async def test_a_stop_that_reaches_all_processes_of_the_hub_ends_no_worker_at_its_work(pool: WorkerPool) -> None:
    """systemd sends SIGTERM to the hub and to its workers alike."""
    heads = []
    async for result in pool.results("inbox", None, Rest(0.5), 1):
        heads.append(result.head)
        for worker in pool.process_ids:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(worker, number)
    assert heads == [{"begun": True}, {"rested": True}]


async def test_a_pool_that_is_closed_blames_no_work(pool: WorkerPool) -> None:
    results = pool.results("inbox", None, Rest(60.0), 1)
    assert (await anext(results)).head == {"begun": True}
    closing = asyncio.create_task(pool.close())
    with pytest.raises(TransientError, match="the hub stops"):
        await anext(results)
    await closing


async def test_a_worker_that_was_ended_while_it_had_no_work_blames_no_work(pool: WorkerPool) -> None:
    """When memory is short, the kernel ends workers first."""

    async def rested() -> list[Result]:
        return [result async for result in pool.results("inbox", None, Rest(0.2), 1)]

    await asyncio.gather(rested(), rested())
    assert len(pool.process_ids) == 2
    for worker in pool.process_ids:
        os.kill(worker, signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert len(await rested()) == 2
