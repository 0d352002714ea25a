"""The workers of a hub, one for each route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from hub.core.routing.route import Route
from hub.runtime.delivery.worker import RouteWorker
from hub.runtime.side_by_side import side_by_side


class RouteWorkers:
    """That of a removed route goes on: copies that were made for it are still served."""

    def __init__(self, make: Callable[[Route], RouteWorker]) -> None:
        self._make = make
        self.by_route: dict[str, RouteWorker] = {}

    async def start(self, routes: Iterable[Route]) -> None:
        """A worker for every route; one that works takes the route as it is now."""
        await side_by_side(self._start(route) for route in routes)

    async def _start(self, route: Route) -> None:
        if route.id in self.by_route:
            self.by_route[route.id].route = route
            return
        worker = self._make(route)
        await worker.start()
        self.by_route[route.id] = worker

    async def stop(self, timeout: float) -> None:
        await asyncio.gather(*(worker.stop(timeout) for worker in self.by_route.values()))
