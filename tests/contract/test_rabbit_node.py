"""RabbitMQ itself goes away, fills up or refuses: these tests share a node of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import RejectedError, TransientError
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox, eventually, numbered
from tests.support.rabbitmq import RabbitNode, find_server, private_node
from tests.support.servers import MISSING, unavailable

SETTLED = 6.0
"""Seconds after which a new quorum queue survives the SIGKILL of a single node: before, RabbitMQ may not get it
back."""


pytestmark = [pytest.mark.rabbitmq, pytest.mark.xdist_group("a node of their own")]


@pytest.fixture(scope="module")
def node() -> Iterator[RabbitNode]:
    """It runs before and after each test."""
    server = find_server()
    if server is None:
        unavailable(MISSING["rabbitmq"])
        return
    with private_node(server) as node:
        yield node


@pytest.fixture
async def broker(node: RabbitNode, queue: str) -> AsyncIterator[RabbitBroker]:
    made = RabbitBroker(node.url, SystemClock(), timeout=60)
    await made.open()
    await made.declare(Topology(queues=(Queue(queue),)))
    yield made
    await made.close()


@pytest.fixture
def queue(unique: str) -> str:
    return f"q.{unique}"


async def test_nothing_is_lost_when_the_node_is_stopped_and_killed(
    broker: RabbitBroker, queue: str, node: RabbitNode
) -> None:
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(broker.publish("", queue, message) for message in numbered(range(500))))
    await loop.run_in_executor(None, node.stop)
    during = [broker.publish("", queue, message, timeout=120) for message in numbered(range(500, 1000))]
    await loop.run_in_executor(None, node.start)
    await asyncio.gather(*during)
    await asyncio.sleep(SETTLED)
    during = [broker.publish("", queue, message, timeout=120) for message in numbered(range(1000, 1500))]
    await loop.run_in_executor(None, node.kill)
    await loop.run_in_executor(None, node.start)
    await asyncio.gather(*during)

    async def complete() -> bool:
        return inbox.ids == {str(number) for number in range(1500)}

    await eventually(complete)
    assert broker.connected
    assert broker.reconnects >= 4


async def test_a_message_above_the_brokers_limit_is_refused_and_its_neighbours_are_not(
    broker: RabbitBroker, queue: str
) -> None:
    bodies = [b"small"] * 5 + [bytes(11_000_000)] + [b"small"] * 5
    confirms = [broker.publish("", queue, Message(str(n), body)) for n, body in enumerate(bodies)]
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 5 + [RejectedError] + [type(None)] * 5
    assert broker.connected


async def test_a_dead_letter_waits_for_its_queue_and_arrives_when_that_is_there(broker: RabbitBroker) -> None:
    await broker.declare(Topology(queues=(Queue("short", ttl=0.05, dead_letter="late"),)))
    await broker.publish("", "short", Message("m", b""))

    async def expired() -> bool:
        return await broker.depths(["short"]) == {"short": 0}

    await eventually(expired)
    await broker.declare(Topology(queues=(Queue("late"),)))
    inbox = Inbox(ack=True)
    await broker.consume("late", inbox)
    assert (await inbox.next()).message.id == "m"


async def test_during_an_alarm_nothing_is_confirmed_and_nothing_lost_and_consumers_go_on(
    broker: RabbitBroker, queue: str, node: RabbitNode
) -> None:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, node.control, "set_vm_memory_high_watermark", "0.000001")
    patient = asyncio.ensure_future(broker.publish("", queue, Message("patient", b""), timeout=60))

    async def blocked() -> bool:
        return broker.blocked

    await eventually(blocked)
    assert not broker.connected
    with pytest.raises(TransientError, match="alarm"):
        await broker.publish("", queue, Message("short", b""), timeout=0.3)
    assert (await broker.depths([queue]))[queue] is not None
    await loop.run_in_executor(None, node.control, "set_vm_memory_high_watermark", "0.4")
    await patient
    assert broker.connected


async def test_connections_that_an_administrator_closes_are_replaced(
    broker: RabbitBroker, queue: str, node: RabbitNode
) -> None:
    loop = asyncio.get_running_loop()
    before = broker.reconnects
    await loop.run_in_executor(None, node.control, "close_all_connections", "maintenance")

    async def back() -> bool:
        return broker.reconnects >= before + 2 and broker.connected

    await eventually(back)
    await broker.publish("", queue, Message("after", b""))
