"""What is declared at the embedded broker: exchanges, queues and bindings, in its file and in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import fields, replace

from hub.broker.embedded.routing import ExchangeRouting
from hub.broker.properties import decode_properties
from hub.broker.table import decode_table, encode_table
from hub.core.errors import ConfigError
from hub.core.message import EMPTY
from hub.core.topology import Binding, Exchange, Queue, Topology

SCHEMA = """
CREATE TABLE IF NOT EXISTS exchange (name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
  name TEXT PRIMARY KEY, ttl REAL, dead_letter TEXT, delivery_limit INTEGER, max_length INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS binding (
  exchange TEXT NOT NULL, queue TEXT NOT NULL, key TEXT NOT NULL, headers BLOB NOT NULL,
  PRIMARY KEY (exchange, queue, key, headers)) WITHOUT ROWID;
INSERT OR IGNORE INTO exchange VALUES
  ('amq.topic', 'topic'), ('amq.direct', 'direct'), ('amq.fanout', 'fanout'), ('amq.headers', 'headers');
"""


class Catalogue:
    """The declared things. Changes belong to the connection's open transaction; after a rollback: `load`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        self.queues: dict[str, Queue] = {}
        self._routing = ExchangeRouting({}, ())
        self.load()

    def load(self) -> None:
        """Takes everything from the file."""
        self.queues = {row[0]: Queue(*row) for row in self._db.execute("SELECT * FROM queue")}
        exchanges = {name: Exchange(name, kind) for name, kind in self._db.execute("SELECT * FROM exchange")}
        bindings = [
            Binding(exchange, queue, key, tuple(decode_table(headers)[0].items()))
            for exchange, queue, key, headers in self._db.execute("SELECT * FROM binding ORDER BY exchange, key, queue")
        ]
        self._routing = ExchangeRouting(exchanges, bindings)

    def route(self, exchange: str, key: str, properties: bytes) -> list[Queue]:
        """The queues that receive it: none when there is no such exchange."""
        if not exchange:
            queue = self.queues.get(key)
            return [queue] if queue else []
        known = self._routing.exchanges.get(exchange)
        if known is None:
            return []
        headers = decode_properties(properties, b"").headers if known.type == "headers" else EMPTY
        return [self.queues[name] for name in self._routing.queues(exchange, key, headers)]

    def declare(self, topology: Topology) -> None:
        """Checks everything, then writes. Raises ConfigError with nothing written."""
        for exchange in topology.exchanges:
            self._check_exchange(exchange)
        queues = [replace(queue, kind="quorum") if queue.kind == "passing" else queue for queue in topology.queues]
        for queue in queues:
            self._check_queue(queue)
        known_exchanges = {*self._routing.exchanges, *(exchange.name for exchange in topology.exchanges)}
        known_queues = {*self.queues, *(queue.name for queue in topology.queues)}
        for binding in topology.bindings:
            _check_binding(binding, known_exchanges, known_queues)
        self._db.executemany(
            "INSERT OR IGNORE INTO exchange VALUES (?,?)",
            [(exchange.name, exchange.type) for exchange in topology.exchanges if not exchange.passive],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO queue VALUES (?,?,?,?,?)",
            [(q.name, q.ttl, q.dead_letter, q.delivery_limit, q.max_length) for q in queues],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO binding VALUES (?,?,?,?)",
            [(b.exchange, b.queue, b.key, encode_table(dict(b.headers))) for b in topology.bindings],
        )
        self.load()

    def unbind(self, bindings: Iterable[Binding]) -> None:
        self._db.executemany(
            "DELETE FROM binding WHERE exchange=? AND queue=? AND key=? AND headers=?",
            [(b.exchange, b.queue, b.key, encode_table(dict(b.headers))) for b in bindings],
        )
        self.load()

    def forget(self, queue: str) -> None:
        """The queue and its bindings are gone."""
        self._db.execute("DELETE FROM queue WHERE name=?", (queue,))
        self._db.execute("DELETE FROM binding WHERE queue=?", (queue,))
        self.load()

    def _check_exchange(self, exchange: Exchange) -> None:
        if exchange.arguments:
            names = ", ".join(name for name, _ in exchange.arguments)
            raise ConfigError(f"exchange {exchange.name!r}: the embedded broker knows no arguments ({names})")
        known = self._routing.exchanges.get(exchange.name)
        if known is None and exchange.passive:
            raise ConfigError(f"exchange {exchange.name!r} doesn't exist at the broker")
        if known is not None and not exchange.passive and known.type != exchange.type:
            raise ConfigError(f"exchange {exchange.name!r} exists as {known.type}, not as {exchange.type}")

    def _check_queue(self, queue: Queue) -> None:
        if queue.kind == "stream":
            raise ConfigError(f"queue {queue.name!r}: the embedded broker has no streams, RabbitMQ has")
        known = self.queues.get(queue.name)
        if known is None or known == queue:
            return
        differences = ", ".join(
            f"{field.name} is {getattr(known, field.name)!r}, not {getattr(queue, field.name)!r}"
            for field in fields(Queue)
            if getattr(known, field.name) != getattr(queue, field.name)
        )
        raise ConfigError(f"queue {queue.name!r} exists with other arguments: {differences}")


def _check_binding(binding: Binding, exchanges: set[str], queues: set[str]) -> None:
    if binding.exchange not in exchanges:
        raise ConfigError(f"exchange {binding.exchange!r} doesn't exist at the broker: {binding.queue!r} can't bind")
    if binding.queue not in queues:
        raise ConfigError(f"queue {binding.queue!r} doesn't exist at the broker: it can't bind")
