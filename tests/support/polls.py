"""A source that polls lists, in this process, with what it has offered and said."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.rest.endpoint import RestEndpoint, RestEndpointOptions
from adapters.rest.list_options import RestSourceOptions
from adapters.rest.source import RestSource
from hub.app.logs import make_logger
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import TransientError
from hub.core.ports import Arrival, SoleSource, Taken
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from tests.support.brokers import eventually
from tests.support.lists import Lists, Question, Reply

SECRET = "s3cr3t-of-the-hub"
ORDERS: dict[str, Any] = {"items": "/orders", "id": "/id", "cursor": {"item": "/at", "start": "0"}}
SINCE = "GET /orders?since={cursor}&limit=2"


def order(number: int) -> dict[str, Any]:
    return {"id": f"A-{number}", "at": number}


def since(count: int, limit: int = 2) -> Callable[[Question], Reply]:
    """Orders 1 to `count`, those behind the cursor, `limit` of them."""

    def script(question: Question) -> Reply:
        begin = int(question.query["since"]) + 1
        return Reply({"orders": [order(number) for number in range(begin, min(begin + limit, count + 1))]})

    return script


class Polls:
    """A source in this process, with what it has offered and said. `refuse`: takes that fail at first."""

    def __init__(self, lists: Lists, journal: Journal, refuse: int = 0) -> None:
        self.lists = lists
        self.arrivals: list[Arrival] = []
        self.refuse = refuse
        self.memory = JournalMemory(journal, "orders")
        self._log = io.StringIO()

    @property
    def names(self) -> list[str]:
        return [arrival.name for arrival in self.arrivals]

    def bodies(self) -> list[bytes]:
        return [b"".join(arrival.body.chunks()) for arrival in self.arrivals]

    def said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    def has_said(self, times: int) -> bool:
        return len(self.said("list_not_read")) >= times

    async def take(self, arrival: Arrival) -> Taken:
        if self.refuse:
            self.refuse -= 1
            raise TransientError("the broker is away", "unreachable")
        self.arrivals.append(arrival)
        return Taken(1)

    @asynccontextmanager
    async def running(
        self, call: str = SINCE, endpoint: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[None]:
        to = RestEndpoint(
            RestEndpointOptions.model_validate({"base": self.lists.url, **(endpoint or {})}), SystemClock()
        )
        wanted = RestSourceOptions.model_validate({"endpoint": "erp", "call": call, "every": "50ms", **options})
        context = Context(
            Path("/"),
            memory=lambda name: self.memory,
            log=make_logger("info", json=True, stream=self._log),
            clock=SystemClock(),
        )
        source = RestSource("orders", wanted, to, context)
        assert isinstance(source, SoleSource)
        task = asyncio.create_task(source.run(self.take))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            await to.close()
        assert task.cancelled(), "only a cancellation ends a source"

    async def until(self, reached: Callable[[], bool]) -> None:
        async def now() -> bool:
            return reached()

        await eventually(now)

    async def asked(self, more: int) -> None:
        """So many further questions."""
        wanted = len(self.lists.asked) + more
        await self.until(lambda: len(self.lists.asked) >= wanted)
