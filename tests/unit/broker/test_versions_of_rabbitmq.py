"""Queues that another version of RabbitMQ has declared, alarms, and lists of hosts; told by a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pamqp import commands

from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError
from hub.core.topology import Topology, route_topology
from tests.support.brokers import eventually
from tests.support.ports import free_ports
from tests.support.scripted_amqp import ScriptedServer

HELD = {"hub.route.a.dead": {"x-queue-type": "quorum"}}
"""What stands at the broker: declared by the hub when the broker was of version 3."""


class Declared:
    """Refuses as RabbitMQ does: it names the first argument that differs."""

    def __init__(self, held: dict[str, dict[str, Any]]) -> None:
        self.held = held

    def __call__(self, received: Any) -> Any:
        if not isinstance(received, commands.Queue.Declare):
            return None
        wanted, held = (
            dict(received.arguments or {}),
            self.held.setdefault(received.queue, dict(received.arguments or {})),
        )
        for name in sorted({*wanted, *held}):
            if wanted.get(name) != held.get(name):
                text = f"PRECONDITION_FAILED - inequivalent arg {name!r} for queue {received.queue!r} in vhost '/'"
                return commands.Channel.Close(406, text, 50, 10)
        return commands.Queue.DeclareOk(received.queue, 0, 0)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    made = ScriptedServer()
    await made.start()
    yield made
    await made.close()


async def declared(
    server: ScriptedServer, version: str, held: dict[str, dict[str, Any]], topology: Topology
) -> set[str]:
    server.version, server.script = version, Declared({name: dict(arguments) for name, arguments in held.items()})
    broker = RabbitBroker(server.url, SystemClock(), timeout=5)
    await broker.open()
    try:
        await broker.declare(topology)
        return broker.without_limit
    finally:
        await broker.close()


async def test_a_queue_of_an_older_broker_is_accepted_and_named(server: ScriptedServer) -> None:
    assert await declared(server, "4.0.5", HELD, route_topology("a")) == {"hub.route.a.dead"}
    assert await declared(server, "4.0.5", {}, route_topology("a")) == set()


async def test_a_queue_of_a_newer_broker_is_accepted(server: ScriptedServer) -> None:
    newer = {"hub.route.a.dead": {"x-queue-type": "quorum", "x-delivery-limit": -1}}
    assert await declared(server, "3.13.0", newer, route_topology("a")) == set()


@pytest.mark.parametrize("arguments", [{"x-queue-type": "classic"}, {"x-queue-type": "quorum", "x-max-length": 5}])
async def test_any_other_difference_is_an_error(server: ScriptedServer, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"hub\.route\.a\.dead' exists with other arguments"):
        await declared(server, "4.0.5", {"hub.route.a.dead": arguments}, route_topology("a"))


async def test_an_alarm_is_named(server: ScriptedServer) -> None:
    broker = RabbitBroker(server.url, SystemClock(), timeout=5)
    await broker.open()
    try:
        await server.opened.get()
        server.to_publisher_connection(commands.Connection.Blocked("low on memory"))

        async def named() -> bool:
            return broker.blocked_by == "memory alarm (low on memory)"

        await eventually(named)
        assert not broker.connected
    finally:
        await broker.close()


async def test_another_node_is_tried(server: ScriptedServer) -> None:
    (nobody,) = free_ports(1)
    there = server.url.removeprefix("amqp://").rstrip("/")
    broker = RabbitBroker(f"amqp://127.0.0.1:{nobody},{there}/", SystemClock(), timeout=5)
    await broker.open()
    assert broker.connected
    await broker.close()


def test_a_list_of_hosts_is_read() -> None:
    made = AmqpAddress.parse("amqps://u:p@one,two:5673,[::1]:5674/shop")
    assert [(node.host, node.port, node.user) for node in made.nodes] == [
        ("one", 5671, "u"),
        ("two", 5673, "u"),
        ("::1", 5674, "u"),
    ]
    for wrong in ("amqp://one,,two/", "amqp://one:5672,two:x/"):
        with pytest.raises(ConfigError, match="not an AMQP URL"):
            AmqpAddress.parse(wrong)
