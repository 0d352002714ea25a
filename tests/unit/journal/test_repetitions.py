"""Keys of requests that may be repeated: one does the work, the others get its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.clock.system_clock import SystemClock
from hub.core.network.web import Repetition, WebResponse
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.repetitions import JournalRepetitions

ANSWER = WebResponse(202, b"\x00taken", "text/plain", {"Location": "/status/1"})


@pytest.fixture
async def journals(journal_url: str, tmp_path: Path) -> AsyncIterator[tuple[Journal, Journal]]:
    made = [Journal(journal_url, tmp_path / "claims", SystemClock()) for _ in range(2)]
    for journal in made:
        await journal.open(worker=not journal.is_sqlite or journal is made[0])
    yield made[0], made[1]
    for journal in made:
        await journal.close()


async def test_one_of_many_does_the_work_and_all_others_are_told(journals: tuple[Journal, Journal]) -> None:
    mine, other = (JournalRepetitions(journal, "posted") for journal in journals)
    for round in range(20):
        begun = await asyncio.gather(*(each.begin(f"k{round}", "f", 60) for each in (mine, mine, mine)))
        assert sorted(begun, key=str) == [None, Repetition("f"), Repetition("f")]
    assert await mine.begin("k", "f", 60) is None
    await mine.finish("k", ANSWER)
    assert await mine.begin("k", "f", 60) == Repetition("f", ANSWER)
    assert await other.begin("k", "else", 60) == Repetition("f", ANSWER)
    assert await JournalRepetitions(journals[0], "called").begin("k", "f", 60) is None, "of another source"


async def test_what_came_to_nothing_and_what_has_expired_is_free(journals: tuple[Journal, Journal]) -> None:
    mine = JournalRepetitions(journals[0], "posted")
    assert await mine.begin("k", "f", 60) is None
    await mine.free("k")
    assert await mine.begin("k", "g", 60) is None
    await mine.finish("k", ANSWER)
    await mine.free("k")
    assert await mine.begin("k", "f", 60) == Repetition("g", ANSWER), "an answer is not taken back"
    journals[0].clock.adopt(journals[0].clock() + 61)
    assert await mine.begin("k", "f", 60) is None


async def test_the_work_of_a_process_that_has_ended_is_free(journals: tuple[Journal, Journal]) -> None:
    mine, other = (JournalRepetitions(journal, "posted") for journal in journals)
    assert await mine.begin("k", "f", 60) is None
    assert await other.begin("k", "f", 60) == Repetition("f")

    async def end(connection: object) -> None:
        gone = sa.delete(schema.process).where(schema.process.c.id == journals[0].process)
        await connection.execute(gone)  # type: ignore[attr-defined]

    await journals[0].change(end)
    assert await other.begin("k", "f", 60) is None
    await mine.finish("k", WebResponse(500))
    await other.finish("k", ANSWER)
    assert await mine.begin("k", "f", 60) == Repetition("f", ANSWER), "who has lost it answers no more"


async def test_an_answer_that_was_not_kept_is_made_again(journals: tuple[Journal, Journal]) -> None:
    repetitions = JournalRepetitions(journals[0], "web")
    assert await repetitions.begin("k", "f", 60) is None
    still = await JournalRepetitions(journals[0], "web").begin("k", "f", 60)
    assert still == Repetition("f"), "another adapter of this process knows that it is in work"
    journals[0].in_work.clear()  # the answer was given, and could not be recorded
    assert await repetitions.begin("k", "f", 60) is None


async def test_a_process_that_has_fallen_silent_may_have_ended(journals: tuple[Journal, Journal]) -> None:
    assert await JournalRepetitions(journals[0], "web").begin("k", "f", 60) is None

    async def silent(connection: object) -> None:
        late = sa.update(schema.process).values(heartbeat_at=schema.process.c.heartbeat_at - 10)
        await connection.execute(late)  # type: ignore[attr-defined]

    await journals[0].change(silent)
    assert await JournalRepetitions(journals[1], "web").begin("k", "f", 60) == Repetition("f", None, in_work=False)
