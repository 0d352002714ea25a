"""RabbitMQ itself goes away, fills up or refuses: each test has a node of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.broker.rabbit import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import RejectedError, TransientError
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox, eventually, numbered
from tests.support.rabbitmq import RabbitNode

pytestmark = pytest.mark.rabbitmq

SETTLED = 6.0
"""Seconds after which a new quorum queue survives the SIGKILL of a single node: before, RabbitMQ may not get it back."""


@pytest.fixture
async def broker(rabbit_node: RabbitNode) -> AsyncIterator[RabbitBroker]:
    made = RabbitBroker(rabbit_node.url, SystemClock(), timeout=60)
    await made.open()
    await made.declare(Topology(queues=(Queue("q"),)))
    yield made
    await made.close()


async def test_nothing_is_lost_when_the_node_is_stopped_and_killed(
    broker: RabbitBroker, rabbit_node: RabbitNode
) -> None:
    inbox = Inbox(ack=True)
    await broker.consume("q", inbox)
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(broker.publish("", "q", message) for message in numbered(range(500))))
    await loop.run_in_executor(None, rabbit_node.stop)
    during = [broker.publish("", "q", message, timeout=120) for message in numbered(range(500, 1000))]
    await loop.run_in_executor(None, rabbit_node.start)
    await asyncio.gather(*during)
    await asyncio.sleep(SETTLED)
    during = [broker.publish("", "q", message, timeout=120) for message in numbered(range(1000, 1500))]
    await loop.run_in_executor(None, rabbit_node.kill)
    await loop.run_in_executor(None, rabbit_node.start)
    await asyncio.gather(*during)

    async def complete() -> bool:
        return inbox.ids == {str(number) for number in range(1500)}

    await eventually(complete)
    assert broker.connected
    assert broker.reconnects >= 4


async def test_one_node_that_says_no(broker: RabbitBroker, rabbit_node: RabbitNode) -> None:
    """A message above the broker's size limit, a missing dead-letter target, an alarm, a closed connection."""
    await _too_large(broker)
    await _missing_target(broker)
    await _alarm(broker, rabbit_node)
    await _closed_by_an_administrator(broker, rabbit_node)


async def _too_large(broker: RabbitBroker) -> None:
    """It is refused; its neighbours are not."""
    bodies = [b"small"] * 5 + [bytes(11_000_000)] + [b"small"] * 5
    confirms = [broker.publish("", "q", Message(str(n), body)) for n, body in enumerate(bodies)]
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 5 + [RejectedError] + [type(None)] * 5
    assert broker.connected


async def _missing_target(broker: RabbitBroker) -> None:
    """A dead letter waits for its queue, and arrives when that is there."""
    await broker.declare(Topology(queues=(Queue("short", ttl=0.05, dead_letter="late"),)))
    await broker.publish("", "short", Message("m", b""))

    async def expired() -> bool:
        return await broker.depths(["short"]) == {"short": 0}

    await eventually(expired)
    await broker.declare(Topology(queues=(Queue("late"),)))
    inbox = Inbox(ack=True)
    await broker.consume("late", inbox)
    assert (await inbox.next()).message.id == "m"


async def _alarm(broker: RabbitBroker, node: RabbitNode) -> None:
    """While the broker blocks publishers nothing is confirmed and nothing is lost; consumers go on."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, node.control, "set_vm_memory_high_watermark", "0.000001")
    patient = asyncio.ensure_future(broker.publish("", "q", Message("patient", b""), timeout=60))

    async def blocked() -> bool:
        return broker.blocked

    await eventually(blocked)
    assert not broker.connected
    with pytest.raises(TransientError, match="alarm"):
        await broker.publish("", "q", Message("short", b""), timeout=0.3)
    assert (await broker.depths(["q"]))["q"] is not None
    await loop.run_in_executor(None, node.control, "set_vm_memory_high_watermark", "0.4")
    await patient
    assert broker.connected


async def _closed_by_an_administrator(broker: RabbitBroker, node: RabbitNode) -> None:
    loop = asyncio.get_running_loop()
    before = broker.reconnects
    await loop.run_in_executor(None, node.control, "close_all_connections", "maintenance")

    async def back() -> bool:
        return broker.reconnects >= before + 2 and broker.connected

    await eventually(back)
    await broker.publish("", "q", Message("after", b""))
