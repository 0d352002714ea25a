"""The contract of a message's further properties, on every broker; and streams, where there are any."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.core.broker import BrokerLifecycle
from hub.core.errors import ConfigError, MessageError
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox


async def sent_and_got(broker: BrokerLifecycle, unique: str, message: Message) -> Message:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    inbox = Inbox(ack=True)
    await broker.consume(f"q.{unique}", inbox)
    await broker.publish("", f"q.{unique}", message)
    got: Message = (await inbox.next()).message
    return got


async def test_properties_arrive_as_they_were_sent(broker: BrokerLifecycle, unique: str) -> None:
    properties = {
        "priority": 7,
        "expiration": 3600.0,
        "timestamp": datetime(2026, 3, 2, 10, 30, tzinfo=UTC),
        "content_encoding": "gzip",
    }
    message = Message("a", b"x", headers={"h": "v"}, correlation_id="c", reply_to="r", type="t", properties=properties)
    got = await sent_and_got(broker, unique, message)
    assert {name: got.properties.get(name) for name in properties} == properties
    assert (got.id, got.body, dict(got.headers), got.correlation_id, got.reply_to, got.type) == (
        "a", b"x", {"h": "v"}, "c", "r", "t",
    )  # fmt: skip


@pytest.mark.parametrize("properties", [{"priority": 256}, {"priority": "high"}, {"content_encoding": "x" * 256}])
async def test_properties_that_amqp_cannot_carry_are_refused(
    broker: BrokerLifecycle, unique: str, properties: dict[str, Any]
) -> None:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    with pytest.raises(MessageError):
        await broker.publish("", f"q.{unique}", Message("a", b"x", properties=properties))


async def test_a_stream_is_read_from_where_the_consumer_says(kind: str, broker: BrokerLifecycle, unique: str) -> None:
    stream = f"stream.{unique}"
    if kind == "embedded":
        with pytest.raises(ConfigError, match="no streams"):
            await broker.declare(Topology(queues=(Queue(stream, kind="stream"),)))
        return
    await broker.declare(Topology(queues=(Queue(stream, kind="stream"),)))
    for n in range(10):
        await broker.publish("", stream, Message(f"m{n}", str(n).encode()))
    for begin, expected in (("first", 0), (4, 4), (9, 9)):
        inbox = Inbox(ack=True)
        subscription = await broker.consume(stream, inbox, arguments=lambda begin=begin: {"x-stream-offset": begin})
        bodies: list[int] = []
        async with asyncio.timeout(20):
            while not bodies or bodies[-1] != 9:
                delivery = await inbox.next()
                bodies.append(int(delivery.message.body))
                assert delivery.message.headers["x-stream-offset"] == bodies[-1]
        assert bodies[-1] == 9
        assert expected in bodies
        await subscription.cancel()
