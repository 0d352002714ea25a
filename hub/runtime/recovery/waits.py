"""Waking: copies that wait as rows go back to their route's queue when what they wait for has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from hub.core import topology
from hub.journal.copies.wait import Reason, Wait, WaitingCopies
from hub.journal.copies.waits import MOST, Waits
from hub.runtime.boundary import Boundary, Logged
from hub.runtime.copy import LARGEST_BODY, unpack
from hub.runtime.delivery.limit import Limit
from hub.runtime.placing import Placed, place_all
from hub.runtime.runtime import Runtime

LOOK_SECONDS = 0.5


class Waker:
    """Looks twice a second for copies that may go on, and publishes them. Many processes may do so at once: each row is
    taken by one of them. A copy is published before its row goes: after a crash between the two it is published twice,
    and its effects are once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waits = Waits(runtime.journal)
        self.waiting: list[WaitingCopies] = []
        """What copies waited for when it was looked last, the oldest first."""
        self._gone: Collection[str] = ()
        """Routes for which copies wait, and which this process does not have."""

    async def watch(self) -> None:
        looked = 0.0
        while True:
            with Logged(self._runtime.log, "waits_not_looked_at"):
                await self._round()
            now = self._runtime.clock.monotonic()
            if now - looked >= 5.0:
                looked = now
                with Boundary():
                    await self.measure()
            await self._runtime.clock.sleep(LOOK_SECONDS)

    async def measure(self) -> None:
        """Brings `waiting` and the gauges up to date. Nobody waits for an endpoint that has no limit any more."""
        runtime = self._runtime
        self.waiting = await self._waits.counts()
        self._gone = await self._waits.without(runtime.snapshot.table.by_id) if self.waiting else ()
        limits = runtime.snapshot.limits
        if any(one.reason is Reason.ENDPOINT and one.waits_for not in limits for one in self.waiting):
            await self._waits.look_again(limits)
        runtime.metrics.waiting_copies.clear()
        runtime.metrics.waiting_oldest.clear()
        now = runtime.clock()
        for one in self.waiting:
            runtime.metrics.waiting_copies.labels(one.reason, one.waits_for).set(one.count)
            runtime.metrics.waiting_oldest.labels(one.reason, one.waits_for).set(max(now - one.oldest, 0.0))

    async def _round(self) -> None:
        while await self.wake() >= MOST:
            continue

    async def wake(self) -> int:
        """Publishes what may go on now; how many copies. What can't be published (its claim is missing, the broker
        away) is looked at again after a minute."""
        taken = await self._waits.take(let_through(self._runtime.snapshot.limits), self._gone)
        if not taken:
            return 0
        done: list[str] = []
        for wait, error in zip(taken, await asyncio.gather(*map(self._publish, taken)), strict=True):
            if error is None:
                done.append(wait.id)
            else:
                names = {"route": wait.route, "message_id": wait.document_id}
                self._runtime.log.warning("copy_not_woken", **names, error=str(error) or type(error).__name__)
        await self._waits.end(done)
        return len(done)

    async def _publish(self, wait: Wait) -> Exception | None:
        if wait.route not in self._runtime.snapshot.table.by_id:
            return LookupError(
                f"the route {wait.route} is not there any more: bring it back to have its copies delivered"
            )
        with Boundary() as boundary:
            body = await self._runtime.journal.claim_body(wait.body)
            whole = b"" if body.size > LARGEST_BODY else b"".join(body.chunks())
            copy = unpack(wait.headers, whole)
            await place_all(self._runtime.broker, [Placed(topology.route_queue(wait.route), copy)])
        return boundary.error


def let_through(limits: Mapping[str, Limit]) -> dict[str, int]:
    """How many copies each endpoint bears now: none while it is left alone, one when it is to be tried, else many."""
    bears = {"open": 0, "half_open": 1, "closed": MOST}
    return {name: 0 if limit.trying else bears[limit.state.breaker] for name, limit in limits.items()}
