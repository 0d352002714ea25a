"""Rebuilding: copies that no queue holds any more are made again from the journal, and published to their route's queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hub.core import topology
from hub.core.errors import ClaimMissing
from hub.core.message import Message
from hub.journal.memory import JournalMemory
from hub.journal.open_copies import OpenCopies, OpenCopy
from hub.runtime.copy import LARGEST_BODY, make_copy
from hub.runtime.guard import outcome_of
from hub.runtime.live import Live
from hub.runtime.placing import Placed, place_all

LOOK_SECONDS = 60.0

OWNER = "hub:journal"
WANTED = "rebuild"
"""The row of `memory` by which a restore asks for a rebuild of everything that is open."""


class Rebuilding:
    """A copy that is somewhere all the same is published twice: its effects are recorded once, and the second copy sends nothing."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._copies = OpenCopies(live.journal)
        self._memory = JournalMemory(live.journal, OWNER)

    async def watch(self) -> None:
        """Takes up what dead processes have left, every minute."""
        while True:
            error = await outcome_of(self.sweep)
            if isinstance(error, Exception):
                self._live.log.warning("left_copies_not_looked_for", error=str(error) or type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def begin(self) -> None:
        """At the start of a hub: after a restore everything that is open is published. Raises TransientError and JournalUnavailable."""
        if await self._memory.get(WANTED):
            await self.rebuild()
            await self._memory.put(WANTED, "")

    async def sweep(self) -> int:
        """How many copies were published that a dead process had left prepared, and nobody had taken over."""
        copies = await self._copies.take_abandoned(self._live.snapshot.table.by_id)
        await self._publish(copies)
        if copies:
            self._live.log.warning("left_copies_published", copies=len(copies))
        return len(copies)

    async def rebuild(self) -> dict[str, int]:
        """Publishes all copies that have no outcome: `{"published": n, "without_route": n}`."""
        published, homeless, after = 0, 0, 0
        while True:
            copies, last = await self._copies.page(after)
            if last is None:
                break
            known = [copy for copy in copies if copy.route in self._live.snapshot.table.by_id]
            await self._publish(known)
            published, homeless, after = published + len(known), homeless + len(copies) - len(known), last
        self._live.log.warning("rebuilt", published=published, without_route=homeless)
        return {"published": published, "without_route": homeless}

    async def _publish(self, copies: Sequence[OpenCopy]) -> None:
        placed = []
        for copy in copies:
            message = await outcome_of(lambda copy=copy: self._message(copy))  # type: ignore[misc]
            if isinstance(message, ClaimMissing):
                self._live.log.error("copy_lost", route=copy.route, message_id=copy.document_id, error=str(message))
            elif isinstance(message, Exception):
                raise message
            else:
                placed.append(Placed(topology.route_queue(copy.route), message))
        await place_all(self._live.broker, placed)

    async def _message(self, copy: OpenCopy) -> Message:
        body = await self._live.journal.claim_body(copy.canonical)
        made = make_copy(
            *(copy.document, copy.document_id),
            b"" if body.size > LARGEST_BODY else b"".join(body.chunks()),
            copy.canonical,
            route=copy.route,
            send=copy.send,
            facts=copy.facts,
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
