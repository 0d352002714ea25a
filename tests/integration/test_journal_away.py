"""The journal's server is killed, stopped, starting: whoever commits waits, and nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.clock.system_clock import SystemClock
from hub.core.errors import JournalUnavailable
from hub.journal import schema
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.database.engines import make_engine
from hub.journal.database.urls import engine_url
from hub.journal.deliveries.effects import STATES
from hub.journal.deliveries.once_keys import HOLDERS, OnceAsked
from hub.journal.journal import Journal
from tests.support.listening import Listening
from tests.support.postgres import PostgresServer, find_binaries
from tests.support.proxy import TcpProxy
from tests.support.servers import unavailable

LIMIT = 60.0
"""Seconds after which a test gives up: a failure, never a measurement."""

PATIENCE = 3.0
"""Seconds that the journal of these tests waits for an answer."""


class Watched:
    """A journal behind a proxy of its own, and what it says of itself."""

    def __init__(self, url: str, proxy: TcpProxy, folder: Path) -> None:
        self.proxy = proxy
        self.states: asyncio.Queue[bool] = asyncio.Queue()
        self.texts: list[str] = []
        self.journal = Journal(
            proxy.through(url), folder / "claims", SystemClock(), on_state=self._note, patience=PATIENCE
        )

    def _note(self, available: bool, text: str) -> None:
        self.texts.append(text)
        self.states.put_nowait(available)

    async def becomes(self, available: bool) -> None:
        async with asyncio.timeout(LIMIT):
            while await self.states.get() != available:
                pass


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own, to kill."""
    binaries = find_binaries()
    if binaries is None:
        unavailable("PostgreSQL isn't installed here")
    made = PostgresServer(binaries)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
async def watched(server: PostgresServer, tmp_path: Path) -> AsyncIterator[Watched]:
    proxy = TcpProxy("127.0.0.1", server.port)
    await proxy.start()
    made = Watched(server.url, proxy, tmp_path)
    await made.journal.open(worker=True)
    yield made
    await made.journal.close()
    await proxy.close()


class Committer:
    """Commits numbered messages, one after the other, until it is stopped."""

    def __init__(self, journal: Journal, name: str) -> None:
        self._journal = journal
        self._name = name
        self._stopped = False
        self.done: list[str] = []
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        for number in itertools.count():
            if self._stopped:
                return
            id = f"{self._name}.{number:06}"
            entry = Entry()
            entry.message(id, "s", "n", "c", "", 1.0)
            entry.prepare(effect_prepared(id, "d", "r", "k", 1.0, self._journal.process))
            entry.take_once("r", id, id, 1.0)
            committed = await self._journal.commit(entry)
            assert committed.of(STATES)[id, "d"].mine, "the answer belongs to the commit that counts"
            assert committed.of(HOLDERS)[OnceAsked("r", id)].owner == id
            self.done.append(id)

    async def stop(self) -> None:
        self._stopped = True
        await asyncio.wait_for(self.task, LIMIT)


async def _kept(journal: Journal) -> list[str]:
    async def query(connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(sa.select(schema.message.c.id))).scalars())

    return sorted(await journal.read(query))


async def _more(committers: list[Committer]) -> None:
    """Each has committed something more."""
    before = [len(each.done) for each in committers]
    async with asyncio.timeout(LIMIT):
        while any(len(each.done) == was for each, was in zip(committers, before, strict=True)):
            assert not any(each.task.done() for each in committers), "a commit has failed"
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_commits_wait_for_the_server_and_none_is_lost(
    server: PostgresServer, watched: Watched, how: Literal["kill", "stop"]
) -> None:
    committers = [Committer(watched.journal, f"c{n}") for n in range(20)]
    for _ in range(2):
        await _more(committers)
        await asyncio.to_thread(server.kill if how == "kill" else server.stop)
        await watched.becomes(False)
        assert not watched.journal.available
        with pytest.raises(JournalUnavailable):
            await watched.journal.ping()
        await asyncio.to_thread(server.start)
        await watched.becomes(True)
        assert watched.journal.available
    await _more(committers)
    for each in committers:
        await each.stop()
    assert await _kept(watched.journal) == sorted(id for each in committers for id in each.done)


async def test_connections_that_break_again_and_again_lose_nothing(watched: Watched) -> None:
    committers = [Committer(watched.journal, f"c{n}") for n in range(10)]
    for _ in range(10):
        await _more(committers)
        watched.proxy.cut()
    await _more(committers)
    for each in committers:
        await each.stop()
    assert await _kept(watched.journal) == sorted(id for each in committers for id in each.done)


