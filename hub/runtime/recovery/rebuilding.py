"""Rebuilding: copies that no queue holds any more are made again from the journal, and published to their route's
queue."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core import topology
from hub.core.errors import ClaimMissing
from hub.core.message import Message
from hub.journal.copies.open_copies import OpenCopies, OpenCopy
from hub.journal.processes.memory import JournalMemory
from hub.runtime.boundary import Boundary, Logged
from hub.runtime.copy import LARGEST_BODY, make_copy, pack_facts
from hub.runtime.placing import Placed, place_all
from hub.runtime.runtime import Runtime

LOOK_SECONDS = 60.0

OWNER = "hub:journal"
WANTED = "rebuild"
"""The row of `memory` by which a restore asks for a rebuild of everything that is open."""

LEFT = "left"
"""The row of `memory` that says how many effects the last rebuild could make no copy for."""

MOST_TOLD = 100
"""Effects without a copy that the log names."""


class Rebuilding:
    """A copy that is somewhere all the same is published twice: its effects are recorded once, and the second copy
    sends nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._copies = OpenCopies(runtime.journal)
        self._memory = JournalMemory(runtime.journal, OWNER)

    async def watch(self) -> None:
        """Takes up what dead processes have left, every minute."""
        while True:
            with Logged(self._runtime.log, "left_copies_not_looked_for"):
                await self.sweep()
            await self._runtime.clock.sleep(LOOK_SECONDS)

    async def begin(self) -> None:
        """At the start of a hub: after a restore everything that is open is published. Raises TransientError and
        JournalUnavailable."""
        if await self._memory.get(WANTED):
            await self.rebuild()
            await self._memory.put(WANTED, "")

    async def sweep(self) -> int:
        """How many copies were published that a dead process had left prepared, and nobody had taken over."""
        copies = await self._copies.take_abandoned(self._runtime.snapshot.table.by_id)
        await self._publish(copies)
        if copies:
            self._runtime.log.warning("left_copies_published", copies=len(copies))
        return len(copies)

    async def rebuild(self) -> dict[str, int]:
        """Publishes all copies that have no outcome: `{"published": n, "batches": n, "without_route": n, "left": n}`.
        `left`: the effects that are open, and that no copy could be made for."""
        began, published, homeless, after = self._runtime.clock(), 0, 0, 0
        batches = await self._copies.batches()
        met = set(batches)
        while True:
            copies, last = await self._copies.page(after)
            if last is None:
                break
            known = [copy for copy in copies if copy.route in self._runtime.snapshot.table.by_id]
            gone = [copy for copy in copies if copy.route not in self._runtime.snapshot.table.by_id]
            made = await self._publish(known)
            met |= {(copy.document_id, name) for copy in (*made, *gone) for name in copy.open}
            published, homeless, after = published + len(made), homeless + len(gone), last
        left = sorted(await self._copies.open_since(began) - met)
        for document_id, destination in left[:MOST_TOLD]:
            self._runtime.log.error("copy_not_rebuilt", message_id=document_id, destination=destination)
        await self._memory.put(LEFT, str(len(left)) if left else "")
        counts = {"published": published, "batches": len(batches), "without_route": homeless, "left": len(left)}
        self._runtime.log.warning("rebuilt", **counts)
        return counts

    async def _publish(self, copies: Sequence[OpenCopy]) -> list[OpenCopy]:
        """Those that could be made. Raises TransientError and JournalUnavailable."""
        placed, made = [], []
        for copy in copies:
            with Boundary() as boundary:
                message = await self._message(copy)
                placed.append(Placed(topology.route_queue(copy.route), message))
                made.append(copy)
            if isinstance(error := boundary.error, ClaimMissing):
                self._runtime.log.error("copy_lost", route=copy.route, message_id=copy.document_id, error=str(error))
            elif error is not None:
                raise error
        await place_all(self._runtime.broker, placed)
        return made

    async def _message(self, copy: OpenCopy) -> Message:
        body = await self._runtime.journal.claim_body(copy.canonical)
        made = make_copy(
            document=copy.document,
            document_id=copy.document_id,
            body=b"" if body.size > LARGEST_BODY else b"".join(body.chunks()),
            canonical=copy.canonical,
            route=copy.route,
            send=copy.send,
            facts=pack_facts(copy.facts),
            table=copy.table,
            source=copy.source,
            correlation_id=copy.correlation_id,
            hops=copy.hops,
        )
        return made.with_headers(
            hub_open=",".join(copy.open),
            hub_attempt=copy.attempt,
            hub_parent=copy.parent,
            hub_claim=copy.canonical if body.size > LARGEST_BODY else None,
        )
