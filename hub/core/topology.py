"""All names of queues and exchanges, and their declarations, in one place (design: section 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

DOCUMENTS = "hub.documents"
UNMATCHED = "hub.unmatched"

ROUTE_DELIVERY_LIMIT = 1000
"""Redeliveries after which the broker itself dead-letters. Far above 20: ending a connection raises the count of every
prefetched message, and an innocent one must never die of its neighbours."""

ExchangeType = Literal["topic", "direct", "fanout", "headers"]
QueueKind = Literal["quorum", "passing", "stream"]


def route_queue(route: str) -> str:
    return f"hub.route.{route}"


def retry_queue(route: str, delay: float) -> str:
    """The queue in which a message waits `delay` seconds, and then returns to the route's queue."""
    return f"hub.route.{route}.retry.{delay_name(delay)}"


def dead_queue(route: str) -> str:
    return f"hub.route.{route}.dead"


def source_queue(source: str) -> str:
    return f"hub.source.{source}"


def source_dead_queue(source: str) -> str:
    return f"hub.source.{source}.dead"


def reply_queue(destination: str, process: str) -> str:
    """Where the answers arrive that one process waits for at a destination."""
    return f"hub.reply.{destination}.{process}"


def reply_source(destination: str) -> str:
    """The source as which a destination's replies are read as documents. No source that a person names has a dot."""
    return f"{destination}.reply"


def delay_name(seconds: float) -> str:
    """A delay as people write it: 0.5 -> 500ms, 30 -> 30s, 120 -> 2m, 3600 -> 1h."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def delay_seconds(name: str) -> float:
    """The inverse of `delay_name`. Raises ValueError for anything else."""
    for unit, size in (("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)):
        if name.endswith(unit) and name.removesuffix(unit).isdecimal():
            return int(name.removesuffix(unit)) * size
    raise ValueError(f"{name!r} is not the name of a delay")


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue. `ttl` (seconds): every message leaves after it, to `dead_letter`. `dead_letter`: the queue that
    takes what leaves by age or by delivery limit, at least once. `delivery_limit` None: no limit. `max_length` None: no
    limit; else a publish above it is refused (nacked), softly. `kind`: everything that must not be lost lies in
    `quorum` queues; `passing` queues hold answers that somebody waits for now, and go after an hour without a consumer;
    `stream` is a log that is read and not emptied."""

    name: str
    ttl: float | None = None
    dead_letter: str | None = None
    delivery_limit: int | None = None
    max_length: int | None = None
    kind: QueueKind = "quorum"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. `passive`: it belongs to somebody else and must exist already. `arguments` are the broker's
    own (`alternate-exchange`)."""

    name: str
    type: ExchangeType = "topic"
    passive: bool = False
    arguments: tuple[tuple[str, str | int | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """`queue` receives what is published to `exchange` with a key that matches `key` (a topic pattern on topic
    exchanges; ignored on fanout and headers exchanges). On a headers exchange every pair of `headers` must match, or
    with the pair ("x-match", "any") one of them."""

    exchange: str
    queue: str
    key: str
    headers: tuple[tuple[str, str | int | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """What must exist at a broker. Declaring it twice changes nothing."""

    exchanges: tuple[Exchange, ...] = field(default=())
    queues: tuple[Queue, ...] = field(default=())
    bindings: tuple[Binding, ...] = field(default=())

    @classmethod
    def joined(cls, parts: Iterable[Topology]) -> Topology:
        """All that is in one of them, once."""
        exchanges, queues, bindings = dict[Exchange, None](), dict[Queue, None](), dict[Binding, None]()
        for part in parts:
            exchanges.update(dict.fromkeys(part.exchanges))
            queues.update(dict.fromkeys(part.queues))
            bindings.update(dict.fromkeys(part.bindings))
        return cls(tuple(exchanges), tuple(queues), tuple(bindings))

    def __add__(self, other: Topology) -> Topology:
        return Topology.joined((self, other))


def own_queues(topology: Topology) -> tuple[str, ...]:
    """The queues whose messages are the hub's to look after; not those of subscribers."""
    return tuple(queue.name for queue in topology.queues if queue.name.startswith("hub."))


def hub_topology() -> Topology:
    """What every hub has, whatever its routes."""
    return Topology(exchanges=(Exchange(DOCUMENTS, "topic"),), queues=(Queue(UNMATCHED),))


def route_topology(route: str) -> Topology:
    """A route's own queue and its dead letters. The retry queues are declared when first needed."""
    dead = dead_queue(route)
    return Topology(
        queues=(Queue(dead), Queue(route_queue(route), dead_letter=dead, delivery_limit=ROUTE_DELIVERY_LIMIT))
    )


def retry_topology(route: str, delay: float) -> Topology:
    return Topology(queues=(Queue(retry_queue(route, delay), ttl=delay, dead_letter=route_queue(route)),))


def source_topology(source: str) -> Topology:
    """Every source has dead letters: what it took and could not read."""
    return Topology(queues=(Queue(source_dead_queue(source)),))


def topology_of(queue: str) -> Topology:
    """What has to be declared for one of the hub's own queues, found by its name; empty for any other queue."""
    kind, _, rest = queue.removeprefix("hub.").partition(".")
    name, _, last = rest.partition(".")
    if queue == UNMATCHED:
        return hub_topology()
    if kind == "source" and rest.endswith(".dead"):
        return source_topology(rest.removesuffix(".dead"))
    if kind != "route" or not name:
        return Topology()
    if last.startswith("retry."):
        return retry_topology(name, delay_seconds(last.removeprefix("retry.")))
    return route_topology(name)
