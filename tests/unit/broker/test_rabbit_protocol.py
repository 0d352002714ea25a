"""What a broker may answer, and how `RabbitBroker` takes it: told by a scripted server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pamqp import commands
from pamqp.body import ContentBody

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import MessageError, RejectedError, TransientError, Unroutable
from hub.core.message import Message
from tests.support.brokers import Inbox, eventually
from tests.support.scripted_amqp import ScriptedServer, content

CERTIFICATE = Path(__file__).parents[2] / "support" / "localhost.pem"
"""A self-signed certificate for 127.0.0.1 and its key, good for a hundred years and for nothing but this test."""


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    made = ScriptedServer()
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def broker(server: ScriptedServer) -> AsyncIterator[RabbitBroker]:
    made = RabbitBroker(server.url, SystemClock(), timeout=5)
    await made.open()
    yield made
    await made.close()


async def _publish(broker: RabbitBroker, server: ScriptedServer, count: int) -> list[asyncio.Future[None]]:
    """So many publications, all of them received and none confirmed."""
    confirms: list[asyncio.Future[None]] = [
        asyncio.ensure_future(broker.publish("", "q", Message(str(n), b"x"))) for n in range(count)
    ]
    for _ in range(count):
        await server.next("ContentBody")
    return confirms


def _states(confirms: list[asyncio.Future[None]]) -> list[str]:
    return ["open" if not each.done() else "failed" if each.exception() else "confirmed" for each in confirms]


async def test_confirms_in_any_order(broker: RabbitBroker, server: ScriptedServer) -> None:
    confirms = await _publish(broker, server, 6)
    server.to_publisher(commands.Basic.Ack(5), commands.Basic.Ack(2))
    await asyncio.gather(confirms[4], confirms[1])
    assert _states(confirms) == ["open", "confirmed", "open", "open", "confirmed", "open"]
    server.to_publisher(commands.Basic.Ack(4, multiple=True))
    await asyncio.gather(confirms[0], confirms[2], confirms[3])
    assert _states(confirms) == ["confirmed"] * 5 + ["open"]
    server.to_publisher(commands.Basic.Ack(6))
    await confirms[5]


async def test_many_are_refused_at_once(broker: RabbitBroker, server: ScriptedServer) -> None:
    confirms = await _publish(broker, server, 4)
    server.to_publisher(commands.Basic.Nack(3, multiple=True), commands.Basic.Ack(4))
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [TransientError] * 3 + [type(None)]
    assert isinstance(results[0], TransientError)
    assert results[0].kind == "busy"


async def test_a_confirm_for_nothing_known_changes_nothing(broker: RabbitBroker, server: ScriptedServer) -> None:
    confirms = await _publish(broker, server, 1)
    server.to_publisher(commands.Basic.Ack(99), commands.Basic.Nack(98), commands.Basic.Ack(1), commands.Basic.Ack(1))
    await confirms[0]
    assert broker.connected


async def test_a_return_is_told_apart_from_others_with_the_same_id(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    same = Message("same", b"body")
    confirms = [asyncio.ensure_future(broker.publish("x", "k", same)) for _ in range(3)]
    marks = [(await server.next("ContentHeader")).properties.app_id for _ in range(3)]
    returned = content(b"body", commands.Basic.Properties(app_id=marks[1], message_id="same"))
    server.to_publisher(commands.Basic.Return(312, "NO_ROUTE", "x", "k"), returned, ContentBody(b"body"))
    server.to_publisher(commands.Basic.Ack(3, multiple=True))
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Unroutable, type(None)]


async def test_a_return_without_our_mark_is_ignored(broker: RabbitBroker, server: ScriptedServer) -> None:
    confirms = await _publish(broker, server, 1)
    returned = content(b"", commands.Basic.Properties(app_id="somebody"))
    server.to_publisher(commands.Basic.Return(312, "NO_ROUTE", "", "q"), returned, commands.Basic.Ack(1))
    await confirms[0]


async def test_a_message_that_closes_the_channel_is_found_and_refused(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    """The broker closes the channel for one of three without saying which: they go again one by one."""
    await server.opened.get()
    confirms = await _publish(broker, server, 3)
    why = commands.Channel.Close(403, "ACCESS_REFUSED - no", 60, 40)
    server.to_publisher(why)
    await server.opened.get()
    first = await server.next("Basic.Publish")
    assert first.routing_key == "q"
    server.to_publisher(commands.Basic.Ack(1))
    await confirms[0]
    await server.next("Basic.Publish")
    server.to_publisher(why)
    with pytest.raises(RejectedError, match="ACCESS_REFUSED"):
        await confirms[1]
    await server.opened.get()
    await server.next("Basic.Publish")
    server.to_publisher(commands.Basic.Ack(1))
    await confirms[2]
    assert broker.reconnects == 0


async def test_large_bodies_are_cut_to_the_servers_frames() -> None:
    server = ScriptedServer(largest_frame=4096)
    await server.start()
    broker = RabbitBroker(server.url, SystemClock(), timeout=5)
    await broker.open()
    body = bytes(range(256)) * 50
    confirm = asyncio.ensure_future(broker.publish("", "q", Message("big", body)))
    got = b""
    while len(got) < len(body):
        piece = (await server.next("ContentBody")).value
        assert len(piece) <= 4096 - 8
        got += piece
    assert got == body
    server.to_publisher(commands.Basic.Ack(1))
    await confirm
    await broker.close()
    await server.close()


async def test_headers_above_the_servers_frames_are_refused_and_nothing_of_them_is_sent() -> None:
    server = ScriptedServer(largest_frame=4096)
    await server.start()
    broker = RabbitBroker(server.url, SystemClock(), timeout=5)
    await broker.open()
    large = asyncio.ensure_future(broker.publish("", "q", Message("m", b"x", headers={"why": "y" * 5000})))
    with pytest.raises(MessageError, match=r"50\d\d bytes can't be carried: at most 4055 bytes"):
        await large
    confirms = await _publish(broker, server, 1)
    server.to_publisher(commands.Basic.Ack(1))
    await confirms[0]
    assert broker.reconnects == 0
    await broker.close()
    await server.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x50\x00",
        b"\x09\x00\x01\x00\x00\x00\x00\xce",
        b"\x01\x00\x01\x7f\xff\xff\xff",
        b"\x01\x00\x01\x00\x00\x00\x02\x00\x3c\xce",
        b"\x01\x00\x01\x00\x00\x00\x04\x00\x63\x00\x63\xce",
        b"\x02\x00\x00\x00\x00\x00\x0e\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\xce",
    ],
    ids=["no end byte", "unknown kind", "a frame of 2 GB", "half a method", "unknown method", "content on channel 0"],
)
async def test_a_malformed_frame_ends_the_epoch_and_nothing_is_lost(
    broker: RabbitBroker, server: ScriptedServer, garbage: bytes
) -> None:
    await server.opened.get()
    confirms = await _publish(broker, server, 2)
    server.raw_to_publisher(garbage)
    await server.opened.get()
    for _ in range(2):
        await server.next("Basic.Publish")
    server.to_publisher(commands.Basic.Ack(2, multiple=True))
    await asyncio.gather(*confirms)


async def test_finished_deliveries_are_acknowledged_together(broker: RabbitBroker, server: ScriptedServer) -> None:
    inbox = Inbox()
    await broker.consume("q", inbox)
    for tag in range(1, 7):
        server.to_consumer(commands.Basic.Deliver("c", tag, False, "", "q"), content(b"x"), ContentBody(b"x"))
    deliveries = await inbox.take(6)
    for delivery in (deliveries[2], deliveries[0], deliveries[1], deliveries[4]):
        delivery.ack()
    deliveries[3].requeue()
    said = [await server.next(name) for name in ("Basic.Nack", "Basic.Ack")]
    assert (said[0].delivery_tag, said[0].requeue, said[0].multiple) == (4, True, False)
    assert (said[1].delivery_tag, said[1].multiple) == (5, True)
    deliveries[5].ack()
    last = await server.next("Basic.Ack")
    assert (last.delivery_tag, last.multiple) == (6, False)


async def test_an_acknowledgement_behind_an_unfinished_delivery_goes_alone(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    inbox = Inbox()
    await broker.consume("q", inbox)
    for tag in range(1, 5):
        server.to_consumer(commands.Basic.Deliver("c", tag, tag == 1, "x", "k"), content(b""))
    deliveries = await inbox.take(4)
    assert [delivery.redelivered for delivery in deliveries] == [True, False, False, False]
    deliveries[2].ack()
    single = await server.next("Basic.Ack")
    assert (single.delivery_tag, single.multiple) == (3, False)
    deliveries[0].ack()
    deliveries[1].ack()
    together = await server.next("Basic.Ack")
    assert (together.delivery_tag, together.multiple) == (2, True)
    deliveries[3].ack()
    assert (await server.next("Basic.Ack")).delivery_tag == 4


async def test_a_blocked_connection_is_not_connected(broker: RabbitBroker, server: ScriptedServer) -> None:
    server.to_publisher_connection(commands.Connection.Blocked("low on memory"))

    async def blocked() -> bool:
        return broker.blocked

    await eventually(blocked)
    assert not broker.connected
    confirm = asyncio.ensure_future(broker.publish("", "q", Message("m", b"")))
    server.to_publisher_connection(commands.Connection.Unblocked())
    await server.next("Basic.Publish")
    server.to_publisher(commands.Basic.Ack(1))
    await confirm
    assert broker.connected


async def test_tls_trusts_whom_the_address_names() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    server = ScriptedServer(tls=context)
    await server.start()
    broker = RabbitBroker(f"{server.url}?cafile={CERTIFICATE}", SystemClock(), timeout=5)
    await broker.open()
    assert broker.connected
    await broker.close()
    stranger = RabbitBroker(server.url, SystemClock(), timeout=2)
    with pytest.raises(TransientError, match="certificate verify failed"):
        await stranger.open()
    await server.close()
