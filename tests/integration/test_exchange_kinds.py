"""Exchanges of every type, queues of others, other clusters: on a real RabbitMQ."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.exchange import (
    AmqpEndpoint,
    AmqpEndpointOptions,
    ExchangeDestination,
    ExchangeDestinationOptions,
    ExchangeSource,
    ExchangeSourceOptions,
    StreamSourceOptions,
)
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.context import Context
from hub.core.errors import ConfigError, TransientError
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, Topology
from tests.support.brokers import Inbox, depth_becomes
from tests.support.certificates import Authority
from tests.support.exchanges import Takes, outgoing, running
from tests.support.rabbitmq import RabbitNode, find_server

pytestmark = pytest.mark.rabbitmq


def source(context: Context, **options: Any) -> ExchangeSource:
    return ExchangeSource("shop", ExchangeSourceOptions.model_validate(options), context)


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


async def test_another_cluster(context: Context, broker: BrokerLifecycle, amqp_vhost: str, amqp_url: str) -> None:
    """From theirs into ours, and from ours to theirs; what is declared is declared there."""
    theirs = RabbitBroker(amqp_url, SystemClock(), name="theirs")
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
    endpoint = AmqpEndpoint(
        "gone", options, options.url, lambda url, name: RabbitBroker(url, SystemClock(), name=name, timeout=0.3)
    )
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
                "tls",
                options,
                options.full_url(tmp_path),
                lambda url, name: RabbitBroker(url, SystemClock(), name=name, timeout=4.0),
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
