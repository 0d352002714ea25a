"""The small parts: addresses, arguments, topic patterns, deaths, deadlines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.broker.deadlines import Deadlines
from hub.broker.embedded.death import with_death
from hub.broker.embedded.routing import ExchangeRouting, topic_matches
from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.declaration import queue_arguments
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, retry_topology, route_topology


def test_an_address_is_taken_apart() -> None:
    address = AmqpAddress.parse("amqps://us%40er:p%2Fw@mq.example:5999/%2Fprod?heartbeat=30&cafile=/etc/ca.pem")
    assert (address.host, address.port, address.user, address.password) == ("mq.example", 5999, "us@er", "p/w")
    assert (address.vhost, address.tls, address.heartbeat, address.cafile) == ("/prod", True, 30, "/etc/ca.pem")


def test_an_address_has_defaults() -> None:
    address = AmqpAddress.parse("amqp://[::1]")
    assert (address.host, address.port, address.user, address.password, address.vhost) == (
        "::1",
        5672,
        "guest",
        "guest",
        "/",
    )
    assert AmqpAddress.parse("amqps://h").port == 5671


def test_an_address_never_shows_its_password() -> None:
    address = AmqpAddress.parse("amqp://user:sesame@host/v")
    assert str(address) == "amqp://host:5672/v"
    assert "sesame" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "http://user:sesame@host/",
        "amqp://",
        "amqp://u:sesame@h:port/",
        "amqp://u:sesame@h/?heartbeat=often",
        "amqp://u:sesame@h/?colour=red",
        "amqp://u:sesame@[::1/",
    ],
)
def test_a_wrong_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        AmqpAddress.parse(url)
    assert "sesame" not in str(caught.value)


def test_tls_files_that_are_not_there_are_named_by_the_address() -> None:
    with pytest.raises(ConfigError, match="amqps://h:5671"):
        AmqpAddress.parse("amqps://u:sesame@h/?cafile=/nowhere/ca.pem").context()


def test_arguments_of_the_hubs_queues() -> None:
    _, route = route_topology("r").queues
    (retry,) = retry_topology("r", 30).queues
    assert queue_arguments(route, "3.10.8") == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 1000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "hub.route.r.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    assert queue_arguments(retry, "3.13.1")["x-message-ttl"] == 30_000
    assert "x-delivery-limit" not in queue_arguments(retry, "3.13.1")
    assert queue_arguments(retry, "4.1.0")["x-delivery-limit"] == -1
    assert queue_arguments(Queue("q", max_length=10), "3.10.8") == {
        "x-queue-type": "quorum",
        "x-max-length": 10,
        "x-overflow": "reject-publish",
    }


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("#", "", True),
        ("#", "a.b", True),
        ("*", "", False),
        ("*", "a", True),
        ("a.#", "a", True),
        ("a.*", "a", False),
        ("a.#.b", "a.b", True),
        ("a.#.b", "a.x.y.b", True),
        ("a.#.b", "a.x", False),
        ("#.#", "a", True),
        ("*.#", "", False),
        ("a.*.c", "a.b.c", True),
        ("a.*.c", "a..c", True),
        ("a.b", "a.b.c", False),
        ("#.a.#", "x.a.y", True),
    ],
)
def test_topic_patterns(pattern: str, key: str, matches: bool) -> None:
    assert topic_matches(pattern.split("."), key.split(".") if key else []) is matches


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["#", "*", "a", "b"]), max_size=6), st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)
)
def test_topic_patterns_agree_with_the_plain_definition(pattern: list[str], words: list[str]) -> None:
    def matches(pattern: list[str], words: list[str]) -> bool:
        if not pattern:
            return not words
        if pattern[0] == "#":
            return matches(pattern[1:], words) or (bool(words) and matches(pattern, words[1:]))
        return bool(words) and pattern[0] in ("*", words[0]) and matches(pattern[1:], words[1:])

    assert topic_matches(pattern, words) is matches(pattern, words)


def test_answers_are_remembered_within_bounds() -> None:
    routing = ExchangeRouting({"x": Exchange("x")}, [Binding("x", "q", "#")])
    for number in range(10_000):
        assert routing.queues("x", f"key.{number}", {}) == ("q",)


def test_deaths_of_the_same_kind_are_counted() -> None:
    message = Message("m", b"", headers={"mine": 1, "x-death": "not a list"})
    for _ in range(2):
        message = with_death(message, "expired", "wait", "", "wait", 0.0)
    message = with_death(message, "delivery_limit", "work", "x", "k", 5.0)
    first, second = message.headers["x-death"]
    assert first == {
        "count": 1,
        "reason": "delivery_limit",
        "queue": "work",
        "time": datetime.fromtimestamp(5, UTC),
        "exchange": "x",
        "routing-keys": ["k"],
    }
    assert (second["count"], second["queue"]) == (2, "wait")
    assert (message.headers["x-first-death-queue"], message.headers["mine"]) == ("wait", 1)


async def test_deadlines_report_only_what_is_still_there() -> None:
    late: asyncio.Queue[str] = asyncio.Queue()
    deadlines: Deadlines[str] = Deadlines(late.put_nowait, SystemClock())
    deadlines.add("gone", 0.0)
    deadlines.add("late", 0.0)
    deadlines.add("patient", 60)
    deadlines.discard("gone")
    assert await asyncio.wait_for(late.get(), 10) == "late"
    assert deadlines.clear() == ["patient"]
    assert late.empty()
