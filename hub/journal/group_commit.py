"""Group commit: what many tasks want to write becomes one transaction, so that a commit costs each of them little.

While one transaction runs, the next one gathers. When the database is away the batch is kept and tried again until it is
back: nobody who waits for a commit goes on before it is there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from hub.core.effect import EffectStatus
from hub.core.errors import JournalUnavailable
from hub.core.once_key import OnceStatus
from hub.journal import batch_acknowledgments, batch_members, control_numbers, interchanges_received, once_keys, schema
from hub.journal.bulk import IN_ORDER, Row, clean
from hub.journal.control_numbers import NumberWanted
from hub.journal.entry import EffectState, Entry, OnceState
from hub.journal.faults import first_line, is_away, is_conflict
from hub.journal.wait import WAIT

Transact = Callable[[Callable[[Connection], None]], Awaitable[None]]
"""Runs a function in one transaction and commits it: on a thread of its own for SQLite, on the driver's for PostgreSQL."""

Batch = Sequence[tuple[Entry, asyncio.Future[None]]]

MOST = 500

CONFLICTS = 5
"""So often a transaction that was in another one's way is repeated at once, then after pauses."""


class GroupCommit:
    """Writes entries in the order in which they were submitted. `on_state(available, text)` is told when the database
    goes and comes.

    An entry that can't be written, whatever the reason, fails alone: its future gets the exception.
    """

    def __init__(self, transact: Transact, process: str, on_state: Callable[[bool, str], None]) -> None:
        self._transact = transact
        self._process = process
        self._on_state = on_state
        self._waiting: deque[tuple[Entry, asyncio.Future[None]]] = deque()
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

    def submit(self, entry: Entry) -> asyncio.Future[None]:
        """Resolves when the entry is committed. Raises JournalUnavailable only when the hub stops before that, and what
        the database said when it refuses this entry."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.closing:
            done.set_exception(JournalUnavailable("the journal is closed"))
            return done
        self._waiting.append((entry, done))
        self._wake.set()
        return done

    @property
    def age(self) -> float:
        """For how many seconds the commit under way has been waited for; 0 when there is none."""
        return 0.0 if self._under_way_since is None else time.monotonic() - self._under_way_since

    async def close(self, timeout: float = 5.0) -> None:
        """Commits what waits, for at most `timeout` seconds; the rest fails with JournalUnavailable."""
        self.closing = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=timeout)
            for task in late:
                task.cancel()
                await asyncio.wait({task})
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
        structlog.get_logger("hub.journal").error("writer ended", error=text)
        self._say(False, text)
        self._fail_waiting(text)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
                self._under_way_since = time.monotonic()
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
                await self._write([entry for entry, _ in batch])
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
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            break
        self._say(True, "")
        self.commits += 1
        self.entries += len(batch)
        for _, done in batch:
            if not done.done():
                done.set_result(None)

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
                structlog.get_logger("hub.journal").exception("the journal's state was not taken note of")

    async def _write(self, entries: Sequence[Entry]) -> None:
        """One hop to the database for the whole batch."""

        def work(connection: Connection) -> None:
            for bulk in (*IN_ORDER, WAIT):
                rows = [row for entry in entries if bulk in entry.rows for row in entry.rows[bulk]]
                if rows:
                    bulk.write(connection, rows)
            self._once_updates(connection, entries)
            control_numbers.record_sent(connection, [sent for entry in entries for sent in entry.sent])
            batch_members.deliver(connection, [sent for entry in entries for sent in entry.batches_sent])
            batch_members.tell(connection, [said for entry in entries for said in entry.batches_said])
            for entry in entries:
                if entry.acknowledgments:
                    entry.settled = batch_acknowledgments.settle(connection, entry.acknowledgments)
            seen = [one for entry in entries for one in entry.interchanges]
            duplicates = interchanges_received.take(connection, seen)
            for entry in entries:
                if entry.interchanges:
                    entry.duplicates = duplicates
            self._answer(connection, entries)
            self._answer_numbers(connection, entries)

        await self._transact(work)

    def _once_updates(self, connection: Connection, entries: Sequence[Entry]) -> None:
        once_keys.finish(connection, dict.fromkeys(key for entry in entries for key in entry.once_finished))
        once_keys.finish_all(connection, list(dict.fromkeys(id for entry in entries for id in entry.once_owners)))
        once_keys.free(connection, dict.fromkeys(key for entry in entries for key in entry.once_freed))
        once_keys.overtake(connection, list(dict.fromkeys(id for entry in entries for id in entry.delivered)))
        once_keys.settle_dead(connection, dict.fromkeys(key for entry in entries for key in entry.dead_settled))

    def _answer(self, connection: Connection, entries: Sequence[Entry]) -> None:
        stored = clean if connection.dialect.name == "postgresql" else _unchanged
        documents = list({stored(key)[0] for entry in entries for key in entry.effects_asked})
        states: dict[Row, EffectState] = {}
        for row in select_in(connection, schema.effect, schema.effect.c.document_id, documents):
            states[row.document_id, row.destination] = EffectState(
                *(row.document_id, row.destination, row.route, EffectStatus(row.status), row.generation, row.key),
                *(row.claim, row.content_type, row.attempts, row.claimed_by == self._process, row.text),
                *(row.facts, row.expect_ack, row.reply, row.reply_type, row.address, row.mark),
            )
        values = list({stored(key)[1] for entry in entries for key in entry.once_asked})
        held: dict[Row, OnceState] = {}
        for row in select_in(connection, schema.once_key, schema.once_key.c.value, values):
            held[row.route, row.value] = OnceState(row.owner, OnceStatus(row.status))
        for entry in entries:
            entry.effects = {key: states[kept] for key in entry.effects_asked if (kept := stored(key)) in states}
            entry.once = {key: held[kept] for key in entry.once_asked if (kept := stored(key)) in held}

    def _answer_numbers(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """After the effects are known: a number is taken for the generation that is in force."""
        asking = [(entry, wanted) for entry in entries for wanted in entry.numbers_asked]
        if not asking:
            return
        needed = [(e, w, g) for e, w in asking if (g := _generation(e, w)) is not None]
        found = control_numbers.take(connection, [(wanted, generation) for _, wanted, generation in needed])
        for entry, _ in asking:
            entry.numbers = {}
        for entry, wanted, generation in needed:
            number = found.get((wanted.partner, wanted.document_id, wanted.destination, generation))
            if number is not None:
                entry.numbers[wanted.document_id, wanted.destination] = number


def _generation(entry: Entry, wanted: NumberWanted) -> int | None:
    """Whose number is asked for; None: nothing is to be made, and no number is needed."""
    if wanted.generation is not None:
        return wanted.generation
    state = entry.effects.get((wanted.document_id, wanted.destination))
    return state.generation if state is not None and state.needs_bytes else None


def _unchanged(key: Row) -> Row:
    return key


def select_in(connection: Connection, table: sa.Table, column: sa.Column[Any], values: Sequence[str]) -> list[Any]:
    """All rows whose column is one of the values, however many there are."""
    found: list[Any] = []
    for start in range(0, len(values), 900):
        part = values[start : start + 900]
        found.extend(connection.execute(sa.select(table).where(column.in_(part))).all())
    return found
