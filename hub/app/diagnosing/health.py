"""How a running hub is: what readiness says, and the gauges that are asked for when somebody looks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.core import topology
from hub.core.errors import HubError, JournalUnavailable
from hub.runtime.boundary import Boundary
from hub.runtime.metrics import BREAKERS

if TYPE_CHECKING:
    from hub.app.running_hub import RunningHub

ANSWER = 4.0
"""Seconds after which a journal that does not answer is away."""

DEPTHS = 5.0
"""Seconds that the broker has to count what waits in queues."""


class Health:
    """Looks at a hub and changes nothing of it but its gauges."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub

    async def readiness(self) -> dict[str, Any]:
        """`ready` when broker and journal work now; why not, where not; how each source is."""
        hub = self._hub
        journal = await self._ask_journal()
        alarm = hub.broker.blocked_by if isinstance(hub.broker, RabbitBroker) else ""
        broker = "up" if hub.broker.connected else f"blocked: {alarm}" if alarm else "away"
        hub.metrics.broker_up.set(broker == "up")
        hub.metrics.journal_up.set(journal == "up")
        supervisor, running = hub.supervisor, "running" if hub.started else "waiting"
        return {
            "ready": hub.started and journal == "up" and broker == "up",
            "waiting_for": hub.waiting_for or None,
            "broker": broker,
            "journal": journal,
            "waiting": [asdict(one) for one in hub.waker.waiting],
            "missing_queues": dict(hub.runtime.own_queues.missing),
            "clock": hub.journal.clock.told or None,
            "table": hub.site.version,
            "failing": dict(supervisor.failing),
            "stopped": {
                name: why for name, one in hub.opened.endpoints.items() if (why := getattr(one, "stopped", ""))
            },
            "sources": {
                name: supervisor.failing.get(name) or supervisor.standing_by.get(name) or running
                for name in hub.site.sources
            },
            "endpoints": {name: asdict(limit.state) for name, limit in hub.opened.limits().items()},
        }

    async def _ask_journal(self) -> str:
        hub, journal = self._hub, self._hub.journal
        trouble = journal.trouble
        if trouble and not journal.claims.trouble:
            return trouble if trouble == "away" else f"away: {trouble}"
        try:
            async with hub.runtime.clock.timeout(ANSWER):
                await journal.ping()
        except (JournalUnavailable, TimeoutError) as error:
            return f"away: {error}" if str(error) else "away"
        return "up"

    async def measure(self) -> None:
        """Brings the gauges up to date."""
        hub = self._hub
        await self.readiness()
        self._measure_endpoints()
        if not hub.started or not hub.broker.connected:
            return
        queues = [topology.UNMATCHED]
        for route in hub.site.table.by_id:
            queues += [topology.route_queue(route), topology.dead_queue(route)]
        queues += [topology.source_dead_queue(source) for source in hub.site.sources]
        queues += sorted(hub.runtime.declared)
        try:
            async with hub.runtime.clock.timeout(DEPTHS):
                depths = await hub.broker.depths(queues)
        except (HubError, TimeoutError):
            return
        for queue, count in depths.items():
            hub.metrics.depth.labels(queue).set(count or 0)
        with Boundary():
            orphans = await hub.orphans()
            hub.metrics.orphans.clear()
            for queue, count in orphans.items():
                hub.metrics.orphans.labels(queue).set(count)

    def _measure_endpoints(self) -> None:
        metrics = self._hub.metrics
        for gauge in (metrics.breaker, metrics.endpoint_waiting, metrics.endpoint_in_use):
            gauge.clear()
        for name, limit in self._hub.opened.limits().items():
            state = limit.state
            metrics.breaker.labels(name).set(BREAKERS[state.breaker])
            metrics.endpoint_waiting.labels(name).set(state.waiting)
            metrics.endpoint_in_use.labels(name).set(state.in_use)
