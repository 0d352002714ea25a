"""The embedded broker's queues in one SQLite file. Used by one thread; every change belongs to the open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from hub.broker.embedded.catalogue import Catalogue
from hub.broker.embedded.death import Reason, with_death
from hub.broker.properties import decode_properties, encode_properties
from hub.core.clock import Clock
from hub.core.topology import Queue, Topology

READY, IN_FLIGHT, STUCK = 0, 1, 2
"""States of a message. STUCK: it should leave to a dead-letter queue that doesn't exist; tried again every second."""

STUCK_RETRY = 1.0

BUSY = 1.0
"""Seconds to wait for somebody who looks into the file with a tool of their own."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY, queue TEXT NOT NULL, state INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  expires REAL, reason TEXT, exchange TEXT NOT NULL, key TEXT NOT NULL, properties BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS message_by_queue ON message (queue, state, id);
CREATE INDEX IF NOT EXISTS message_by_expiry ON message (expires, id) WHERE expires IS NOT NULL;
"""

Routed = Literal["routed", "unroutable", "full"]


class TakenMessage(NamedTuple):
    """A message that has been marked as in flight. `deliveries` counts this one too."""

    id: int
    deliveries: int
    exchange: str
    key: str
    properties: bytes
    body: bytes


def steady(clock: Clock) -> Callable[[], float]:
    """What starts at the time of the clock and goes on without its jumps."""
    begun = clock() - clock.monotonic()
    return lambda: begun + clock.monotonic()


