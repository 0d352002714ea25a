"""Exchanges of every type, queues of others, streams, other clusters, questions and answers: on a real RabbitMQ."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import kombu
import pytest
import structlog
from pydantic import ValidationError

from adapters.exchange import (
    AmqpEndpoint,
    AmqpEndpointOptions,
    ExchangeDestination,
    ExchangeDestinationOptions,
    ExchangeSource,
    ExchangeSourceOptions,
    StreamSource,
    StreamSourceOptions,
)
from hub.broker.rabbit import RabbitBroker
from hub.core.errors import ConfigError, RejectedError, TransientError
from hub.core.message import Message
from hub.core.plugin import Context
from hub.core.ports import Arrival, BrokerLifecycle, Outgoing, Taken
from hub.core.replies import ReplyRule
from hub.core.topology import Binding, Exchange, Queue, Topology
from hub.journal.journal import Journal
from hub.journal.memory import JournalMemory
from tests.support.brokers import Inbox, depth_becomes, eventually
from tests.support.certificates import Authority
from tests.support.rabbitmq import RabbitNode, find_server

pytestmark = pytest.mark.rabbitmq


class Takes:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []

    async def __call__(self, arrival: Arrival) -> Taken:
        self.arrivals.append(arrival)
        return Taken(1)

    @property
    def bodies(self) -> list[bytes]:
        return [b"".join(arrival.body.chunks()) for arrival in self.arrivals]

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.arrivals) >= number

        await eventually(reached)


@pytest.fixture
async def broker(amqp_vhost: str) -> AsyncIterator[BrokerLifecycle]:
    made = RabbitBroker(amqp_vhost, name="test")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def context(broker: BrokerLifecycle, journal: Journal, tmp_path: Path) -> Context:
    return Context(
        tmp_path,
        broker,
        log=structlog.get_logger(),
        memory=lambda name: JournalMemory(journal, name),
        connect=lambda url, name: RabbitBroker(url, name=name, timeout=5.0),
    )


@asynccontextmanager
async def running(source: Any, take: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(take))
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def source(context: Context, **options: Any) -> ExchangeSource:
    return ExchangeSource("shop", ExchangeSourceOptions.model_validate(options), context)


def outgoing(body: bytes = b"{}", key: str = "k1", **facts: str) -> Outgoing:
    return Outgoing(
        "id", "order@1", key, body, "application/json", facts={"partner": "ACME", "document": "order", **facts}
    )


@pytest.mark.parametrize(
    ("options", "published", "taken"),
    [
        ({"type": "direct", "key": "a"}, [("a", {}), ("b", {})], 1),
        ({"type": "topic", "keys": ("order.*", "invoice.#")}, [("order.x", {}), ("invoice.a.b", {}), ("x", {})], 2),
        ({"type": "fanout"}, [("a", {}), ("", {})], 2),
        ({"type": "headers", "headers": {"r": "w", "n": 1}}, [("", {"r": "w", "n": 1}), ("", {"r": "w"})], 1),
        ({"type": "headers", "headers": {"r": "w", "n": 1}, "match": "any"}, [("", {"r": "w"}), ("", {"z": 1})], 1),
    ],
)
async def test_exchanges_of_every_type(
    broker: BrokerLifecycle, context: Context, options: dict[str, Any], published: list[Any], taken: int
) -> None:
    take = Takes()
    async with running(source(context, name="x", **options), take):
        for n, (key, headers) in enumerate(published):
            await broker.publish("x", key, Message(str(n), str(n).encode(), headers=headers), mandatory=False)
        await take.count(taken)
        await asyncio.sleep(0.1)
    assert len(take.arrivals) == taken


async def test_arguments_of_an_exchange_are_the_brokers_own(broker: BrokerLifecycle, context: Context) -> None:
    """What the exchange can't route goes to the alternate one."""
    await broker.declare(Topology((Exchange("lost", "fanout"),), (Queue("lost.q"),), (Binding("lost", "lost.q", ""),)))
    take = Takes()
    async with running(source(context, name="x", key="a", arguments={"alternate-exchange": "lost"}), take):
        await broker.publish("x", "nobody.wants.this", Message("1", b"1"))
        await depth_becomes(broker, "lost.q", 1)
    assert not take.arrivals


