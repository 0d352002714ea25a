"""The route worker: from a route's queue to its destinations; an ack waits for the commit that holds the outcome."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.core import topology
from hub.core.broker import BrokerDelivery, Subscription
from hub.core.errors import EndpointError, JournalUnavailable, MessageError
from hub.core.message import Message
from hub.core.once_key import OnceStatus
from hub.core.routing.route import Route
from hub.core.stage import Stage
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import Reason
from hub.journal.deliveries.once_keys import HOLDERS, OnceAsked
from hub.runtime.boundary import Boundary
from hub.runtime.copy import Cause, RouteCopy
from hub.runtime.delivery.attempt import Attempt
from hub.runtime.delivery.once_value import once_value
from hub.runtime.delivery.outcome import Busy
from hub.runtime.delivery.putting_off import put_off
from hub.runtime.delivery.sending import Sender
from hub.runtime.delivery.suspicion import Suspicion
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.runtime import Runtime
from hub.runtime.side_by_side import end_within

PREFETCH = 200
RETURN_PAUSE = 1.0
"""Seconds before a copy goes back to the broker, so that a failing broker or journal is not asked in a loop."""


class RouteWorker:
    """Works on the copies of one route. At least once, in no promised order, at most PREFETCH at a time."""

    def __init__(
        self, route: Route, runtime: Runtime, sender: Sender, recoverability: Recoverability, suspicion: Suspicion
    ) -> None:
        self.route = route
        self._runtime = runtime
        self._sender = sender
        self._recoverability = recoverability
        self._suspicion = suspicion
        self._subscription: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        queue = topology.route_queue(self.route.id)
        self._subscription = await self._runtime.broker.consume(
            queue, self._on_delivery, prefetch=PREFETCH, on_missing=self._runtime.own_queues.mender(queue)
        )

    async def stop(self, timeout: float) -> None:
        """Takes nothing more; finishes what is in work for at most `timeout` seconds, and leaves the rest to the
        broker."""
        self._stopping = True
        if self._subscription is not None:
            await self._subscription.cancel()
        await end_within(self._runtime.clock, self._tasks, timeout)

    @property
    def in_work(self) -> int:
        return len(self._tasks)

    def _on_delivery(self, delivery: Any) -> None:
        if self._stopping:
            delivery.requeue()
            return
        task = asyncio.create_task(self._handle(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, delivery: BrokerDelivery) -> None:
        runtime = self._runtime
        started = runtime.clock.monotonic()
        with runtime.metrics.in_flight.labels("route"):
            try:
                with Boundary() as boundary:
                    await self._work(delivery)
                if boundary.error is not None and not isinstance(boundary.error, EndpointError | JournalUnavailable):
                    unforeseen = boundary.error
                    with Boundary() as boundary:
                        await self._recoverability.bury_unforeseen(delivery.message, self.route.id, unforeseen)
                if boundary.error is None:
                    delivery.ack()
                else:
                    await self._return(delivery, boundary.error)
            except asyncio.CancelledError:
                delivery.requeue()
        runtime.metrics.stage.labels("route").observe(runtime.clock.monotonic() - started)

    async def _return(self, delivery: BrokerDelivery, error: BaseException) -> None:
        """The broker or the journal failed, not the message: it goes back, after a pause."""
        names = {"route": self.route.id, "message_id": delivery.message.id}
        self._runtime.log.warning("copy_returned", **names, error=str(error))
        await self._runtime.clock.sleep(RETURN_PAUSE)
        delivery.requeue()

    async def _work(self, delivery: BrokerDelivery) -> None:
        """Returns when the delivery may be acknowledged."""
        try:
            copy = RouteCopy.of(delivery.message, self.route.id)
            once = bool(self.route.once) and not copy.is_batch  # the keys are its members'
            if once:
                once_value(self.route, copy.facts())
        except MessageError as error:
            await self._recoverability.bury(delivery.message, self.route.id, Cause.of(error))
            return
        again = delivery.redelivered or copy.came_again
        async with self._sender.exclusive(copy), self._suspicion.begun(copy, again) as suspect:
            begun = suspect.begun
            if begun.deaths >= (most := self._runtime.pool.limits.poison_after):
                await self._poison(delivery.message, begun.times, most)
                return
            suspect.put_off = True
            if once and begins(copy) and not await self._once(copy, again):
                return
            attempt = Attempt(copy, self.route, self._runtime.snapshot, delivery.redelivered, begun.deaths > 0)
            entry = Entry()
            deliveries = await self._sender.prepare(attempt, entry)
            committed = await self._runtime.journal.commit(entry)
            outcomes = await self._sender.deliver(deliveries, committed)
            suspect.put_off = all(isinstance(outcome, Busy) for outcome in outcomes)

    async def _poison(self, message: Message, times: int, most: int) -> None:
        text = (
            f"hub processes died during it {times} times, so nobody works on it any more "
            f"(containment.poison_after in config/hub.yaml is {most})"
        )
        await self._recoverability.bury(message, self.route.id, Cause("poison", text))

    async def _once(self, copy: RouteCopy, again: bool) -> bool:
        """Whether this message may go on: it holds the route's once-key."""
        runtime, now = self._runtime, self._runtime.clock()
        value = once_value(self.route, copy.facts())
        entry = Entry()
        entry.take_once(self.route.id, value, copy.document_id, now)
        committed = await runtime.journal.commit(entry)
        holder = committed.of(HOLDERS)[OnceAsked(self.route.id, value)]
        if holder.owner == copy.document_id:
            return True
        said = Entry()
        where, detail = self.route.id, {"owner": holder.owner}
        if holder.status is OnceStatus.DONE:
            text = f"{value} was taken by message {holder.owner}: a duplicate, nothing is sent"
            said.event(copy.document_id, now, Stage.DUPLICATE, route=where, text=text, detail=detail)
            runtime.metrics.repeated.labels(self.route.id).inc()
        else:
            text = f"{value} is held by message {holder.owner}, which is not finished"
            if copy.waits == 0:
                said.event(copy.document_id, now, Stage.WAITS, route=where, text=text, detail=detail)
            await put_off(
                runtime,
                copy,
                said,
                destinations=copy.open,
                reason=Reason.ONCE,
                waits_for=value,
                text=text,
                again=again,
            )
        await runtime.journal.commit(said)
        return False


def begins(copy: RouteCopy) -> bool:
    """Whether the once-key decides about this copy: a first attempt, or a replay. A retry goes on with what was begun,
    even when the key has become free because another destination is dead."""
    return copy.attempt == 1 and (copy.open == copy.send or copy.parent is not None)
