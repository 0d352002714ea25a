"""Moves what the embedded broker's file holds to RabbitMQ: nothing has to be drained before a site grows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hub.broker.embedded.lock import FileLock
from hub.broker.embedded.store import MessageStore, TakenMessage, steady
from hub.broker.properties import decode_properties
from hub.core.broker import BrokerLifecycle
from hub.core.clock import Clock
from hub.core.errors import ConfigError, Unroutable
from hub.core.topology import Topology

AT_ONCE = 200

ANSWERS = "hub.reply."
"""How the queues begin in which processes wait for answers. Those who waited on the embedded broker have ended: their
answers are dropped."""


class Move:
    """Each message is published with a confirm to the queue of the same name, and only then removed from the file. A
    move that was interrupted is begun again: what had been confirmed and not removed is published twice, and its
    effects are once."""

    def __init__(self, path: Path, target: BrokerLifecycle, declared: Topology, clock: Clock) -> None:
        """`declared`: what the site wants; the rest of the file's queues is declared as it stands there."""
        self._path = path
        self._clock = clock
        self._target = target
        self._declared = declared

    async def run(self, progress: Callable[[str, int], None] = lambda queue, count: None) -> dict[str, int]:
        """How many messages went, by queue. Raises ConfigError when a process owns the file or the new broker refuses a
        queue, and EndpointError when the new broker is away."""
        lock = FileLock(self._path.with_name(self._path.name + ".lock"))
        lock.acquire(f"the broker file {self._path}")
        try:
            store = MessageStore(self._path, steady(self._clock))
        except sqlite3.Error as error:
            lock.release()
            raise ConfigError(f"the broker file {self._path} can't be used: {error}") from error
        try:
            await self._declare(store)
            moved: Counter[str] = Counter()
            _settle(store)
            for queue in sorted(store.catalogue.queues):
                while taken := _take(store, queue):
                    if not queue.startswith(ANSWERS):
                        await asyncio.gather(*(self._publish(store, queue, each) for each in taken))
                        moved[queue] += len(taken)
                    _finish(store, taken)
                    progress(queue, moved[queue])
            return dict(moved)
        finally:
            store.close()
            lock.release()

    async def _declare(self, store: MessageStore) -> None:
        """First the queues that others name as the place for their dead letters."""
        await self._target.declare(self._declared)
        known = {queue.name for queue in self._declared.queues}
        others = [queue for name, queue in store.catalogue.queues.items() if name not in known]
        more = [queue for queue in others if not queue.name.startswith(ANSWERS)]
        await self._target.declare(Topology(queues=tuple(sorted(more, key=lambda queue: queue.dead_letter or ""))))

    async def _publish(self, store: MessageStore, queue: str, taken: TakenMessage) -> None:
        """To the exchange where it had come from, when only this queue listens there; else to the queue itself."""
        message = decode_properties(taken.properties, taken.body).without_broker_headers()
        alone = taken.exchange and [q.name for q in store.catalogue.route(taken.exchange, taken.key, taken.properties)]
        if alone == [queue]:
            try:
                await self._target.publish(taken.exchange, taken.key, message)
                return
            except Unroutable:
                pass  # the site doesn't listen there any more: its queue is declared all the same
        await self._target.publish("", queue, message)


def _settle(store: MessageStore) -> None:
    """What is due leaves its retry queue, and what is stuck for want of a dead-letter queue goes as it is."""
    store.begin()
    store.unstick()
    store.expire()
    store.commit()


def _take(store: MessageStore, queue: str) -> list[TakenMessage]:
    store.begin()
    taken = store.take(queue, AT_ONCE)
    store.commit()
    return taken


def _finish(store: MessageStore, taken: list[TakenMessage]) -> None:
    store.begin()
    store.finish([each.id for each in taken])
    store.commit()
