"""A far end of the contract suite, and what makes destinations for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from hub.app.plugin_discovery import discover
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.message import EMPTY
from hub.core.options.duration import seconds
from hub.core.plugin import DestinationPlugin, EndpointPlugin
from hub.core.ports import Destination, Outgoing
from tests.support.addresses_seen import Seen

PLUGINS = discover()
PATIENCE = "30s"
"""How long an ordinary send may take."""

Arrived = Callable[[], Awaitable[list[tuple[str, bytes]]]]


class Make(Protocol):
    def __call__(self, port: int, patience: str = PATIENCE) -> Destination: ...


@dataclass
class Peer:
    """One far end. `make(port)` is a destination that looks for it at that port of the loopback, and gives up after its
    `patience`. `arrived` gives what it has: by what it knows a repetition, and the bytes. `fails` makes it answer with
    something that may change."""

    port: int
    make: Make
    arrived: Arrived
    fails: Callable[[], None]
    seen: Callable[[], Awaitable[list[Seen]]]
    """How each document was addressed."""
    unseen: frozenset[str] = frozenset()
    """Fields of an address that the far end can't see."""
    body: bytes = b'{"number": "1"}'
    content_type: str = "application/json"
    recognises: bool = False
    """It knows a file that it has already: a repetition leaves no second one."""
    without_facts: bool = False
    """Nothing about it is made of facts: it can only be refused for its bytes."""
    endpoints: list[Any] = field(default_factory=list)

    def outgoing(self, key: str = "k1", **facts: str) -> Outgoing:
        known = {"number": "1", "document": "order", **facts}
        return Outgoing("id", "order@1", key, self.body, self.content_type, correlation_id="c", facts=known)

    async def close(self) -> None:
        for endpoint in self.endpoints:
            if (close := getattr(endpoint, "close", None)) is not None:
                await close()


def built(kind: str, options: dict[str, Any], context: Context) -> Destination:
    plugin = PLUGINS.find(DestinationPlugin, kind)
    assert plugin is not None
    made: Destination = plugin.build("out", plugin.options.model_validate(options), context)
    return made


class Reaching:
    """Makes destinations of one kind, each with an endpoint of its own, which `endpoints` remembers."""

    def __init__(self, kind: str, endpoint: str, site: Path, options: dict[str, Any]) -> None:
        self._kind, self._endpoint, self._site, self._options = kind, endpoint, site, options
        self.endpoints: list[Any] = []

    def __call__(self, patience: str = PATIENCE, more: Mapping[str, Any] = EMPTY, **endpoint: Any) -> Destination:
        """`more` are options of the destination."""
        plugin = PLUGINS.find(EndpointPlugin, self._endpoint)
        assert plugin is not None
        context = Context(
            self._site,
            log=structlog.get_logger(),
            connect=lambda url, name: RabbitBroker(url, SystemClock(), name=name, timeout=seconds(patience)),
            clock=SystemClock(),
        )
        made = plugin.build("peer", plugin.options.model_validate(endpoint), context)
        self.endpoints.append(made)
        return built(
            self._kind,
            {"endpoint": "peer", **self._options, **more},
            Context(self._site, endpoint=lambda name: made, log=structlog.get_logger(), clock=SystemClock()),
        )
