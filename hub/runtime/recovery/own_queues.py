"""The hub's own queues heal: one that somebody has deleted is declared again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hub.core import topology
from hub.core.broker import Broker
from hub.runtime.boundary import Boundary


class OwnQueues:
    """Declares a queue again when its consumer finds it gone. The consumer comes back by itself."""

    def __init__(self, broker: Broker, log: Any) -> None:
        self._broker = broker
        self._log = log
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.missing: dict[str, str] = {}
        """Queues that are gone and could not be declared again, and why."""

    def mender(self, queue: str) -> Callable[[], None]:
        """What a consumer of the queue calls each time that it finds it gone."""

        def missing() -> None:
            if queue not in self._under_way:
                task = asyncio.create_task(self._mend(queue), name=f"mend-{queue}")
                self._under_way[queue] = task
                task.add_done_callback(lambda _: self._under_way.pop(queue, None))

        return missing

    async def _mend(self, queue: str) -> None:
        with Boundary() as boundary:
            await self._broker.declare(topology.topology_of(queue))
        if (error := boundary.error) is None:
            self.missing.pop(queue, None)
            self._log.warning("queue_declared_again", queue=queue, hint="somebody has deleted it; what it held is lost")
            return
        cause = str(error) or type(error).__name__
        if self.missing.get(queue) != cause:
            self._log.error("queue_missing", queue=queue, error=cause)
        self.missing[queue] = cause