class MessageStore:
    """Messages by queue. `commit` makes everything since the last commit durable (WAL, synchronous=FULL), `rollback`
    undoes it. Raises sqlite3.Error when the file can't be used.

    `clock` gives seconds since the epoch and must not jump: `steady`.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=64, timeout=BUSY)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384", "journal_size_limit=67108864"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)
        self.catalogue = Catalogue(self._db)
        self.recovered = self._db.execute("UPDATE message SET state=? WHERE state=?", (READY, IN_FLIGHT)).rowcount
        self._ready: dict[str, int] = {}
        self.changed: set[str] = set()
        """Queues that have more for a consumer than when somebody looked last, who clears it."""
        self._next_id = 1
        self._reload()
        self._bound_waits()
        self._exhausted()

    def _bound_waits(self) -> None:
        """No message waits longer than its queue says, though the clock was set back while the file was closed."""
        for queue in self.catalogue.queues.values():
            if queue.ttl is not None:
                latest = self._clock() + queue.ttl
                late = "UPDATE message SET expires=? WHERE queue=? AND expires > ?"
                self._db.execute(late, (latest, queue.name, latest))

    def _reload(self) -> None:
        self.catalogue.load()
        self._ready = dict.fromkeys(self.catalogue.queues, 0)
        counts = "SELECT queue, COUNT(*) FROM message WHERE state=0 GROUP BY queue"
        self._ready.update(self._db.execute(counts))
        self.changed.update(queue for queue, ready in self._ready.items() if ready)
        (last,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM message").fetchone()
        self._next_id = max(self._next_id, last + 1)

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._reload()

    def close(self) -> None:
        self._db.close()

    def declare(self, topology: Topology) -> None:
        """Raises ConfigError before anything is changed."""
        self.catalogue.declare(topology)
        for queue in topology.queues:
            self._ready.setdefault(queue.name, 0)

    def insert(self, exchange: str, key: str, properties: bytes, body: bytes) -> Routed:
        """One copy for every queue that the exchange names; none at all when one of them is full."""
        queues = self.catalogue.route(exchange, key, properties)
        if not queues:
            return "unroutable"
        if any(queue.max_length is not None and self._ready[queue.name] >= queue.max_length for queue in queues):
            return "full"
        for queue in queues:
            expires = None if queue.ttl is None else self._clock() + queue.ttl
            self._db.execute(
                "INSERT INTO message VALUES (?,?,0,0,?,NULL,?,?,?,?)",
                (self._next_id, queue.name, expires, exchange, key, properties, body),
            )
            self._next_id += 1
            self._more(queue.name)
        return "routed"

    def _more(self, queue: str) -> None:
        self._ready[queue] = self._ready.get(queue, 0) + 1
        self.changed.add(queue)

    def ready(self, queue: str) -> int | None:
        """How many wait for a consumer; None for a queue that doesn't exist."""
        return self._ready.get(queue) if queue in self.catalogue.queues else None

    def take(self, queue: str, limit: int) -> list[TakenMessage]:
        """The oldest ready messages, now in flight and counted as delivered once more."""
        if limit <= 0 or not self._ready.get(queue):
            return []
        found = self._db.execute(
            "SELECT id, deliveries + 1, exchange, key, properties, body FROM message WHERE queue=? AND state=0"
            " ORDER BY id LIMIT ?",
            (queue, limit),
        ).fetchall()
        self._db.executemany(
            "UPDATE message SET state=1, deliveries=deliveries+1 WHERE id=?", [(row[0],) for row in found]
        )
        self._ready[queue] -= len(found)
        return [TakenMessage(*row) for row in found]

    def finish(self, ids: Iterable[int]) -> None:
        """They are done and gone."""
        self._db.executemany("DELETE FROM message WHERE id=?", [(id,) for id in ids])

    def give_back(self, ids: Iterable[int], *, counted: bool = True) -> None:
        """In flight no more: ready again at their old place, or dead-lettered when delivered too often. Not `counted`:
        nobody saw that delivery."""
        for id in ids:
            found = self._db.execute("SELECT queue, deliveries FROM message WHERE id=? AND state=1", (id,)).fetchone()
            if found is None:
                continue
            name, deliveries = found[0], found[1] - (not counted)
            self._db.execute("UPDATE message SET state=0, deliveries=? WHERE id=?", (deliveries, id))
            self._more(name)
            queue = self.catalogue.queues.get(name)
            if queue and queue.delivery_limit is not None and deliveries > queue.delivery_limit:
                self._bury(id, queue, "delivery_limit")

    def expire(self) -> float | None:
        """Moves what is over its time; seconds until the next one is, None when nothing waits for its time."""
        now = self._clock()
        due = "SELECT id, queue, reason FROM message WHERE expires <= ? AND state <> 1 ORDER BY expires, id"
        for id, name, reason in self._db.execute(due, (now,)).fetchall():
            queue = self.catalogue.queues.get(name)
            if queue is not None:
                self._bury(id, queue, reason or "expired")
        (upcoming,) = self._db.execute("SELECT MIN(expires) FROM message WHERE expires > 0 AND state <> 1").fetchone()
        return None if upcoming is None else max(0.0, upcoming - self._clock())

    def unstick(self) -> None:
        """What should leave to a dead-letter queue that doesn't exist waits for a consumer again."""
        self._db.execute("UPDATE message SET state=?, reason=NULL, expires=NULL WHERE state=?", (READY, STUCK))
        self._reload()

    def delete_queue(self, name: str, *, if_empty: bool) -> bool:
        if name not in self.catalogue.queues:
            return False
        if if_empty and self._db.execute("SELECT 1 FROM message WHERE queue=? LIMIT 1", (name,)).fetchone():
            return False
        self._db.execute("DELETE FROM message WHERE queue=?", (name,))
        self.catalogue.forget(name)
        self._ready.pop(name, None)
        return True

    def _exhausted(self) -> None:
        """Buries what was delivered too often before a crash."""
        for queue in self.catalogue.queues.values():
            if queue.delivery_limit is not None:
                over = "SELECT id FROM message WHERE queue=? AND state=0 AND deliveries > ?"
                found: Sequence[tuple[int]] = self._db.execute(over, (queue.name, queue.delivery_limit)).fetchall()
                for (id,) in found:
                    self._bury(id, queue, "delivery_limit")

    def _bury(self, id: int, queue: Queue, reason: Reason) -> None:
        state, exchange, key, properties = self._db.execute(
            "SELECT state, exchange, key, properties FROM message WHERE id=?", (id,)
        ).fetchone()
        if state == READY:
            self._ready[queue.name] -= 1
        if queue.dead_letter is None:
            self._db.execute("DELETE FROM message WHERE id=?", (id,))
            return
        target = self.catalogue.queues.get(queue.dead_letter)
        now = self._clock()
        if target is None:
            again = (STUCK, reason, now + STUCK_RETRY, id)
            self._db.execute("UPDATE message SET state=?, reason=?, expires=? WHERE id=?", again)
            return
        dead = with_death(decode_properties(properties, b""), reason, queue.name, exchange, key, now)
        expires = None if target.ttl is None else now + target.ttl
        self._db.execute(
            "UPDATE message SET id=?, queue=?, state=0, deliveries=0, expires=?, reason=NULL, exchange='', key=?,"
            " properties=? WHERE id=?",
            (self._next_id, target.name, expires, target.name, encode_properties(dead), id),
        )
        self._next_id += 1
        self._more(target.name)
