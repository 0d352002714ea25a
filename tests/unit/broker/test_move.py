"""`hub broker move`: all that the embedded broker's file holds goes, also what nobody could deliver there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.broker.embedded.move import Move
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox, eventually, numbered

STUCK = Queue("stuck", ttl=0.05, dead_letter="gone")
"""What leaves it has no place to go to."""
LIMITED = Queue("limited", delivery_limit=1, dead_letter="gone")
RETRY = Queue("retry", ttl=3600.0, dead_letter="work")
WORK = Queue("work")


async def filled(path: Path) -> None:
    """A file in which one message waits, one was with a consumer that did not acknowledge it, one waits for its retry,
    one has left a queue by its age, and one by its delivery limit, and the dead-letter queue of both is gone."""
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    await broker.declare(Topology(queues=(Queue("gone"), WORK, RETRY, STUCK, LIMITED)))
    waits, locked, retried, aged, limited = numbered(range(5))
    await broker.publish("", "work", locked)
    unacknowledged = Inbox()
    await broker.consume("work", unacknowledged, prefetch=1)
    await unacknowledged.next()
    await broker.publish("", "work", waits)
    await broker.publish("", "retry", retried)
    await broker.delete_queue("gone")
    await broker.publish("", "stuck", aged)
    await broker.publish("", "limited", limited)
    refused = Inbox()
    await broker.consume("limited", refused)
    for _ in range(2):
        (await refused.next()).requeue()

    async def left() -> bool:
        return list((await broker.depths(["stuck", "limited"])).values()) == [0, 0]

    await eventually(left)
    with pytest.raises(ConfigError, match="broker"):  # its owner runs
        await Move(path, broker, Topology(), SystemClock()).run()
    await broker.close()


async def test_what_is_locked_or_stuck_is_moved_too(tmp_path: Path) -> None:
    path = tmp_path / "var/broker.db"
    await filled(path)
    target = EmbeddedBroker(tmp_path / "new/broker.db", SystemClock())
    await target.open()
    try:
        assert await Move(path, target, Topology(queues=(WORK,)), SystemClock()).run() == {
            "limited": 1,
            "retry": 1,
            "stuck": 1,
            "work": 2,
        }
        inbox = Inbox(ack=True)
        for queue in ("work", "limited", "retry"):
            await target.consume(queue, inbox)
        found = {delivery.message.id for delivery in await asyncio.wait_for(inbox.take(4), 30)}
        assert len(found) == 4
        assert await Move(path, target, Topology(queues=(WORK,)), SystemClock()).run() == {}
    finally:
        await target.close()
