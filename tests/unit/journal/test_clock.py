"""What hosts compare is told by the database: a host whose clock is wrong changes nothing, and is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.broker.embedded.store import MessageStore
from hub.clock.system_clock import SystemClock
from hub.core.topology import Queue, Topology
from hub.journal import schema
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.database.clock import DatabaseClock
from hub.journal.deliveries.effects import STATES
from hub.journal.journal import Journal
from hub.journal.processes.processes import living
from tests.support.clocks import SetClock


def test_the_time_is_the_databases_whatever_the_host_is_set_to() -> None:
    host = SetClock()
    clock = DatabaseClock(host)
    assert clock() == 1000.0
    clock.adopt(960.0)
    assert clock() == 960.0
    host.passes(5.0)
    host.wall -= 7200.0
    assert clock() == 965.0


@pytest.mark.parametrize(("said", "told"), [(960.0, "40s ahead of"), (1040.0, "40s behind"), (999.0, "")])
def test_a_skewed_host_is_told(said: float, told: str) -> None:
    clock = DatabaseClock(SetClock())
    clock.adopt(said)
    assert clock.is_skewed == bool(told)
    assert told in clock.told


@pytest.mark.parametrize("wrong", [40.0, -7200.0])
async def test_a_process_whose_clock_is_wrong_takes_over_nothing_that_lives(
    journal: Journal, journal_url: str, tmp_path: Path, wrong: float
) -> None:
    mine = Entry()
    mine.prepare(effect_prepared("m", "d", "r", "k", journal.clock(), journal.process))
    mine_committed = await journal.commit(mine)
    assert mine_committed.of(STATES)["m", "d"].mine
    other = Journal(journal_url, tmp_path / "claims", SystemClock())
    await other.open()
    try:
        theirs = Entry()
        theirs.prepare(effect_prepared("m", "d", "r", "k", time.time() + wrong, other.process))
        theirs_committed = await other.commit(theirs)
        assert not theirs_committed.of(STATES)["m", "d"].mine
    finally:
        await other.close()


async def test_what_a_process_held_is_free_once_its_heartbeat_is_old(
    journal: Journal, journal_url: str, tmp_path: Path
) -> None:
    gone = Entry()
    gone.prepare(effect_prepared("m", "d", "r", "k", journal.clock(), "gone"))
    await journal.commit(gone)
    mine = Entry()
    mine.prepare(effect_prepared("m", "d", "r", "k", journal.clock(), journal.process))
    mine_committed = await journal.commit(mine)
    assert mine_committed.of(STATES)["m", "d"].mine


async def test_a_heartbeat_is_written_by_the_clock_of_the_database(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this host believes that it is 1970

    async def alive(connection: AsyncConnection) -> list[str]:
        await connection.execute(sa.update(schema.process).values(heartbeat_at=0.0))
        await journal._heartbeat.say_alive(connection)
        return list((await connection.execute(living(journal.is_sqlite))).scalars())

    assert await journal.change(alive) == [journal.process]
    assert journal.clock.is_skewed


def test_a_message_of_the_embedded_broker_never_waits_longer_than_its_queue_says(tmp_path: Path) -> None:
    """The clock was two hours ahead when the message came, and is right when the file is opened again."""
    queues = Topology(queues=(Queue("target"), Queue("later", ttl=10.0, dead_letter="target")))
    ahead = MessageStore(tmp_path / "broker.db", lambda: time.time() + 7200.0)
    ahead.declare(queues)
    ahead.insert("", "later", b"\x00\x00", b"body")
    ahead.close()
    store = MessageStore(tmp_path / "broker.db", time.time)
    upcoming = store.expire()
    store.close()
    assert upcoming is not None
    assert upcoming <= 10.0


def test_the_clock_of_the_embedded_broker_does_not_jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MessageStore(tmp_path / "broker.db", time.time)
    store.declare(Topology(queues=(Queue("target"), Queue("later", ttl=10.0, dead_letter="target"))))
    store.insert("", "later", b"\x00\x00", b"body")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 7200.0)
    upcoming = store.expire()
    store.close()
    assert upcoming is not None
    assert upcoming <= 10.0
