"""The contract of `hub.core.broker.Broker`: publishing, consuming, settling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.core.broker import BrokerLifecycle, Origin
from hub.core.errors import ConfigError, MessageError, TransientError, Unroutable
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.brokers import Inbox, depth_becomes, numbered


@pytest.fixture
async def queue(broker: BrokerLifecycle, unique: str) -> str:
    name = f"q.{unique}"
    await broker.declare(Topology(queues=(Queue(name),)))
    return name


async def test_a_published_message_arrives_as_it_was(broker: BrokerLifecycle, queue: str) -> None:
    message = Message("m1", b"body", "text/plain", {"hub-route": "r"}, "c1", "reply.here", "order")
    await broker.publish("", queue, message)
    inbox = Inbox()
    await broker.consume(queue, inbox)
    delivery = await inbox.next()
    assert delivery.message == message
    assert delivery.origin == Origin("", queue)
    assert delivery.redelivered is False


async def test_headers_of_every_amqp_type_survive(broker: BrokerLifecycle, queue: str) -> None:
    headers = {
        "text": "grüße",
        "empty": "",
        "yes": True,
        "no": False,
        "small": -5,
        "int": 70_000,
        "large": 2**40,
        "negative": -(2**40),
        "float": 0.25,
        "decimal": Decimal("104.50"),
        "bytes": b"\x00\xff\x80",
        "when": datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        "nothing": None,
        "list": [1, "two", None, [3.5], {"four": True}],
        "table": {"a": {"b": {"c": [b"\xfe"]}}},
        "empty list": [],
        "empty table": {},
    }
    await broker.publish("", queue, Message("m", b"", headers=headers))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    received = (await inbox.next()).message.headers
    assert dict(received) == headers
    assert {name: type(value) for name, value in received.items()} == {n: type(v) for n, v in headers.items()}


async def test_a_message_with_nothing_but_a_body(broker: BrokerLifecycle, queue: str) -> None:
    await broker.publish("", queue, Message("", b"x", ""))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    message = (await inbox.next()).message
    assert (dict(message.headers), message.content_type) == ({}, "")
    assert message.id == ""
    assert (message.correlation_id, message.reply_to, message.type) == (None, None, None)


@pytest.mark.parametrize("size", [0, 1, 131_064, 131_065, 5_000_000])
async def test_bodies_of_every_size(broker: BrokerLifecycle, queue: str, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    await broker.publish("", queue, Message("big", body))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    assert (await inbox.next()).message.body == body


async def test_the_brokers_own_headers_are_dropped_when_a_message_is_published(
    broker: BrokerLifecycle, queue: str
) -> None:
    headers = {"x-death": [{"count": 3}], "x-first-death-reason": "expired", "x-delivery-count": 4, "hub-attempt": 2}
    await broker.publish("", queue, Message("m", b"", headers=headers))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    assert dict((await inbox.next()).message.headers) == {"hub-attempt": 2}


async def test_messages_keep_their_order(broker: BrokerLifecycle, queue: str) -> None:
    for confirm in [broker.publish("", queue, message) for message in numbered(range(300))]:
        await confirm
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    assert [delivery.message.id for delivery in await inbox.take(300)] == [str(n) for n in range(300)]
    await depth_becomes(broker, queue, 0)


async def test_an_acknowledged_message_is_gone_and_others_return(
    broker: BrokerLifecycle, queue: str, reopen: Callable[[], Awaitable[BrokerLifecycle]]
) -> None:
    for message in numbered(range(4)):
        await broker.publish("", queue, message)
    inbox = Inbox()
    await broker.consume(queue, inbox)
    deliveries = await inbox.take(4)
    deliveries[1].ack()
    deliveries[3].ack()
    again = await reopen()
    await depth_becomes(again, queue, 2)
    rest = Inbox()
    await again.consume(queue, rest)
    found = await rest.take(2)
    assert [(delivery.message.id, delivery.redelivered) for delivery in found] == [("0", True), ("2", True)]


async def test_whoever_consumes_goes_on_before_what_its_deliveries_begin(broker: BrokerLifecycle, queue: str) -> None:
    await broker.publish("", queue, Message("m", b""))
    order: asyncio.Queue[str] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []

    async def begin() -> None:
        order.put_nowait("delivered")

    await broker.consume(queue, lambda _: tasks.append(asyncio.create_task(begin())))
    order.put_nowait("consuming")
    assert [await order.get(), await asyncio.wait_for(order.get(), 30)] == ["consuming", "delivered"]


async def test_a_requeued_message_is_delivered_again(broker: BrokerLifecycle, queue: str) -> None:
    await broker.publish("", queue, Message("m", b""))
    inbox = Inbox()
    await broker.consume(queue, inbox)
    (await inbox.next()).requeue()
    again = await inbox.next()
    assert (again.message.id, again.redelivered) == ("m", True)
    again.ack()
    await depth_becomes(broker, queue, 0)


async def test_settling_twice_counts_once(broker: BrokerLifecycle, queue: str) -> None:
    for message in numbered(range(2)):
        await broker.publish("", queue, message)
    inbox = Inbox()
    await broker.consume(queue, inbox)
    first = await inbox.next()
    first.ack()
    first.ack()
    first.requeue()
    second = await inbox.next()
    second.ack()
    await depth_becomes(broker, queue, 0)
    await broker.publish("", queue, Message("after", b""))
    assert (await inbox.next()).message.id == "after"


async def test_at_most_prefetch_messages_are_unacknowledged(broker: BrokerLifecycle, queue: str) -> None:
    for message in numbered(range(10)):
        await broker.publish("", queue, message)
    inbox = Inbox()
    await broker.consume(queue, inbox, prefetch=3)
    held = await inbox.take(3)
    await depth_becomes(broker, queue, 7)
    assert len(inbox.all) == 3
    held[1].ack()
    assert (await inbox.next()).message.id == "3"
    await depth_becomes(broker, queue, 6)
    assert len(inbox.all) == 4


async def test_a_slow_message_does_not_starve_its_consumer(broker: BrokerLifecycle, queue: str) -> None:
    for message in numbered(range(50)):
        await broker.publish("", queue, message)
    inbox = Inbox()
    await broker.consume(queue, inbox, prefetch=2)
    slow = await inbox.next()
    for _ in range(49):
        (await inbox.next()).ack()
    slow.ack()
    await depth_becomes(broker, queue, 0)


async def test_consumers_share_a_queue(broker: BrokerLifecycle, queue: str) -> None:
    inboxes = [Inbox(ack=True), Inbox(ack=True)]
    for inbox in inboxes:
        await broker.consume(queue, inbox, prefetch=1)
    for message in numbered(range(100)):
        await broker.publish("", queue, message)
    await depth_becomes(broker, queue, 0)
    assert inboxes[0].ids | inboxes[1].ids == {str(n) for n in range(100)}
    assert inboxes[0].all
    assert inboxes[1].all


async def test_a_consumer_stops_and_another_one_starts(broker: BrokerLifecycle, queue: str) -> None:
    first = Inbox()
    subscription = await broker.consume(queue, first)
    await broker.publish("", queue, Message("before", b""))
    held = await first.next()
    await subscription.cancel()
    for message in numbered(range(20)):
        await broker.publish("", queue, message)
    held.ack()
    assert len(first.all) == 1
    second = Inbox(ack=True)
    await broker.consume(queue, second)
    await second.take(20)
    assert second.ids == {str(n) for n in range(20)}
    assert len(first.all) == 1
    await subscription.cancel()


async def test_a_consumer_that_is_cancelled_while_it_acknowledges_ends(broker: BrokerLifecycle, queue: str) -> None:
    for number in range(20):
        inbox = Inbox()
        subscription = await broker.consume(queue, inbox)
        await broker.publish("", queue, Message(str(number), b""))
        (await inbox.next()).ack()
        await asyncio.wait_for(subscription.cancel(), 10)
    await depth_becomes(broker, queue, 0)


async def test_a_handler_that_raises_loses_nothing(
    broker: BrokerLifecycle, queue: str, reopen: Callable[[], Awaitable[BrokerLifecycle]]
) -> None:
    for message in numbered(range(5)):
        await broker.publish("", queue, message)
    inbox, raised = Inbox(ack=True), asyncio.Event()

    def handle(delivery: object) -> None:
        if not raised.is_set():
            raised.set()
            raise LookupError("a bug in a handler")
        inbox(delivery)

    await broker.consume(queue, handle)
    await raised.wait()
    await broker.publish("", queue, Message("after", b""))
    again = await reopen()
    await again.consume(queue, inbox)
    expected = {"0", "1", "2", "3", "4", "after"}
    while inbox.ids != expected:
        await inbox.next()


async def test_a_repeated_message_id_in_flight(broker: BrokerLifecycle, queue: str, unique: str) -> None:
    same = Message("same", b"x")
    targets = [queue, f"missing.{unique}"] * 20
    results = await asyncio.gather(*(broker.publish("", key, same) for key in targets), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Unroutable] * 20
    await depth_becomes(broker, queue, 20)


async def test_a_mandatory_message_without_a_queue_is_unroutable(broker: BrokerLifecycle, unique: str) -> None:
    with pytest.raises(Unroutable, match=unique):
        await broker.publish("", f"missing.{unique}", Message("m", b"a body"))
    await broker.publish("", f"missing.{unique}", Message("m", b"a body"), mandatory=False)


async def test_a_missing_exchange_fails_its_messages_and_no_others(
    broker: BrokerLifecycle, queue: str, unique: str
) -> None:
    targets = [("", queue), (f"missing.{unique}", "key"), ("", queue)] * 5
    confirms = [broker.publish(exchange, key, Message(str(n), b"")) for n, (exchange, key) in enumerate(targets)]
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Unroutable, type(None)] * 5


async def test_consuming_from_a_missing_queue_is_an_error(broker: BrokerLifecycle, unique: str) -> None:
    with pytest.raises(ConfigError, match=unique):
        await broker.consume(f"missing.{unique}", Inbox())


@pytest.mark.parametrize(
    "message",
    [
        Message("m", b"", headers={"what": object()}),
        Message("m", b"", headers={"big": 2**70}),
        Message("i" * 300, b""),
        Message("\ud800", b""),
        Message("m", b"", content_type="t" * 256),
        Message("m", b"", correlation_id="c" * 256),
        Message("m", b"", reply_to="r" * 256),
        Message("m", b"", type="ü" * 128),
    ],
    ids=[
        "a type that AMQP hasn't",
        "a number above 64 bits",
        "an id above 255 bytes",
        "half a character",
        "a long content type",
        "a long correlation id",
        "a long reply-to",
        "a long type",
    ],
)
async def test_what_amqp_cannot_carry_is_refused(broker: BrokerLifecycle, queue: str, message: Message) -> None:
    with pytest.raises(MessageError):
        await broker.publish("", queue, message)
    for exchange, key in (("", "k" * 256), ("x" * 256, ""), ("", "\ud800")):
        with pytest.raises(MessageError):
            await broker.publish(exchange, key, Message("m", b""))
    await broker.publish("", queue, Message("fine", b""))


@pytest.mark.parametrize("size", [131_072, 200_000])
async def test_headers_above_a_frame_are_refused_and_their_neighbours_go_on(
    broker: BrokerLifecycle, queue: str, size: int
) -> None:
    def message(n: int) -> Message:
        return Message(str(n), b"", headers={"why": "x" * (size if n == 5 else 100)})

    confirms = [broker.publish("", queue, message(n)) for n in range(10)]
    results = await asyncio.gather(*confirms, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 5 + [MessageError] + [type(None)] * 4
    assert f"of {size // 1000}" in str(results[5])
    assert "at most 131031 bytes" in str(results[5])
    assert getattr(broker, "reconnects") == 0  # noqa: B009
    await depth_becomes(broker, queue, 9)


async def test_headers_that_just_fit_a_frame_arrive(broker: BrokerLifecycle, queue: str) -> None:
    sent = Message("m", b"body", "", headers={"why": "x" * 130_900})
    await broker.publish("", queue, sent)
    inbox = Inbox()
    await broker.consume(queue, inbox)
    assert (await inbox.next()).message.headers["why"] == "x" * 130_900


async def test_depths_counts_ready_messages_and_knows_what_is_missing(
    broker: BrokerLifecycle, queue: str, unique: str
) -> None:
    await broker.publish("", queue, Message("m", b""))
    await depth_becomes(broker, queue, 1)
    missing = [f"missing.{n}.{unique}" for n in range(3)]
    assert await broker.depths([missing[0], queue, *missing[1:]]) == {queue: 1, **dict.fromkeys(missing)}


async def test_deleting_a_queue(broker: BrokerLifecycle, queue: str) -> None:
    await broker.publish("", queue, Message("m", b""))
    await depth_becomes(broker, queue, 1)
    assert await broker.delete_queue(queue) is False
    assert await broker.delete_queue(queue, if_empty=False) is True
    assert await broker.depths([queue]) == {queue: None}
    assert await broker.delete_queue(queue) is False


async def test_a_closed_broker_says_so(broker: BrokerLifecycle, queue: str) -> None:
    assert broker.connected
    await broker.close()
    assert not broker.connected
    with pytest.raises(TransientError):
        await broker.publish("", queue, Message("m", b""), timeout=0.2)
    await broker.close()
