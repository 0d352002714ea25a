"""The queues and bindings that a broker has for a site, as the journal records them."""

from __future__ import annotations

from typing import Any

from hub.app.opening import Opened
from hub.core import topology
from hub.core.broker import BrokerLifecycle
from hub.core.topology import Topology
from hub.journal.bindings import DeclaredBindings
from hub.journal.commit.bulk import QUEUE
from hub.journal.commit.entry import Entry
from hub.journal.copies.waits import Waits
from hub.journal.declared_queues import DeclaredQueues
from hub.journal.journal import Journal
from hub.journal.rows import QueueRow


class SiteQueues:
    """Declares them, and finds those that nobody uses any more."""

    def __init__(self, broker: BrokerLifecycle, journal: Journal, log: Any) -> None:
        self._broker = broker
        self._journal = journal
        self._log = log

    async def declare(self, needed: Topology, new: Topology) -> None:
        """Declares what is new. No process removes the bindings that are needed."""
        await DeclaredBindings(self._journal).need(needed.bindings)
        await self._broker.declare(new)

    async def record(self, opened: Opened) -> None:
        """So that a queue that no route uses any more is known."""
        entry, now = Entry(), self._journal.clock()
        for route in opened.site.table.by_id:
            for queue in (topology.route_queue(route), topology.dead_queue(route)):
                entry.add(QUEUE, QueueRow(name=queue, route=route, declared_at=now))
        for queue in topology.own_queues(opened.topology()):
            entry.add(QUEUE, QueueRow(name=queue, route=None, declared_at=now))
        await self._journal.commit(entry)

    async def unbind(self, opened: Opened) -> None:
        """Removes the bindings that no process needs any more: what they brought would wait for nobody."""
        declared = DeclaredBindings(self._journal)
        if not await declared.need((needed := opened.topology()).bindings):
            await self._broker.declare(needed)
        unneeded = await declared.unneeded()
        gone = unneeded.bindings
        if gone:
            await self._broker.unbind(gone)
            again = await declared.needed(gone)  # a process has begun meanwhile
            await self._broker.declare(Topology(bindings=tuple(again)))
            self._log.info("unbound", bindings=[f"{each.exchange} -> {each.queue} ({each.key})" for each in gone])
        if gone or unneeded.rows:
            await declared.unbound(unneeded)

    async def report_orphans(self, opened: Opened) -> None:
        """Messages that wait in a queue that no route uses any more are an error: nobody would ever take them."""
        for queue, count in (await self.orphans(opened)).items():
            self._log.error(
                "orphaned_queue", queue=queue, messages=count, hint="bring the route back, or see hub doctor"
            )

    async def orphans(self, opened: Opened) -> dict[str, int]:
        """Recorded queues that no route or source of the site uses, and how many messages they hold; rows that wait for
        such a route under the name of its queue."""
        routes = opened.site.table.by_id
        found = await DeclaredQueues(self._journal).orphans(self._broker, opened.topology(), routes)
        for route, count in (await Waits(self._journal).without(routes)).items():
            queue = topology.route_queue(route)
            found[queue] = found.get(queue, 0) + count
        return found
