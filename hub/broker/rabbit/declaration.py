"""A topology in AMQP's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pamqp import commands

from hub.core.errors import ConfigError
from hub.core.topology import Binding, Exchange, Queue

NOT_FOUND, PRECONDITION_FAILED = 404, 406

PASSING_MILLISECONDS = 3_600_000


def queue_arguments(queue: Queue, version: str) -> dict[str, Any]:
    """The arguments of a queue. A dead-letter target is served at least once, which needs reject-publish; "no
    delivery limit" is said by silence before RabbitMQ 4 and by -1 from then on."""
    if queue.kind == "stream":
        return {"x-queue-type": "stream"}
    if queue.kind == "passing":
        return {"x-queue-type": "classic", "x-expires": PASSING_MILLISECONDS}
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    if queue.ttl is not None:
        arguments["x-message-ttl"] = round(queue.ttl * 1000)
    if queue.dead_letter is not None:
        arguments["x-dead-letter-exchange"] = ""
        arguments["x-dead-letter-routing-key"] = queue.dead_letter
        arguments["x-dead-letter-strategy"] = "at-least-once"
        arguments["x-overflow"] = "reject-publish"
    if queue.max_length is not None:
        arguments["x-max-length"] = queue.max_length
        arguments["x-overflow"] = "reject-publish"
    if queue.delivery_limit is not None:
        arguments["x-delivery-limit"] = queue.delivery_limit
    elif major(version) >= 4:
        arguments["x-delivery-limit"] = -1
    return arguments


def other_arguments(queue: Queue, version: str, refusal: str) -> dict[str, Any] | None:
    """The arguments under which another version of RabbitMQ, or of the hub, has declared a queue that has no delivery
    limit: `none` where we say -1, and the other way round. None when the broker refused something else."""
    if queue.kind != "quorum" or queue.delivery_limit is not None or "'x-delivery-limit'" not in refusal:
        return None
    arguments = queue_arguments(queue, version)
    if arguments.pop("x-delivery-limit", None) is None:
        arguments["x-delivery-limit"] = -1
    return arguments


def limit_hint(queues: Iterable[str]) -> str:
    """What to do about queues that RabbitMQ 4 gives a limit of 20 redeliveries, after which it drops a message."""
    names = ", ".join(sorted(queues))
    pattern = r"^hub\.(unmatched|.*\.dead|route\..*\.retry\..*)$"
    policy = f"rabbitmqctl set_policy hub-no-limit '{pattern}' '{{\"delivery-limit\": -1}}' --apply-to quorum_queues"
    return (
        f"{names}: declared before RabbitMQ 4, which drops a message there after 20 redeliveries; set the limit by"
        f" policy: {policy}"
    )


def major(version: str) -> int:
    """3 of "3.10.8"; 4 when the broker says nothing that can be read."""
    head = version.partition(".")[0]
    return int(head) if head.isdecimal() else 4


def declare_exchange(exchange: Exchange) -> commands.Exchange.Declare:
    return commands.Exchange.Declare(
        0, exchange.name, exchange.type, passive=exchange.passive, durable=True, arguments=dict(exchange.arguments)
    )


def declare_queue(queue: Queue, version: str) -> commands.Queue.Declare:
    return commands.Queue.Declare(0, queue.name, durable=True, arguments=queue_arguments(queue, version))


def bind(binding: Binding) -> commands.Queue.Bind:
    return commands.Queue.Bind(0, binding.queue, binding.exchange, binding.key, arguments=bind_arguments(binding))


def unbind(binding: Binding) -> commands.Queue.Unbind:
    return commands.Queue.Unbind(0, binding.queue, binding.exchange, binding.key, arguments=bind_arguments(binding))


def bind_arguments(binding: Binding) -> dict[str, Any]:
    return {"x-match": "all", **dict(binding.headers)} if binding.headers else {}


def refusal(thing: Exchange | Queue | Binding, code: int, text: str) -> ConfigError:
    """What a person should read when the broker refuses a declaration: the name, and what differs."""
    if isinstance(thing, Exchange):
        if code == NOT_FOUND:
            return ConfigError(f"exchange {thing.name!r} doesn't exist at the broker")
        return ConfigError(f"exchange {thing.name!r} can't be declared: {text}")
    if isinstance(thing, Binding):
        return ConfigError(f"queue {thing.queue!r} can't be bound to exchange {thing.exchange!r}: {text}")
    if code == PRECONDITION_FAILED:
        return ConfigError(f"queue {thing.name!r} exists with other arguments: {text}")
    return ConfigError(f"queue {thing.name!r} can't be declared: {text}")
