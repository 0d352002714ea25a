"""Group commit: what many tasks want to write becomes one transaction, so that a commit costs each of them little.

While one transaction runs, the next one gathers. When the database is away the batch is kept and tried again until it
is back: nobody who waits for a commit goes on before it is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from hub.core.clock import Clock
from hub.core.errors import JournalUnavailable
from hub.journal.commit.entry import Committed, Entry
from hub.journal.commit.writer import EntryWriter
from hub.journal.database.faults import first_line, is_away, is_conflict

Transact = Callable[[Callable[[Connection], None]], Awaitable[None]]
"""Runs a function in one transaction and commits it: on a thread of its own for SQLite, on the driver's for
PostgreSQL."""

Answers = Mapping[EntryWriter[Any], Mapping[Any, Any]]

Submitted = tuple[Entry, asyncio.Future[Committed]]
Batch = Sequence[Submitted]

MOST = 500

CONFLICTS = 5
"""So often a transaction that was in another one's way is repeated at once, then after pauses."""


class GroupCommit:
    """Writes entries in the order in which they were submitted; what they ask of the `writers` runs in the order of
    these. `on_state(available, text)` is told when the database goes and comes.

    An entry that can't be written, whatever the reason, fails alone: its future gets the exception.
    """

    def __init__(
        self,
        transact: Transact,
        writers: Sequence[EntryWriter[Any]],
        on_state: Callable[[bool, str], None],
        clock: Clock,
    ) -> None:
        self._transact = transact
        self._writers = writers
        self._on_state = on_state
        self._clock = clock
        self._waiting: deque[Submitted] = deque()
        self._wake = asyncio.Event()
        self.closing = False
        self._task: asyncio.Task[None] | None = None
        self.available = True
        self._under_way_since: float | None = None
        self.commits = 0
        self.entries = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="journal-group-commit")
        self._task.add_done_callback(self._ended)

    def submit(self, entry: Entry) -> asyncio.Future[Committed]:
        """Resolves when the entry is committed. Raises JournalUnavailable only when the hub stops before that, and what
        the database said when it refuses this entry."""
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        if self.closing:
            done.set_exception(JournalUnavailable("the journal is closed"))
            return done
        self._waiting.append((entry, done))
        self._wake.set()
        return done

    @property
    def age(self) -> float:
        """For how many seconds the commit under way has been waited for; 0 when there is none."""
        return 0.0 if self._under_way_since is None else self._clock.monotonic() - self._under_way_since

    async def close(self, timeout: float = 5.0) -> None:
        """Commits what waits, for at most `timeout` seconds; the rest fails with JournalUnavailable."""
        self.closing = True
        self._wake.set()
        if self._task is not None:
            try:
                async with self._clock.timeout(timeout):
                    await asyncio.wait({self._task})
            except TimeoutError:
                self._task.cancel()
                await asyncio.wait({self._task})
        self._fail_waiting("the hub stopped before the journal was back")

    def _fail_waiting(self, text: str) -> None:
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(JournalUnavailable(text))
                done.exception()
        self._waiting.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The task ends with `close` alone; should it end otherwise, nobody waits for it in vain."""
        error = None if task.cancelled() else task.exception()
        if self.closing and error is None:
            return
        self.closing = True
        text = f"the journal's writer has ended: {first_line(error) if error else 'cancelled'}"
        structlog.get_logger("hub.journal").error("writer_ended", error=text)
        self._say(False, text)
        self._fail_waiting(text)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
                self._under_way_since = self._clock.monotonic()
                try:
                    await self._commit(batch)
                except BaseException:
                    self._waiting.extendleft(reversed(batch))
                    raise
                finally:
                    self._under_way_since = None
            if self.closing:
                return

    async def _commit(self, batch: Batch) -> None:
        pause, conflicts = 0.05, 0
        while True:
            try:
                answers = await self._write([entry for entry, _ in batch])
            except Exception as error:  # noqa: BLE001  (each has its answer)
                if is_conflict(error):
                    conflicts += 1
                    if conflicts <= CONFLICTS:
                        continue
                elif is_away(error):
                    self._say(False, first_line(error))
                else:
                    await self._refused(batch, error)
                    return
                await self._clock.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            break
        self._say(True, "")
        self.commits += 1
        self.entries += len(batch)
        for entry, done in batch:
            if not done.done():
                done.set_result(Committed(entry, answers))

    async def _refused(self, batch: Batch, error: Exception) -> None:
        """Not the database is what failed: halves are tried until only the entry that can't be written fails."""
        half = len(batch) // 2
        if half:
            await self._commit(batch[:half])
            await self._commit(batch[half:])
            return
        self._say(True, "")
        done = batch[0][1]
        if not done.done():
            done.set_exception(error)

    def _say(self, available: bool, text: str) -> None:
        if available != self.available:
            self.available = available
            try:
                self._on_state(available, text)
            except Exception:  # noqa: BLE001  (a listener ends no writer)
                structlog.get_logger("hub.journal").exception("state_listener_failed")

    async def _write(self, entries: Sequence[Entry]) -> Answers:
        """One hop to the database for the whole batch. Gives the answers."""
        asked: dict[EntryWriter[Any], list[Any]] = {}
        for entry in entries:
            for writer, items in entry:
                asked.setdefault(writer, []).extend(items)
        unknown = asked.keys() - set(self._writers)
        if unknown:
            raise LookupError(f"the journal has no place in its order for {unknown}")
        answers: dict[EntryWriter[Any], Mapping[Any, Any]] = {}

        def work(connection: Connection) -> None:
            answers.clear()
            for writer in self._writers:
                if writer in asked and (found := writer.write(connection, asked[writer])) is not None:
                    answers[writer] = found

        await self._transact(work)
        return answers
