"""What a broker keeps when its connection breaks, stalls or never comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from hub.broker.rabbit import frames
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError, TransientError
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox, depth_becomes, eventually, numbered
from tests.support.listening import Listening
from tests.support.ports import free_ports
from tests.support.proxy import TcpProxy

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
async def broker(tcp_proxy: TcpProxy, amqp_url: str) -> AsyncIterator[RabbitBroker]:
    """A broker behind the proxy."""
    made = RabbitBroker(tcp_proxy.through(amqp_url), SystemClock(), name="test")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def queue(broker: RabbitBroker, unique: str) -> str:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    return f"q.{unique}"


async def test_nothing_is_lost_when_the_connection_is_cut_again_and_again(
    broker: RabbitBroker, tcp_proxy: TcpProxy, queue: str
) -> None:
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    window = asyncio.Semaphore(100)
    confirmed: set[int] = set()

    async def publish(number: int) -> None:
        async with window:
            await broker.publish("", queue, Message(str(number), b"x" * 200))
            confirmed.add(number)
            if len(confirmed) % 300 == 0:
                tcp_proxy.cut()

    await asyncio.gather(*(publish(number) for number in range(2000)))

    async def complete() -> bool:
        return inbox.ids == {str(number) for number in range(2000)}

    await eventually(complete)
    assert broker.reconnects >= 3


async def test_a_forwarder_loses_nothing_when_the_connection_is_cut(
    broker: RabbitBroker, tcp_proxy: TcpProxy, queue: str, unique: str
) -> None:
    """Consume, publish, confirm, ack: every number arrives at the second queue, whatever breaks in between."""
    await broker.declare(Topology(queues=(Queue(f"out.{unique}"),)))
    for message in numbered(range(500)):
        await broker.publish("", queue, message)
    forwarded = 0

    def forward(delivery: object) -> None:
        confirm = asyncio.ensure_future(broker.publish("", f"out.{unique}", delivery.message))  # type: ignore[attr-defined]
        confirm.add_done_callback(lambda done: settle(delivery, done))

    def settle(delivery: object, done: asyncio.Future[None]) -> None:
        nonlocal forwarded
        if done.exception() is None:
            delivery.ack()  # type: ignore[attr-defined]
            forwarded += 1
            if forwarded % 100 == 0:
                tcp_proxy.cut()

    arrived = Inbox(ack=True)
    await broker.consume(queue, forward, prefetch=50)
    await broker.consume(f"out.{unique}", arrived)

    async def complete() -> bool:
        return arrived.ids == {str(number) for number in range(500)}

    await eventually(complete)
    await depth_becomes(broker, queue, 0)


async def test_what_was_in_flight_comes_again_and_the_old_delivery_is_void(
    broker: RabbitBroker, tcp_proxy: TcpProxy, queue: str
) -> None:
    await broker.publish("", queue, Message("m", b""))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    stale = await inbox.next()
    tcp_proxy.cut()
    fresh = await inbox.next()
    assert (fresh.message.id, fresh.redelivered) == ("m", True)
    stale.ack()
    stale.requeue()
    await broker.publish("", queue, Message("n", b""))
    assert (await inbox.next()).message.id == "n"
    fresh.ack()
    inbox.all[-1].ack()
    await depth_becomes(broker, queue, 0)
    assert len(inbox.all) == 3


async def test_without_a_connection_a_publish_fails_in_time_or_waits(
    broker: RabbitBroker, tcp_proxy: TcpProxy, queue: str
) -> None:
    tcp_proxy.refuse()

    async def noticed() -> bool:
        return not broker.connected

    await eventually(noticed)
    with pytest.raises(TransientError) as caught:
        await broker.publish("", queue, Message("short", b""), timeout=0.3)
    assert caught.value.kind == "unreachable"
    patient = asyncio.ensure_future(broker.publish("", queue, Message("patient", b""), timeout=30))
    await asyncio.sleep(0)
    tcp_proxy.allow()
    await patient
    await depth_becomes(broker, queue, 1)


async def test_a_connection_that_goes_silent_is_replaced(tcp_proxy: TcpProxy, amqp_url: str, unique: str) -> None:
    """Nothing is closed: the far end has vanished."""
    broker = RabbitBroker(tcp_proxy.through(amqp_url), SystemClock(), heartbeat=1)
    await broker.open()
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    with capture_logs() as logs:
        tcp_proxy.silence()
        confirm = asyncio.ensure_future(broker.publish("", f"q.{unique}", Message("m", b"")))

        async def noticed() -> bool:
            return not broker.connected

        await eventually(noticed)
        await confirm
    causes = [entry["cause"] for entry in logs if entry["event"] == "connection_lost"]
    assert causes
    assert all(cause.startswith("the broker was silent for ") for cause in causes)
    await broker.close()


async def test_a_declaration_waits_for_the_next_connection(
    broker: RabbitBroker, tcp_proxy: TcpProxy, unique: str
) -> None:
    tcp_proxy.cut()
    await broker.declare(Topology(queues=(Queue(f"late.{unique}"),)))
    assert await broker.depths([f"late.{unique}"]) == {f"late.{unique}": 0}


async def test_a_consumer_waits_for_a_queue_that_was_deleted(broker: RabbitBroker, queue: str) -> None:
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    with capture_logs() as logs:
        assert await broker.delete_queue(queue, if_empty=False)

        async def noticed() -> bool:
            return any(entry["event"] == "consumer_ended" for entry in logs)

        await eventually(noticed)
    await broker.declare(Topology(queues=(Queue(queue),)))
    await broker.publish("", queue, Message("m", b""))
    assert (await inbox.next()).message.id == "m"


async def test_more_consumers_than_a_connection_has_channels_get_further_connections(
    tcp_proxy: TcpProxy, amqp_url: str, unique: str
) -> None:
    broker = RabbitBroker(tcp_proxy.through(amqp_url) + "?channel_max=20", SystemClock())
    names = [f"q{number}.{unique}" for number in range(10)]
    inbox = Inbox(ack=True)
    await broker.open()
    try:
        await broker.declare(Topology(queues=tuple(map(Queue, names))))
        subscriptions = await asyncio.gather(*(broker.consume(name, inbox) for name in names))
        for round in range(2):
            await _arrive(broker, names, inbox, round)
            tcp_proxy.cut()
        for subscription in subscriptions[:4]:
            await subscription.cancel()
        await asyncio.gather(*(broker.consume(name, inbox) for name in names[:4]))
        await _arrive(broker, names, inbox, 2)
        assert broker.connected
    finally:
        await broker.close()


async def _arrive(broker: RabbitBroker, queues: list[str], inbox: Inbox, round: int) -> None:
    wanted = {queue: f"{round} {queue}" for queue in queues}
    await asyncio.gather(*(broker.publish("", queue, Message(id, b"{}")) for queue, id in wanted.items()))

    async def arrived() -> bool:
        return inbox.ids.issuperset(wanted.values())

    await eventually(arrived)


async def test_nobody_there() -> None:
    (port,) = free_ports(1)
    broker = RabbitBroker(f"amqp://user:sesame@127.0.0.1:{port}/", SystemClock(), timeout=0.5)
    with pytest.raises(TransientError) as caught:
        await broker.open()
    assert caught.value.kind == "unreachable"
    assert "sesame" not in str(caught.value)
    assert not broker.connected
    await broker.close()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x01\x00\x00", b"\x01\x00\x00\xff"]
)
async def test_something_else_answers(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(answer)

    async with Listening(serve) as server:
        broker = RabbitBroker(f"amqp://127.0.0.1:{server.port}/", SystemClock(), timeout=0.5)
        with pytest.raises(TransientError):
            await broker.open()


async def test_a_wrong_password_or_virtual_host_is_said_at_once(amqp_url: str) -> None:
    place = amqp_url.rpartition("@")[2].rstrip("/")
    for url, wrong in (
        (f"amqp://guest:sesame@{place}/", "guest"),
        (f"{amqp_url.rstrip('/')}/no-such-host", "no-such-host"),
    ):
        with pytest.raises(ConfigError, match=wrong) as caught:
            await RabbitBroker(url, SystemClock()).open()
        assert "sesame" not in str(caught.value)


async def test_the_next_host_of_the_list_takes_over(tcp_proxy: TcpProxy, amqp_url: str, unique: str) -> None:
    """Two addresses of one cluster. The first goes away under a forwarder, the second one after it came back."""
    parts = urlsplit(amqp_url)
    second = TcpProxy(parts.hostname or "", parts.port or 0)
    await second.start()
    broker = RabbitBroker(
        tcp_proxy.through(amqp_url).replace(f":{tcp_proxy.port}", f":{tcp_proxy.port},127.0.0.1:{second.port}"),
        SystemClock(),
    )
    queue, inbox = f"q.{unique}", Inbox(ack=True)
    try:
        await broker.open()
        assert (tcp_proxy.accepted, second.accepted) == (2, 0)
        await broker.declare(Topology(queues=(Queue(queue),)))
        await broker.consume(queue, inbox)
        for here, there in ((tcp_proxy, second), (second, tcp_proxy)):
            there.allow()
            before = [broker.publish("", queue, message) for message in numbered(range(200))]
            here.refuse()
            after = [broker.publish("", queue, message) for message in numbered(range(200, 400))]
            await asyncio.gather(*before, *after)
            while inbox.ids != {str(number) for number in range(400)}:
                await inbox.next()
            inbox.all.clear()
        assert second.accepted >= 2
    finally:
        await broker.close()
        await second.close()


async def test_a_channel_that_the_broker_closes_ends_one_consumer_for_a_moment(amqp_url: str, unique: str) -> None:
    broker = RabbitBroker(amqp_url, SystemClock())
    names = [f"q{number}.{unique}" for number in range(2)]
    inboxes = [Inbox(), Inbox()]
    await broker.open()
    try:
        await broker.declare(Topology(queues=tuple(map(Queue, names))))
        for name, inbox in zip(names, inboxes, strict=True):
            await broker.consume(name, inbox)
            await broker.publish("", name, Message("m", b""))
        held, wrong = [await inbox.next() for inbox in inboxes]
        with capture_logs() as logs:
            channel = wrong._channel
            channel.connection.send(frames.ack(channel.number, 99, multiple=False))
            again = await inboxes[1].next()
        assert (again.message.id, again.redelivered) == ("m", True)
        assert [(entry["event"], entry["queue"]) for entry in logs] == [("consumer_ended", names[1])]
        assert "406 PRECONDITION_FAILED - unknown delivery tag 99" in logs[0]["cause"]
        held.ack()
        again.ack()
        for name in names:
            await depth_becomes(broker, name, 0)
        assert len(inboxes[0].all) == 1
        assert broker.reconnects == 0
    finally:
        await broker.close()


async def test_publishers_wait_while_the_network_takes_nothing(
    broker: RabbitBroker, tcp_proxy: TcpProxy, queue: str
) -> None:
    tcp_proxy.stall()
    confirms = [broker.publish("", queue, Message(str(number), bytes(200_000))) for number in range(200)]
    inbox = Inbox(ack=True)
    for _ in range(300):
        await asyncio.sleep(0)
    assert len(broker._publisher.backlog) > 100, "most of 40 MB waits here, not in a buffer of the connection"
    tcp_proxy.resume()
    await asyncio.gather(*confirms)
    await broker.consume(queue, inbox)
    await inbox.take(200)
    assert len(inbox.ids) == 200
    assert broker.reconnects == 0
