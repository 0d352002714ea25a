"""How a connection is made, used up and ended: told by a scripted server."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from pamqp import commands, frame
from pamqp.body import ContentBody
from structlog.testing import capture_logs

from hub.broker.rabbit import frames
from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.amqp_channel import ConnectionLost
from hub.broker.rabbit.connection import AmqpConnection
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.broker.table import UNDECODABLE
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError
from hub.core.message import Message
from tests.support.brokers import Inbox
from tests.support.clocks import SetClock
from tests.support.listening import Listening
from tests.support.scripted_amqp import ScriptedServer, content

DELIVER = commands.Basic.Deliver("c", 1, False, "", "q")


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


@pytest.fixture
async def connection(server: ScriptedServer) -> AsyncIterator[AmqpConnection]:
    made = await AmqpConnection.connect(AmqpAddress.parse(server.url), "test", 10, SystemClock())
    yield made
    await made.close()


# --- beginning


@pytest.mark.parametrize(
    ("offered", "url", "accepted"),
    [
        ((2047, 131072), "", (2047, 131072)),
        ((0, 0), "", (65535, 131072)),
        ((2047, 1_000_000), "?channel_max=20", (20, 131072)),
        ((10, 4096), "?channel_max=20", (10, 4096)),
    ],
)
async def test_no_more_is_accepted_than_both_want(
    server: ScriptedServer, offered: tuple[int, int], url: str, accepted: tuple[int, int]
) -> None:
    server.tune = commands.Connection.Tune(*offered, 60)
    broker = RabbitBroker(server.url + url, SystemClock(), timeout=5)
    await broker.open()
    answer = await server.next("Connection.TuneOk")
    assert (answer.channel_max, answer.frame_max, answer.heartbeat) == (*accepted, 10)
    await broker.close()


async def test_a_broker_that_takes_no_passwords_is_named_at_once(server: ScriptedServer) -> None:
    server.mechanisms = "EXTERNAL RABBIT-CR-DEMO"
    with pytest.raises(ConfigError, match=r"takes no password: it lets clients in by EXTERNAL RABBIT-CR-DEMO"):
        await RabbitBroker(server.url, SystemClock(), timeout=5).open()


async def test_an_unexpected_answer_is_named(server: ScriptedServer) -> None:
    server.tune = commands.Connection.Secure("who are you?")
    with pytest.raises(ConnectionLost, match=r"Connection\.Tune.*Secure"):
        await AmqpConnection.connect(AmqpAddress.parse(server.url), "test", 10, SystemClock())


@pytest.mark.parametrize("tls", [False, True])
async def test_a_broker_that_says_nothing_is_given_up(tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.broker.rabbit.connection.HANDSHAKE_TIMEOUT", 0.1)
    silence = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()

    async with Listening(say_nothing) as peer:
        with pytest.raises(TimeoutError):
            await AmqpConnection.connect(
                AmqpAddress.parse(f"amqp{'s' if tls else ''}://127.0.0.1:{peer.port}"), "test", 10, SystemClock()
            )


# --- messages


async def test_headers_that_nobody_can_decode_arrive_and_end_nothing(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    inbox = Inbox(ack=True)
    await broker.consume("q", inbox)
    deep = b""
    for _ in range(9000):
        deep = b"\x01kF" + struct.pack(">I", len(deep)) + deep
    for table in (b"\x01kZ\x00", b"\x01kS\x00\x00\xff\xff", deep):
        properties = struct.pack(">HI", 1 << 13, len(table)) + table
        server.to_consumer(DELIVER)
        server.raw_to_consumer(
            lambda number, data=properties: (  # type: ignore[misc]
                frames.FRAME.pack(frames.HEADER, number, 12 + len(data))
                + struct.pack(">HHQ", 60, 0, 0)
                + data
                + frames.END
            )
        )
        headers = (await inbox.next()).message.headers
        assert list(headers) == ["k"] if table is deep else [UNDECODABLE]
    assert broker.reconnects == 0


async def test_a_body_in_pieces_arrives_whole(broker: RabbitBroker, server: ScriptedServer) -> None:
    inbox = Inbox()
    await broker.consume("q", inbox)
    server.to_consumer(DELIVER, content(b"abcdef"), ContentBody(b"ab"), ContentBody(b"cd"), ContentBody(b"ef"))
    assert (await inbox.next()).message.body == b"abcdef"


async def test_messages_alone_are_a_sign_of_life(connection: AmqpConnection) -> None:
    """RabbitMQ sends no heartbeats while it sends messages, and aiormq gets no messages."""
    clock = connection.clock = SetClock(steady=connection.clock.monotonic())
    message = frame.marshal(commands.Basic.Deliver("c", 1, False, "", "q"), 5)
    assert connection.received(message) == b""
    clock.passes(2.0)
    assert connection.received(message) == frames.HEARTBEAT_FRAME
    assert connection.received(message) == b""


# --- end


async def test_a_connection_that_is_cut_in_a_frame_delivers_nothing_of_it(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    inbox = Inbox()
    await broker.consume("q", inbox)
    delivery = (DELIVER, content(b"abc"), ContentBody(b"abc"))
    server.raw_to_consumer(lambda number: b"".join(frame.marshal(each, number) for each in delivery)[:-2])
    await server.cut_consumer()
    server.to_consumer(*delivery)
    assert (await inbox.next()).message.body == b"abc"
    assert len(inbox.all) == 1


async def test_a_close_by_the_broker_is_answered_and_its_reason_told(
    broker: RabbitBroker, server: ScriptedServer
) -> None:
    await server.opened.get()
    confirm = asyncio.ensure_future(broker.publish("", "q", Message("m", b"x")))
    await server.next("Basic.Publish")
    with capture_logs() as logs:
        server.to_publisher_connection(commands.Connection.Close(320, "CONNECTION_FORCED - maintenance", 0, 0))
        await server.next("Connection.CloseOk")
        await server.opened.get()
    assert [entry["cause"] for entry in logs if entry["event"] == "connection_lost"] == [
        "the broker closed the connection: 320 CONNECTION_FORCED - maintenance"
    ]
    await server.next("Basic.Publish")
    server.to_publisher(commands.Basic.Ack(1))
    await confirm


async def test_a_good_bye_sends_what_was_said_before(broker: RabbitBroker, server: ScriptedServer) -> None:
    inbox = Inbox(ack=True)
    await broker.consume("q", inbox)
    server.to_consumer(DELIVER, content(b""))
    await inbox.next()
    await broker.close()
    await server.next("Basic.Ack")
    assert server.seen.index("Basic.Ack") < server.seen.index("Connection.Close")


# --- channels


async def test_a_late_answer_is_not_taken_for_the_next_one(connection: AmqpConnection, server: ScriptedServer) -> None:
    channel = await connection.open()
    declared = asyncio.ensure_future(channel.call(commands.Queue.Declare(0, "q")))
    await server.next("Queue.Declare")
    declared.cancel()
    await asyncio.wait({declared})
    closed = asyncio.ensure_future(channel.close())
    await asyncio.sleep(0)
    await channel.put((0, commands.Queue.DeclareOk("q", 0, 0)))
    assert not closed.done()
    assert not channel.closed
    await closed
    assert connection.room() == connection.most_channels


async def test_a_channel_that_both_sides_close_keeps_its_number(connection: AmqpConnection) -> None:
    channel = await connection.open()
    number = channel.number
    closed = asyncio.ensure_future(channel.close())
    await asyncio.sleep(0)
    await channel.put((0, commands.Channel.Close(406, "PRECONDITION_FAILED", 0, 0)))
    await closed
    assert (await connection.open()).number != number
