"""The group commit survives everything; what can't be written fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.clock.system_clock import SystemClock
from hub.core.errors import JournalUnavailable
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.entry import Committed, Entry, effect_prepared
from hub.journal.commit.group_commit import GroupCommit
from hub.journal.commit.writers import IN_ORDER
from hub.journal.deliveries.effects import STATES
from hub.journal.deliveries.once_keys import HOLDERS, OnceAsked
from hub.journal.journal import Journal


def _event(id: str, text: str = "fine") -> Entry:
    entry = Entry()
    entry.event(id, 1.0, Stage.RECEIVED, text=text)
    return entry


async def _ids(journal: Journal) -> list[str]:
    async def query(connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(sa.select(schema.event.c.message_id))).scalars())

    return sorted(await journal.read(query))


def _missing_source() -> Entry:
    entry = Entry()
    entry.message("poison", None, "n", "c", "", 1.0)  # type: ignore[arg-type]
    return entry


def _wrong_type() -> Entry:
    entry = Entry()
    entry.event("poison", object(), Stage.RECEIVED)  # type: ignore[arg-type]
    return entry


@pytest.mark.parametrize("poison", [_missing_source, _wrong_type])
async def test_a_poisoned_entry_fails_alone(journal: Journal, states: list[bool], poison: Callable[[], Entry]) -> None:
    entries = [_event(f"m{n:02}") for n in range(40)]
    entries[17:17] = [poison()]
    results = await asyncio.gather(*(journal.commit(each) for each in entries), return_exceptions=True)
    failed = [at for at, result in enumerate(results) if isinstance(result, BaseException)]
    assert failed == [17]
    assert not isinstance(results[17], JournalUnavailable)
    assert await _ids(journal) == [f"m{n:02}" for n in range(40)]
    assert journal.available
    await journal.commit(_event("after"))
    assert states == []


async def test_an_id_too_long_for_its_column_fails_alone_or_is_kept(journal: Journal) -> None:
    large = Entry()
    large.key("v", "number", "m" * 65)
    results = await asyncio.gather(journal.commit(large), journal.commit(_event("good")), return_exceptions=True)
    assert isinstance(results[0], Committed) == journal.is_sqlite
    assert isinstance(results[1], Committed)
    assert await _ids(journal) == ["good"]


async def test_nul_in_a_key_is_answered_under_the_callers_key(journal: Journal) -> None:
    entry = Entry()
    entry.take_once("r", "a\x00b", "owner", 1.0)
    entry.prepare(effect_prepared("doc", "place\x00x", "r", "key", 1.0, journal.process))
    committed = await journal.commit(entry)
    assert committed.of(HOLDERS)[OnceAsked("r", "a\x00b")].owner == "owner"
    assert committed.of(STATES)["doc", "place\x00x"].mine


async def test_a_transaction_that_was_in_anothers_way_is_repeated() -> None:
    said: list[bool] = []
    attempts = 0

    class Deadlock(Exception):
        sqlstate = "40P01"

    async def transact(work: Callable[[Connection], None]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            raise Deadlock

    group = GroupCommit(transact, IN_ORDER, lambda available, _: said.append(available), SystemClock())
    group.start()
    await group.submit(_event("m"))
    assert (attempts, said) == (4, [])
    await group.close()


async def test_a_listener_that_raises_ends_nothing() -> None:
    attempts = 0

    async def transact(work: Callable[[Connection], None]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise TimeoutError

    def listen(available: bool, text: str) -> None:
        raise RuntimeError(text)

    group = GroupCommit(transact, IN_ORDER, listen, SystemClock())
    group.start()
    await group.submit(_event("m"))
    assert group.available
    await group.close()


async def test_a_writer_that_is_ended_from_outside_says_so_and_lets_nobody_wait() -> None:
    said: list[bool] = []
    begun = asyncio.Event()

    async def transact(work: Callable[[Connection], None]) -> None:
        begun.set()
        await asyncio.Event().wait()

    group = GroupCommit(transact, IN_ORDER, lambda available, _: said.append(available), SystemClock())
    group.start()
    waiting = group.submit(_event("m"))
    await begun.wait()
    (task,) = (each for each in asyncio.all_tasks() if each.get_name() == "journal-group-commit")
    task.cancel()
    with pytest.raises(JournalUnavailable):
        await waiting
    assert said == [False]
    with pytest.raises(JournalUnavailable):
        await group.submit(_event("late"))
    await group.close()


async def test_a_process_whose_row_was_removed_lives_again_with_its_next_beat(journal: Journal) -> None:
    async def remove(connection: AsyncConnection) -> None:
        await connection.execute(sa.delete(schema.process))

    async def living(connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(sa.select(schema.process.c.id))).scalars())

    assert await journal.read(living) == [journal.process]
    await journal.change(remove)
    async with asyncio.timeout(30):
        while await journal.read(living) != [journal.process]:
            await asyncio.sleep(0.1)


async def test_text_that_came_from_bytes_which_are_no_utf8_is_recorded_with_escapes(journal: Journal) -> None:
    await journal.commit(_event("odd", "a \udcff b"))

    async def query(connection: AsyncConnection) -> list[str | None]:
        return list((await connection.execute(sa.select(schema.event.c.text))).scalars())

    assert await journal.read(query) == ["a \\udcff b"]
