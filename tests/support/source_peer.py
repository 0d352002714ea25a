"""The far end of a source, as the contract suite of sources sees it: one real peer for each kind."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hub.app.plugin_discovery import discover
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.plugin import EndpointPlugin, SourcePlugin
from hub.core.ports import Source
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from tests.support.web import context_of

PLUGINS = discover()
BODY = b'{"number": "1", "note": "gr\xc3\xbc\xc3\x9fe"}\r\n'


@dataclass
class Seat:
    """What every source gets of its hub."""

    folder: Path
    journal: Journal
    unique: str

    def context(self) -> Context:
        return replace(
            context_of(self.folder, self.journal),
            memory=lambda name: JournalMemory(self.journal, name),
            connect=lambda url, name: RabbitBroker(url, SystemClock(), name=name, timeout=3.0),
            text=lambda where, name: (self.folder / where / name).read_text(),
        )


class SourcePeer(ABC):
    """One far end. `body`, `name` and `facts` are what the intake is to see of what is offered."""

    body = BODY
    name = "1.json"
    partner = ""

    @property
    def facts(self) -> dict[str, Any]:
        return {}

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self._endpoints: list[Any] = []

    @property
    def source_name(self) -> str:
        return f"source-{self.seat.unique}"

    @abstractmethod
    def source(self) -> Source:
        """A new one, as after a restart."""

    @abstractmethod
    async def offer(self) -> None:
        """Leaves the body there, whether or not a source runs. Who waits for an answer tries until it is success."""

    @abstractmethod
    async def acknowledged(self) -> bool:
        """Whether the far end knows that all it has offered was taken."""

    @abstractmethod
    async def goes(self) -> None:
        """The far end is away, or breaks off in the middle of something."""

    async def comes(self) -> None:
        """It is there again."""
        return

    async def close(self) -> None:
        for endpoint in self._endpoints:
            if (close := getattr(endpoint, "close", None)) is not None:
                await close()

    def built(self, kind: str, options: dict[str, Any], endpoint: Any = None) -> Source:
        plugin = PLUGINS.find(SourcePlugin, kind)
        assert plugin is not None
        context = replace(self.seat.context(), endpoint=lambda name: endpoint)
        made: Source = plugin.build(self.source_name, plugin.options.model_validate_json(json.dumps(options)), context)
        return made

    def endpoint(self, kind: str, options: dict[str, Any]) -> Any:
        plugin = PLUGINS.find(EndpointPlugin, kind)
        assert plugin is not None
        made = plugin.build("peer", plugin.options.model_validate_json(json.dumps(options)), self.seat.context())
        self._endpoints.append(made)
        return made