async def test_connections_that_fall_silent_are_given_up_and_nothing_is_lost(watched: Watched) -> None:
    """An address that moved, a proxy that hangs: nothing is closed, nothing is answered; new connections work."""
    committers = [Committer(watched.journal, f"c{n}") for n in range(10)]
    for _ in range(2):
        await _more(committers)
        watched.proxy.silence()
        await watched.becomes(False)
        assert watched.texts[-1] == "the database has not answered for 3s"
        await watched.becomes(True)
    await _more(committers)
    for each in committers:
        await each.stop()
    assert await _kept(watched.journal) == sorted(id for each in committers for id in each.done)


async def test_a_commit_that_takes_too_long_is_said_before_it_is_given_up(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.journal.journal.SLOW_COMMIT", 0.3)
    watched.proxy.stall()
    commit = watched.journal.commit(Entry())
    async with asyncio.timeout(LIMIT):
        while "under way" not in watched.journal.trouble:
            assert not commit.done()
            await asyncio.sleep(0.05)
        assert not watched.journal.available
        await watched.becomes(False)
        watched.proxy.resume()
        await commit
    assert watched.journal.available


async def test_row_locks_of_a_host_that_vanished_are_released(server: PostgresServer, watched: Watched) -> None:
    """A session that stays silent in a transaction, as that of a host without power, is ended by the server."""
    entry = Entry()
    entry.prepare(effect_prepared("m", "d", "r", "k", 1.0, watched.journal.process))
    await watched.journal.commit(entry)
    vanished = make_engine(engine_url(server.url), PATIENCE)
    connection = await vanished.connect()
    await connection.begin()
    await connection.execute(sa.update(schema.effect).values(text="locked"))
    entry = Entry()
    entry.prepare(effect_prepared("m", "d", "r", "k", 2.0, watched.journal.process))
    async with asyncio.timeout(LIMIT):
        committed = await watched.journal.commit(entry)
    assert committed.of(STATES)["m", "d"].text is None
    with pytest.raises(DBAPIError):
        await connection.execute(sa.text("SELECT 1"))
    await connection.invalidate()
    await connection.close()
    await vanished.dispose()


async def test_who_waits_and_is_cancelled_does_not_wait_for_a_silent_server(watched: Watched) -> None:
    await watched.journal.ping()
    watched.proxy.stall()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await watched.journal.ping()
    watched.proxy.resume()
    async with asyncio.timeout(LIMIT):
        await watched.journal.ping()


class RefusingServer:
    """Answers every login with one error, as PostgreSQL does while it can't take it."""

    def __init__(self, port: int, state: str, text: str) -> None:
        fields = f"SFATAL\0VFATAL\0C{state}\0M{text}\0\0".encode()
        self._answer = b"E" + struct.pack(">I", len(fields) + 4) + fields
        self._server = Listening(self._serve, port)
        self.refused: asyncio.Queue[None] = asyncio.Queue()

    async def start(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        await self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readexactly(8)
            if head[4:] == struct.pack(">I", 80877103):
                writer.write(b"N")
                head = await reader.readexactly(8)
            await reader.readexactly(struct.unpack(">I", head[:4])[0] - 8)
            writer.write(self._answer)
            await writer.drain()
            self.refused.put_nowait(None)
        except (OSError, asyncio.IncompleteReadError):
            pass


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("57P03", "the database system is starting up"),
        ("53300", "sorry, too many clients already"),
        ("28P01", "password authentication failed"),
        ("3D000", "database is not there"),
    ],
)
async def test_a_server_that_takes_no_logins_yet_is_waited_for(
    server: PostgresServer, watched: Watched, state: str, text: str
) -> None:
    committers = [Committer(watched.journal, f"c{n}") for n in range(5)]
    await _more(committers)
    await asyncio.to_thread(server.kill)
    starting = RefusingServer(server.port, state, text)
    await starting.start()
    watched.proxy.cut()
    await watched.becomes(False)
    async with asyncio.timeout(LIMIT):
        for _ in range(5):
            await starting.refused.get()
    assert not any(each.task.done() for each in committers)
    with pytest.raises(JournalUnavailable, match=text):
        await watched.journal.ping()
    await starting.close()
    await asyncio.to_thread(server.start)
    await watched.becomes(True)
    await _more(committers)
    for each in committers:
        await each.stop()
    assert await _kept(watched.journal) == sorted(id for each in committers for id in each.done)
