"""Leases, and what sources remember."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock.system_clock import SystemClock
from hub.core.errors import TransientError
from hub.journal.journal import Journal
from hub.journal.processes.leases import Leases
from hub.journal.processes.memory import JournalMemory
from hub.runtime.sources.single_process import STANDS_BY, SingleProcess

LIMIT = 20.0


@pytest.fixture
async def other(database_url: str, tmp_path: Path) -> AsyncIterator[Journal]:
    """Another process, as far as the journal can tell."""
    made = Journal(database_url, tmp_path / "claims", SystemClock())
    await made.open(worker=True)
    yield made
    await made.close()


@pytest.fixture
async def one(database_url: str, tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(database_url, tmp_path / "claims", SystemClock())
    await made.open(worker=True)
    yield made
    await made.close()


async def test_a_lease_is_taken_and_kept_by_its_holder(journal: Journal) -> None:
    leases = Leases(journal)
    assert await leases.take("source:a", 30)
    assert await leases.take("source:a", 30)
    assert await leases.holders() == {"source:a": journal.process}
    await leases.give("source:a")
    assert await leases.holders() == {}


@pytest.mark.postgres
async def test_another_process_waits_until_it_is_given_back(one: Journal, other: Journal) -> None:
    assert await Leases(one).take("source:a", 30)
    assert not await Leases(other).take("source:a", 30)
    await Leases(other).give("source:a")
    assert await Leases(one).holders() == {"source:a": one.process}
    await Leases(one).give("source:a")
    assert await Leases(other).take("source:a", 30)


@pytest.mark.postgres
async def test_a_lease_that_nobody_keeps_ends(one: Journal, other: Journal) -> None:
    assert await Leases(one).take("source:a", 0.2)
    while not await Leases(other).take("source:a", 30):
        await asyncio.sleep(0.05)
    assert not await Leases(one).take("source:a", 30)


@pytest.mark.postgres
async def test_the_lease_of_a_process_that_is_gone_is_free_at_once(one: Journal, other: Journal) -> None:
    assert await Leases(other).take("source:a", 3600)
    await other.close()
    assert await Leases(one).take("source:a", 30)


@pytest.mark.postgres
async def test_one_runs_and_the_other_stands_by_and_takes_over(one: Journal, other: Journal) -> None:
    running: list[str] = []
    states: list[str] = []

    async def work(name: str) -> None:
        running.append(name)
        try:
            await asyncio.Event().wait()
        finally:
            running.remove(name)

    first = asyncio.create_task(
        SingleProcess(Leases(one), SystemClock(), 1.0).run("source:a", lambda: work("one"), lambda text: None)
    )
    while not running:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(
        SingleProcess(Leases(other), SystemClock(), 1.0).run("source:a", lambda: work("other"), states.append)
    )
    await asyncio.sleep(2.5)
    assert running == ["one"]
    assert set(states) == {STANDS_BY}
    first.cancel()
    await asyncio.wait({first})
    async with asyncio.timeout(LIMIT):
        while running != ["other"]:
            await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.wait({second})


@pytest.mark.postgres
async def test_a_step_ends_when_its_lease_is_lost(one: Journal, other: Journal) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(SingleProcess(Leases(one), SystemClock(), 1.0).run("source:a", work, lambda text: None))
    while not await Leases(one).holders():
        await asyncio.sleep(0.01)
    await Leases(one).give("source:a")
    assert await Leases(other).take("source:a", 3600)
    async with asyncio.timeout(LIMIT):
        await ended.wait()
        with pytest.raises(TransientError, match="could not be kept"):
            await task


async def test_what_a_step_raises_comes_through_and_frees_the_lease(journal: Journal) -> None:
    async def fails() -> None:
        raise TransientError("no such folder", "failed")

    with pytest.raises(TransientError, match="no such folder"):
        await SingleProcess(Leases(journal), SystemClock()).run("source:a", fails, lambda text: None)
    assert await Leases(journal).holders() == {}


async def test_memory_by_owner_and_name(journal: Journal) -> None:
    memory = JournalMemory(journal, "inbox")
    assert await memory.get("cursor") is None
    await memory.put("cursor", "17")
    await memory.put("cursor", "18")
    assert await memory.get("cursor") == "18"
    assert await JournalMemory(journal, "other").get("cursor") is None


async def test_the_first_value_stays(journal: Journal) -> None:
    memory = JournalMemory(journal, "inbox")
    given = await asyncio.gather(*(memory.first("token", f"value {n}") for n in range(5)))
    assert len(set(given)) == 1
    assert await memory.get("token") == given[0]
