"""The queues that the hub has declared, so that none is ever forgotten with messages in it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.topology import Topology
from hub.journal import schema
from hub.journal.journal import Journal


class Depths(Protocol):
    """Tells how many messages queues hold; None for one that doesn't exist."""

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]: ...


class DeclaredQueues:
    """Reads the record."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def all(self) -> list[tuple[str, str | None]]:
        """(queue, route), by name; the route is None for a source's dead letters."""
        table = schema.declared_queue

        async def query(connection: AsyncConnection) -> list[tuple[str, str | None]]:
            rows = (await connection.execute(sa.select(table).order_by(table.c.name))).all()
            return [(row.name, row.route) for row in rows]

        return await self._journal.read(query)

    async def orphans(self, broker: Depths, declared: Topology, routes: Container[str]) -> dict[str, int]:
        """Recorded queues that no route and no source of the site uses, and that hold messages: nobody would ever take
        them."""
        used = {queue.name for queue in declared.queues}
        gone = [name for name, route in await self.all() if name not in used and (route is None or route not in routes)]
        depths = await broker.depths(gone) if gone else {}
        return {queue: count for queue, count in depths.items() if count}