async def test_a_passive_exchange_must_be_there(context: Context) -> None:
    with pytest.raises(ConfigError, match="doesn't exist"):
        await source(context, name="theirs", passive=True).run(Takes())


async def test_an_existing_queue_is_taken_from_as_it_is(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(Topology(queues=(Queue("their.queue"),)))
    for n in range(3):
        await broker.publish("", "their.queue", Message(str(n), str(n).encode()))
    take = Takes()
    async with running(source(context, queue="their.queue"), take):
        await take.count(3)
        await depth_becomes(broker, "their.queue", 0)
    assert sorted(take.bodies) == [b"0", b"1", b"2"]


async def test_headers_and_properties_become_facts_and_only_those_that_are_named(
    broker: BrokerLifecycle, context: Context
) -> None:
    facts = {
        "region": "header.X-Region",
        "urgency": "property.priority",
        "topic": "key",
        "kind": "property.type",
        "missing": "header.none",
        "nested": "header.table",
    }
    take = Takes()
    async with running(source(context, name="x", facts=facts), take):
        headers = {"x-region": "west", "partner": "EVIL", "table": {"a": 1}}
        message = Message("1", b"1", headers=headers, type="order", properties={"priority": 5})
        await broker.publish("x", "order.new", message)
        await take.count(1)
    assert dict(take.arrivals[0].facts) == {"region": "west", "urgency": 5, "topic": "order.new", "kind": "order"}


async def test_properties_and_headers_of_what_is_published(broker: BrokerLifecycle, context: Context) -> None:
    options = ExchangeDestinationOptions.model_validate(
        {
            "name": "approvals",
            "key": "order.{partner}",
            "queue": "approvals.q",
            "headers": {"x-partner": "{partner}", "x-fixed": "yes"},
            "properties": {"priority": 3, "expiration": "1h", "type": "approval", "reply_to": "answers"},
        }
    )
    destination = ExchangeDestination("approvals", options, context)
    await broker.declare(destination.topology())
    await destination.send(outgoing(b"body"))
    inbox = Inbox(ack=True)
    await broker.consume("approvals.q", inbox)
    delivery = await inbox.next()
    got = delivery.message
    assert (delivery.origin.key, got.id, got.body, got.type, got.reply_to) == (
        "order.ACME", "k1", b"body", "approval", "answers",
    )  # fmt: skip
    assert (got.headers["x-partner"], got.headers["x-fixed"]) == ("ACME", "yes")
    assert dict(got.properties) == {"priority": 3, "expiration": 3600.0}


@contextmanager
def answering(url: str, queue: str, answer: Any) -> Iterator[list[str]]:
    """A system of another make that answers questions: kombu, in a thread."""
    asked: list[str] = []
    stopping = threading.Event()

    def serve() -> None:
        with kombu.Connection(url) as connection:
            channel = connection.channel()
            producer = kombu.Producer(channel)
            while not stopping.wait(0.02):
                message = channel.basic_get(queue)
                if message is None:
                    continue
                asked.append(message.properties["correlation_id"])
                made = answer(message.body)
                if made is not None:
                    body, headers = made
                    producer.publish(
                        body,
                        exchange="",
                        routing_key=message.properties["reply_to"],
                        correlation_id=message.properties["correlation_id"],
                        content_type="application/json",
                        content_encoding="utf-8",
                        headers=headers,
                    )
                channel.basic_ack(message.delivery_tag)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        stopping.set()
        thread.join(20)


def asking(context: Context, replies: tuple[ReplyRule, ...] = (), within: str = "20s") -> ExchangeDestination:
    wanted = {"name": "", "key": "credit.check", "queue": "credit.check", "answer": {"within": within}}
    with_replies = Context(
        context.site, context.broker, log=context.log, replies=replies, memory=context.memory, connect=context.connect
    )
    return ExchangeDestination("credit", ExchangeDestinationOptions.model_validate(wanted), with_replies)


async def test_an_answer_is_waited_for_and_read_like_a_reply(
    broker: BrokerLifecycle, context: Context, amqp_vhost: str
) -> None:
    hold = ReplyRule(body={"/decision": "wait"}, hold="credit_hold")
    destination = asking(context, (hold,))
    await broker.declare(destination.topology())

    def decide(body: Any) -> Any:
        text = body if isinstance(body, str) else bytes(body).decode()
        if text == "busy":
            return '{"error": "later"}', {"status": 503}
        return ('{"decision": "wait"}' if text == "hold" else '{"decision": "yes"}'), {}

    with answering(amqp_vhost, "credit.check", decide) as asked:
        receipt = await destination.send(outgoing(b"pay", "k1"))
        assert receipt.reply == b'{"decision": "yes"}'
        with pytest.raises(RejectedError) as held:
            await destination.send(outgoing(b"hold", "k2"))
        with pytest.raises(TransientError) as busy:
            await destination.send(outgoing(b"busy", "k3"))
        together = await asyncio.gather(*(destination.send(outgoing(b"pay", f"m{n}")) for n in range(20)))
    assert held.value.hold == "credit_hold"
    assert busy.value.kind == "busy"
    assert len(together) == 20
    assert asked[:3] == ["k1", "k2", "k3"]
    await destination.close()


async def test_an_answer_that_does_not_come(broker: BrokerLifecycle, context: Context, amqp_vhost: str) -> None:
    destination = asking(context, within="300ms")
    await broker.declare(destination.topology())
    with answering(amqp_vhost, "credit.check", lambda body: None):
        with pytest.raises(TransientError, match="no answer within") as late:
            await destination.send(outgoing())
        assert late.value.kind == "timeout"
    await destination.close()


async def test_another_cluster(context: Context, broker: BrokerLifecycle, amqp_vhost: str, amqp_url: str) -> None:
    """From theirs into ours, and from ours to theirs; what is declared is declared there."""
    theirs = RabbitBroker(amqp_url, name="theirs")
    await theirs.open()
    unique = amqp_vhost.rpartition("/")[2]
    options = AmqpEndpointOptions.model_validate({"url": amqp_url})
    endpoint = AmqpEndpoint("theirs", options, options.full_url(context.site), context.connect)
    wanted = {"endpoint": "theirs", "name": f"x.{unique}"}
    inward = ExchangeSource(f"in-{unique}", ExchangeSourceOptions.model_validate(wanted), context, endpoint)
    assert inward.topology() == Topology()
    wanted = {"endpoint": "theirs", "name": f"y.{unique}", "queue": f"y.{unique}"}
    outward = ExchangeDestination("out", ExchangeDestinationOptions.model_validate(wanted), context, endpoint)
    take = Takes()
    async with running(inward, take):
        await theirs.publish(f"x.{unique}", "any", Message("1", b"from them"))
        await take.count(1)
        await outward.send(outgoing(b"to them"))
    assert take.bodies == [b"from them"]
    await depth_becomes(theirs, f"y.{unique}", 1)
    assert await broker.depths([f"y.{unique}"]) == {f"y.{unique}": None}
    for queue in (f"y.{unique}", f"hub.source.in-{unique}"):
        await theirs.delete_queue(queue, if_empty=False)
    await endpoint.close()
    await theirs.close()


async def test_another_cluster_that_is_away_is_unreachable(context: Context) -> None:
    options = AmqpEndpointOptions.model_validate({"url": "amqp://127.0.0.1:1/"})
    endpoint = AmqpEndpoint("gone", options, options.url, lambda url, name: RabbitBroker(url, name=name, timeout=0.3))
    wanted = ExchangeDestinationOptions.model_validate({"endpoint": "gone", "name": "x"})
    with pytest.raises(TransientError, match="endpoint gone") as away:
        await ExchangeDestination("out", wanted, context, endpoint).send(outgoing())
    assert away.value.kind == "unreachable"


async def test_tls_with_a_client_certificate(context: Context, tmp_path: Path) -> None:
    server = find_server()
    assert server is not None
    authority = Authority(tmp_path / "certificates")
    node = RabbitNode(server)
    try:
        port = node.with_tls(authority.file, *authority.server())
        node.start()
        certificate, key = authority.client("hub")
        url = f"amqps://guest:guest@localhost:{port}/"
        let_in = {"url": url, "ca": str(authority.file), "certificate": str(certificate), "key": str(key)}
        for given, works in ((let_in, True), ({"url": url, "ca": str(authority.file)}, False), ({"url": url}, False)):
            options = AmqpEndpointOptions.model_validate(given)
            endpoint = AmqpEndpoint(
                "tls", options, options.full_url(tmp_path), lambda url, name: RabbitBroker(url, name=name, timeout=4.0)
            )
            wanted = ExchangeDestinationOptions.model_validate({"endpoint": "tls", "name": "x", "queue": "q"})
            destination = ExchangeDestination("out", wanted, context, endpoint)
            if works:
                assert (await destination.send(outgoing())).text == "confirmed"
            else:
                with pytest.raises(TransientError):
                    await destination.send(outgoing())
            await endpoint.close()
    finally:
        node.close()


def stream(context: Context, **options: Any) -> StreamSource:
    wanted = {"queue": "history", "declare": True, **options}
    return StreamSource("history", StreamSourceOptions.model_validate(wanted), context)


async def test_a_stream_goes_on_where_it_was_left(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    for n in range(5):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    first, second = Takes(), Takes()
    async with running(stream(context), first):
        await first.count(5)
    for n in range(5, 8):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    async with running(stream(context), second):
        await second.count(3)
        await asyncio.sleep(0.2)
    assert first.bodies == [str(n).encode() for n in range(5)]
    assert sorted(second.bodies) == [b"5", b"6", b"7"]


async def test_a_message_that_cannot_be_taken_holds_the_offset(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    for n in range(4):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    again = Takes()
    taken: list[bytes] = []

    async def all_but_the_second(arrival: Arrival) -> Taken:
        body = b"".join(arrival.body.chunks())
        if body == b"1":
            raise TransientError("not now", "busy")
        taken.append(body)
        return Taken(1)

    async with running(stream(context), all_but_the_second):

        async def the_others() -> bool:
            return len(taken) == 3

        await eventually(the_others)
    async with running(stream(context), again):
        await again.count(3)
    assert sorted(again.bodies) == [b"1", b"2", b"3"]


async def test_a_stream_from_now_on(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    await broker.publish("", "history", Message("old", b"old"))
    take = Takes()
    async with running(stream(context, **{"from": "next"}), take):
        await asyncio.sleep(0.5)
        await broker.publish("", "history", Message("new", b"new"))
        await take.count(1)
    assert take.bodies == [b"new"]


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (ExchangeSourceOptions, {}),
        (ExchangeSourceOptions, {"name": "x", "queue": "q"}),
        (ExchangeSourceOptions, {"queue": "q", "key": "a"}),
        (ExchangeSourceOptions, {"name": "x", "headers": {"a": 1}}),
        (ExchangeSourceOptions, {"name": "x", "facts": {"total": "header.x"}}),
        (ExchangeSourceOptions, {"name": "x", "passive": True, "arguments": {"a": 1}}),
        (ExchangeDestinationOptions, {"name": "x", "headers": {"hub-route": "x"}}),
        (ExchangeDestinationOptions, {"name": "x", "properties": {"priority": 256}}),
        (ExchangeDestinationOptions, {"name": "x", "answer": {}, "properties": {"reply_to": "q"}}),
        (AmqpEndpointOptions, {"url": "http://x"}),
        (AmqpEndpointOptions, {"url": "amqp://x", "ca": "f"}),
        (AmqpEndpointOptions, {"url": "amqps://x", "key": "f"}),
        (StreamSourceOptions, {"queue": "q", "from": "yesterday"}),
    ],
)
def test_options_that_make_no_sense_are_refused(model: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(wrong)
