"""The contract of `Broker.declare`: exchanges, bindings, queues with limits."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.broker import BrokerLifecycle
from hub.core.errors import ConfigError, TransientError, Unroutable
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, ExchangeType, Queue, Topology, retry_topology, route_topology
from tests.support.brokers import Inbox, depth_becomes, numbered


async def _bound(broker: BrokerLifecycle, unique: str, kind: ExchangeType, keys: dict[str, str]) -> dict[str, str]:
    """Queues by name, each bound by its key to an exchange of this kind."""
    queues = {name: f"{name}.{unique}" for name in keys}
    await broker.declare(
        Topology(
            (Exchange(f"x.{unique}", kind),),
            tuple(Queue(queue) for queue in queues.values()),
            tuple(Binding(f"x.{unique}", queues[name], key) for name, key in keys.items()),
        )
    )
    return queues


async def _who_gets(broker: BrokerLifecycle, unique: str, queues: dict[str, str], key: str) -> set[str]:
    before = await broker.depths(list(queues.values()))
    try:
        await broker.publish(f"x.{unique}", key, Message(key, b""))
    except Unroutable:
        return set()
    got: set[str] = set()
    while not got:
        after = await broker.depths(list(queues.values()))
        got = {name for name, queue in queues.items() if (after[queue] or 0) > (before[queue] or 0)}
    return got


async def test_topic_bindings(broker: BrokerLifecycle, unique: str) -> None:
    keys = {"star": "order.*.acme", "hash": "order.#", "exact": "order.new", "tail": "#.acme"}
    queues = await _bound(broker, unique, "topic", keys)
    inboxes = {name: Inbox(ack=True) for name in queues}
    for name, queue in queues.items():
        await broker.consume(queue, inboxes[name])
    for key in ("order", "order.new", "order.new.acme", "order.new.big.acme", "acme", "invoice.acme", "order..acme"):
        await broker.publish(f"x.{unique}", key, Message(key, b""))
    for queue in queues.values():
        await broker.publish("", queue, Message("end", b""))
    for inbox in inboxes.values():
        while (await inbox.next()).message.id != "end":
            pass
    assert {name: inbox.ids - {"end"} for name, inbox in inboxes.items()} == {
        "star": {"order.new.acme", "order..acme"},
        "hash": {"order", "order.new", "order.new.acme", "order.new.big.acme", "order..acme"},
        "exact": {"order.new"},
        "tail": {"order.new.acme", "order.new.big.acme", "acme", "invoice.acme", "order..acme"},
    }
    with pytest.raises(Unroutable):
        await broker.publish(f"x.{unique}", "invoice", Message("m", b""))


async def test_direct_bindings(broker: BrokerLifecycle, unique: str) -> None:
    queues = await _bound(broker, unique, "direct", {"a": "one", "b": "two"})
    assert await _who_gets(broker, unique, queues, "one") == {"a"}
    assert await _who_gets(broker, unique, queues, "two") == {"b"}
    assert await _who_gets(broker, unique, queues, "#") == set()


async def test_fanout_bindings(broker: BrokerLifecycle, unique: str) -> None:
    queues = await _bound(broker, unique, "fanout", {"a": "one", "b": ""})
    await broker.publish(f"x.{unique}", "whatever", Message("m", b""))
    await depth_becomes(broker, queues["a"], 1)
    await depth_becomes(broker, queues["b"], 1)


async def test_headers_bindings_need_every_pair(broker: BrokerLifecycle, unique: str) -> None:
    exchange, queue = f"x.{unique}", f"q.{unique}"
    pairs = (("kind", "order"), ("priority", 1))
    binding = Binding(exchange, queue, "", pairs)
    await broker.declare(Topology((Exchange(exchange, "headers"),), (Queue(queue),), (binding,)))
    with pytest.raises(Unroutable):
        await broker.publish(exchange, "", Message("m", b"", headers={"kind": "order"}))
    await broker.publish(exchange, "", Message("m", b"", headers={"kind": "order", "priority": 1, "more": True}))
    await depth_becomes(broker, queue, 1)


async def test_one_copy_although_two_bindings_match(broker: BrokerLifecycle, unique: str) -> None:
    exchange, queue = f"x.{unique}", f"q.{unique}"
    bindings = (Binding(exchange, queue, "a.*"), Binding(exchange, queue, "#"))
    await broker.declare(Topology((Exchange(exchange),), (Queue(queue),), bindings))
    await broker.publish(exchange, "a.b", Message("m", b""))
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    await broker.publish("", queue, Message("end", b""))
    assert [delivery.message.id for delivery in await inbox.take(2)] == ["m", "end"]


async def test_the_origin_tells_exchange_and_key(broker: BrokerLifecycle, unique: str) -> None:
    queues = await _bound(broker, unique, "topic", {"q": "#"})
    await broker.publish(f"x.{unique}", "order.new", Message("m", b""))
    inbox = Inbox()
    await broker.consume(queues["q"], inbox)
    origin = (await inbox.next()).origin
    assert (origin.exchange, origin.key) == (f"x.{unique}", "order.new")


async def test_declaring_twice_changes_nothing(broker: BrokerLifecycle, unique: str) -> None:
    topology = route_topology(unique) + retry_topology(unique, 30)
    await broker.declare(topology)
    await broker.publish("", f"hub.route.{unique}", Message("m", b""))
    await broker.declare(topology)
    await depth_becomes(broker, f"hub.route.{unique}", 1)


async def test_other_arguments_are_an_error_that_names_the_queue(broker: BrokerLifecycle, unique: str) -> None:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}", ttl=1, dead_letter=f"d.{unique}"),)))
    with pytest.raises(ConfigError, match=rf"q\.{unique}.*other arguments.*ttl"):
        await broker.declare(Topology(queues=(Queue(f"q.{unique}", ttl=2, dead_letter=f"d.{unique}"),)))
    assert broker.connected


async def test_a_missing_passive_exchange_is_an_error(broker: BrokerLifecycle, unique: str) -> None:
    theirs = Topology(exchanges=(Exchange(f"x.{unique}", passive=True),))
    with pytest.raises(ConfigError, match=unique):
        await broker.declare(theirs)
    await broker.declare(Topology(exchanges=(Exchange(f"x.{unique}", "fanout"),)))
    await broker.declare(theirs)


async def test_an_exchange_of_another_type_is_an_error(broker: BrokerLifecycle, unique: str) -> None:
    await broker.declare(Topology(exchanges=(Exchange(f"x.{unique}", "fanout"),)))
    with pytest.raises(ConfigError, match=unique):
        await broker.declare(Topology(exchanges=(Exchange(f"x.{unique}", "direct"),)))


async def test_a_binding_to_nothing_is_an_error(broker: BrokerLifecycle, unique: str) -> None:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    with pytest.raises(ConfigError, match=unique):
        await broker.declare(Topology(bindings=(Binding(f"x.{unique}", f"q.{unique}", "#"),)))


async def test_a_full_queue_refuses(broker: BrokerLifecycle, unique: str) -> None:
    queue = f"q.{unique}"
    await broker.declare(Topology(queues=(Queue(queue, max_length=5),)))
    outcomes: list[BaseException | None] = []
    for message in numbered(range(20)):
        outcomes += await asyncio.gather(broker.publish("", queue, message), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert 13 <= len(refused) <= 15, "the limit is soft by one or two"
    assert all(isinstance(outcome, TransientError) and outcome.kind == "busy" for outcome in refused)
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    await inbox.take(20 - len(refused))
    await depth_becomes(broker, queue, 0)
    await broker.publish("", queue, Message("room again", b""))


async def test_what_waited_its_time_returns_in_order(broker: BrokerLifecycle, unique: str) -> None:
    topology = route_topology(unique) + retry_topology(unique, 0.3)
    await broker.declare(topology)
    inbox = Inbox(ack=True)
    await broker.consume(f"hub.route.{unique}", inbox)
    waiting = f"hub.route.{unique}.retry.300ms"
    await asyncio.gather(*(broker.publish("", waiting, message) for message in numbered(range(50))))
    returned = await inbox.take(50)
    assert [delivery.message.id for delivery in returned] == [str(n) for n in range(50)]
    (death,) = returned[0].message.headers["x-death"]
    assert (death["reason"], death["queue"]) == ("expired", waiting)
    assert returned[0].redelivered is False


async def test_a_message_may_wait_again_and_again(broker: BrokerLifecycle, unique: str) -> None:
    await broker.declare(route_topology(unique) + retry_topology(unique, 0.05))
    inbox = Inbox()
    await broker.consume(f"hub.route.{unique}", inbox)
    message = Message("m", b"", headers={"hub-attempt": 0})
    for attempt in range(5):
        await broker.publish("", f"hub.route.{unique}.retry.50ms", message.with_headers(hub_attempt=attempt))
        delivery = await inbox.next()
        assert delivery.message.headers["hub-attempt"] == attempt
        message = delivery.message
        delivery.ack()


async def test_what_is_delivered_too_often_is_dead(broker: BrokerLifecycle, unique: str) -> None:
    queue, dead = f"q.{unique}", f"q.{unique}.dead"
    await broker.declare(Topology(queues=(Queue(dead), Queue(queue, dead_letter=dead, delivery_limit=3))))
    await broker.publish("", queue, Message("poison", b"body", headers={"hub-route": "r"}))
    inbox, graves = Inbox(), Inbox()
    await broker.consume(queue, inbox)
    for _ in range(4):
        (await inbox.next()).requeue()
    await broker.consume(dead, graves)
    buried = (await graves.next()).message
    assert (buried.id, buried.body, buried.headers["hub-route"]) == ("poison", b"body", "r")
    assert buried.headers["x-death"][0]["reason"] == "delivery_limit"
    assert len(inbox.all) == 4


async def test_without_a_limit_a_message_may_return_for_ever(broker: BrokerLifecycle, unique: str) -> None:
    await broker.declare(Topology(queues=(Queue(f"q.{unique}"),)))
    await broker.publish("", f"q.{unique}", Message("m", b""))
    inbox = Inbox()
    await broker.consume(f"q.{unique}", inbox)
    for _ in range(40):
        (await inbox.next()).requeue()
    (await inbox.next()).ack()
    await depth_becomes(broker, f"q.{unique}", 0)


async def test_a_headers_binding_matches_all_pairs_or_any_of_them(broker: BrokerLifecycle, unique: str) -> None:
    queues = {name: f"{name}.{unique}" for name in ("all", "any")}
    exchange = f"x.{unique}"
    wanted = (("region", "west"), ("priority", 1))
    await broker.declare(
        Topology(
            (Exchange(exchange, "headers"),),
            tuple(Queue(queue) for queue in queues.values()),
            (
                Binding(exchange, queues["all"], "", (("x-match", "all"), *wanted)),
                Binding(exchange, queues["any"], "", (("x-match", "any"), *wanted)),
            ),
        )
    )
    await broker.publish(exchange, "", Message("both", b"", headers={"region": "west", "priority": 1}))
    await broker.publish(exchange, "", Message("one", b"", headers={"region": "west", "priority": 2}))
    with pytest.raises(Unroutable):
        await broker.publish(exchange, "", Message("none", b"", headers={"region": "east"}))
    await depth_becomes(broker, queues["all"], 1)
    await depth_becomes(broker, queues["any"], 2)


async def test_a_passing_queue_takes_messages_like_any_other(broker: BrokerLifecycle, unique: str) -> None:
    queue = f"passing.{unique}"
    await broker.declare(Topology(queues=(Queue(queue, kind="passing"),)))
    await broker.declare(Topology(queues=(Queue(queue, kind="passing"),)))
    inbox = Inbox(ack=True)
    await broker.consume(queue, inbox)
    await broker.publish("", queue, Message("a", b"answer"))
    assert (await inbox.next()).message.body == b"answer"
