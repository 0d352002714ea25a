"""Processes that died during a copy are counted; those that live, or have stopped in order, are not."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.clock.system_clock import SystemClock
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.processes.host import this_host
from hub.journal.processes.redeliveries import WORK_SECONDS, Begun, Redeliveries
from hub.journal.processes.suspects import Suspects

COPY = "copy:orders:1:erp"
NO_PROCESS = 2**22 + 1
"""No process has such an id."""


class Process(Redeliveries):
    """One that may be found dead."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.journal = journal

    async def beat(self, seconds: float) -> None:
        """Its last heartbeat came so long after it began the copy."""
        table = schema.process
        at = sa.select(schema.suspect.c.begun_at + seconds).where(schema.suspect.c.name == COPY).scalar_subquery()

        async def write(connection: AsyncConnection) -> None:
            mine = sa.update(table).where(table.c.id == self.journal.process)
            await connection.execute(mine.values(heartbeat_at=at))

        await self.journal.change(write)


class Hosts:
    """Journals that stand for processes, and what the journal knows of them."""

    def __init__(self, first: Journal, stack: AsyncExitStack, claims: Path) -> None:
        self.first, self._stack, self._claims = first, stack, claims

    async def process(self, host: str | None = None, pid: int | None = None) -> Process:
        """Another process; on this host and alive, unless told otherwise."""
        journal = Journal(self.first.url, self._claims, SystemClock())
        await journal.open()
        self._stack.push_async_callback(journal.close)

        async def announce(connection: AsyncConnection) -> None:
            row = {
                "host": host or this_host(),
                "pid": os.getpid() if pid is None else pid,
                "heartbeat_at": self.first.clock(),
            }
            row |= {"id": journal.process, "started_at": 0.0, "table_version": ""}
            await connection.execute(sa.insert(schema.process).values(**row))

        await self.first.change(announce)
        return Process(journal)


@pytest.fixture
async def hosts(journal: Journal, tmp_path: Path) -> AsyncIterator[Hosts]:
    async with AsyncExitStack() as stack:
        yield Hosts(journal, stack, tmp_path / "claims")


async def test_each_process_that_died_counts_once(hosts: Hosts) -> None:
    for deaths in range(3):
        process = await hosts.process(pid=NO_PROCESS)
        assert await process.begin(COPY, below=10) == Begun(deaths, times=deaths)
        assert await process.begin(COPY, below=10) == Begun(deaths, times=deaths)
    last = await hosts.process()
    assert await last.begin(COPY, below=3) == Begun(3, times=3)
    assert await last.begin(COPY, below=3) == Begun(3, times=3), "what is not begun must not be counted"
    await last.finish(COPY)
    assert await last.begin(COPY, below=3) == Begun(0)


async def test_a_process_that_lives_or_has_stopped_in_order_has_not_died(hosts: Hosts) -> None:
    alive, stopped, third = [await hosts.process() for _ in range(3)]
    assert await alive.begin(COPY, below=3) == Begun(0)
    assert await stopped.begin(COPY, below=3) == Begun(0)
    await stopped.leave()
    assert await third.begin(COPY, below=3) == Begun(0)


async def test_a_process_that_only_waited_when_it_was_killed_is_nearly_nothing_against_the_copy(hosts: Hosts) -> None:
    """An administrator who kills a hub again and again during a slow delivery makes no poison of it; five such deaths
    count as one."""
    for killed in range(11):
        process = await hosts.process(pid=NO_PROCESS)
        assert await process.begin(COPY, below=10) == Begun(killed // 5, times=killed)
        await process.beat(WORK_SECONDS + 1)
    quick = await hosts.process(pid=NO_PROCESS)
    assert await quick.begin(COPY, below=10) == Begun(2, times=11)
    await quick.beat(WORK_SECONDS - 1)
    assert await (await hosts.process()).begin(COPY, below=10) == Begun(3, times=12)


async def test_a_process_that_its_parent_has_not_noticed_to_be_dead_has_died(hosts: Hosts) -> None:
    child = await asyncio.to_thread(subprocess.Popen, ["true"])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert await (await hosts.process(pid=child.pid)).begin(COPY, below=10) == Begun(0)
        assert await (await hosts.process()).begin(COPY, below=10) == Begun(1, times=1)
    finally:
        child.wait()


async def test_what_was_only_put_off_keeps_its_count_and_is_nobodys_fault(hosts: Hosts) -> None:
    for _ in range(2):
        await (await hosts.process(pid=NO_PROCESS)).begin(COPY, below=10)
    waits = await hosts.process(pid=NO_PROCESS)
    assert await waits.begin(COPY, below=10) == Begun(2, times=2)
    await waits.release(COPY)
    assert await (await hosts.process()).begin(COPY, below=10) == Begun(2, times=2)


async def test_of_another_host_the_heartbeat_tells(hosts: Hosts) -> None:
    far = await hosts.process(host="elsewhere")
    assert await far.begin(COPY, below=3) == Begun(0)
    here = await hosts.process()
    doubtful = await here.begin(COPY, below=3)
    assert doubtful.beat is not None
    assert await here.begin(COPY, below=3, beat=doubtful.beat) == Begun(1, times=1)
    assert await here.begin(COPY, below=3) == Begun(1, times=1)


async def test_of_another_host_a_new_heartbeat_shows_that_it_lives(hosts: Hosts) -> None:
    far = await hosts.process(host="elsewhere")
    assert await far.begin(COPY, below=3) == Begun(0)
    here = await hosts.process()
    doubtful = await here.begin(COPY, below=3)
    assert doubtful.beat is not None
    assert await here.begin(COPY, below=3, beat=doubtful.beat - 3.0) == Begun(0)


async def test_losses_of_workers_survive_the_process_that_counted_them(journal: Journal) -> None:
    first = Suspects(journal)
    now: Callable[[], float] = journal.clock
    assert [await first.add("inbox:1", "it spins", now()) for _ in range(2)] == [1, 2]
    second = Suspects(journal)
    await second.load(now())
    assert (second.count("inbox:1"), second.cause("inbox:1")) == (2, "it spins")
    assert await second.add("inbox:1", "it spins", now() + 90_000.0) == 1
    await second.clear("inbox:1")
    third = Suspects(journal)
    await third.load(now())
    assert third.count("inbox:1") == 0
