"""Waiting rows: who wakes them, and that none is forgotten or woken twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.clock.system_clock import SystemClock
from hub.journal import schema
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.copies.wait import WAIT, Reason, Wait
from hub.journal.copies.waits import Waits
from hub.journal.deliveries.once_keys import FREE, OnceHeld
from hub.journal.journal import Journal


def wait(journal: Journal, id: str, reason: Reason, waits_for: str = "erp", due: float = 3600.0) -> Wait:
    now = journal.clock()
    return Wait(
        *(id, f"document-{id}", "orders", "erp", reason, waits_for, "it waits", "ACME", "4711", "{}", "claim"),
        *(now, now + due, journal.process),
    )


async def add(journal: Journal, *waits: Wait) -> None:
    entry = Entry()
    for one in waits:
        entry.add(WAIT, one)
    await journal.commit(entry)


async def taken(journal: Journal, **let_through: int) -> list[str]:
    return [one.id for one in await Waits(journal).take(let_through)]


@pytest.fixture
async def other(journal: Journal, journal_url: str, tmp_path: Path) -> AsyncIterator[Journal]:
    """Another process on the same journal."""
    made = Journal(journal_url, tmp_path / "claims", SystemClock())
    await made.open()
    yield made
    await made.close()


async def test_an_endpoint_lets_through_as_many_as_it_bears_the_oldest_first(journal: Journal) -> None:
    rows = [wait(journal, f"w{n}", Reason.ENDPOINT) for n in range(5)]
    await add(journal, *(one._replace(since=one.since + n) for n, one in enumerate(rows)))
    assert await taken(journal, erp=0) == []
    assert await taken(journal, erp=1) == ["w0"]
    assert await taken(journal, other=9) == []
    assert await taken(journal, erp=9) == ["w1", "w2", "w3", "w4"]
    assert await taken(journal, erp=9) == []


@pytest.mark.parametrize("reason", [Reason.PROCESS, Reason.RETRY_AFTER, Reason.ENDPOINT])
async def test_what_is_due_is_woken_whatever_it_waits_for(journal: Journal, reason: Reason) -> None:
    await add(journal, wait(journal, "due", reason, due=-1.0), wait(journal, "later", reason))
    assert await taken(journal, erp=0) == ["due"]


async def test_a_once_key_wakes_when_its_owner_is_done_or_has_freed_it(journal: Journal) -> None:
    entry = Entry()
    for value, owner in (("a", "owner"), ("b", "owner"), ("c", "document-mine")):
        entry.take_once("orders", value, owner, 1.0)
    entry.add(FREE, OnceHeld("orders", "nobody"))
    await journal.commit(entry)
    rows = [wait(journal, id, Reason.ONCE, id, due=-1.0) for id in ("a", "b")]
    await add(journal, *rows, wait(journal, "c", Reason.ONCE, "c")._replace(document_id="document-mine"))
    assert await taken(journal) == ["c"], "it holds the key itself; a key that is pending is waited for beyond the time"
    freed = Entry()
    freed.add(FREE, OnceHeld("orders", "owner"))
    await journal.commit(freed)
    assert await taken(journal) == ["a", "b"]


async def test_a_copy_that_waits_again_before_its_row_is_removed_is_not_lost(journal: Journal) -> None:
    waits = Waits(journal)
    await add(journal, wait(journal, "w", Reason.ENDPOINT))
    assert await taken(journal, erp=1) == ["w"]
    await add(journal, wait(journal, "w", Reason.ENDPOINT))  # published, tried, withheld again
    await waits.end(["w"])
    assert await taken(journal, erp=1) == ["w"]
    await waits.end(["w"])
    assert await waits.counts() == []


async def test_of_two_processes_one_wakes_a_copy(journal: Journal, other: Journal) -> None:
    await add(journal, wait(journal, "w", Reason.RETRY_AFTER, due=-1.0))
    found = [await taken(journal), await taken(other)]
    assert sorted(map(len, found)) == [0, 1]


async def test_copies_of_a_process_that_is_gone_are_woken_by_others(journal: Journal, other: Journal) -> None:
    await add(journal, wait(journal, "w", Reason.ENDPOINT))
    assert await taken(other, erp=9) == [], "its own process lives, and knows its breaker"

    async def die(connection: AsyncConnection) -> None:
        await connection.execute(sa.delete(schema.process))

    await journal.change(die)
    assert await taken(other, erp=0) == ["w"]


@pytest.mark.parametrize("end", ["gone", "ended"])
async def test_what_another_process_was_sending_is_woken_when_that_has_ended_or_is_gone(
    journal: Journal, other: Journal, end: str
) -> None:
    sends = Entry()
    sends.prepare(effect_prepared("document-w", "erp", "orders", "key", journal.clock(), other.process))
    await journal.commit(sends)
    await add(journal, wait(journal, "w", Reason.PROCESS))

    async def live(connection: AsyncConnection) -> None:
        row = {"id": other.process, "host": "h", "pid": 1, "started_at": 0.0, "heartbeat_at": journal.clock()}
        await connection.execute(sa.insert(schema.process).values(**row))

    await journal.change(live)

    async def finish(connection: AsyncConnection) -> None:
        if end == "gone":
            await connection.execute(sa.delete(schema.process).where(schema.process.c.id == other.process))
        else:
            await connection.execute(sa.update(schema.effect).values(claimed_by=None, status="retrying"))

    assert await taken(journal) == []
    await journal.change(finish)
    assert await taken(journal) == ["w"]


async def test_what_a_killed_process_had_taken_is_taken_again(journal: Journal, other: Journal) -> None:
    await add(journal, wait(journal, "w", Reason.RETRY_AFTER, due=-1.0))
    assert await taken(other) == ["w"]
    assert await taken(journal) == []

    async def later(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(schema.waiting).values(taken_at=schema.waiting.c.taken_at - 61.0))

    await journal.change(later)
    assert await taken(journal) == ["w"]


async def test_what_waits_is_counted_by_what_it_waits_for(journal: Journal) -> None:
    await add(
        journal,
        *(wait(journal, f"e{n}", Reason.ENDPOINT) for n in range(3)),
        *(wait(journal, f"o{n}", Reason.ONCE, f"key {n}") for n in range(2)),
    )
    counts = {(one.reason, one.waits_for): one.count for one in await Waits(journal).counts()}
    assert counts == {(Reason.ENDPOINT, "erp"): 3, (Reason.ONCE, ""): 2}
    assert len(await Waits(journal).oldest()) == 5


async def test_copies_of_routes_that_this_process_lacks_are_left_to_others(journal: Journal, other: Journal) -> None:
    newer = wait(journal, "newer", Reason.RETRY_AFTER, due=-1.0)._replace(route="newer")
    await add(journal, newer, wait(journal, "known", Reason.RETRY_AFTER, due=-1.0))
    assert [one.id for one in await Waits(journal).take({}, ("newer",))] == ["known"]
    assert await taken(other) == ["newer"]
