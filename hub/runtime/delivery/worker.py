"""The route worker: from a route's queue to its destinations; an ack waits for the commit that holds the outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from hub.core import topology
from hub.core.broker import Delivery, Subscription
from hub.core.effect import EffectStatus
from hub.core.errors import EndpointError, JournalUnavailable, MessageError
from hub.core.message import Message, storable
from hub.core.once_key import OnceStatus
from hub.core.routing.route import Route
from hub.core.stage import Stage
from hub.journal.entry import Entry
from hub.journal.once_keys import FINISH, FINISH_ALL, HOLDERS, OnceAsked, OnceOwner
from hub.journal.wait import WAIT, Reason
from hub.runtime.boundary import outcome_of
from hub.runtime.copy import Cause, RouteCopy
from hub.runtime.delivery.attempt import Outcome
from hub.runtime.delivery.once_value import once_value
from hub.runtime.delivery.sending import Sender, kept_body
from hub.runtime.delivery.suspicion import Suspicion
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.recovery.waits import wait_of
from hub.runtime.runtime import Runtime

PREFETCH = 200
RETURN_PAUSE = 1.0
"""Seconds before a copy goes back to the broker, so that a failing broker or journal is not asked in a loop."""

WAIT_DELAYS = (1.0, 10.0, 60.0)
"""How long a copy waits (seconds) while another process is sending it; ever longer, the more often it has waited."""


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
        """Takes nothing more; finishes what is in work for at most `timeout` seconds, and leaves the rest to the broker."""
        self._stopping = True
        if self._subscription is not None:
            await self._subscription.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

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

    async def _handle(self, delivery: Delivery) -> None:
        runtime = self._runtime
        started = time.perf_counter()
        with runtime.metrics.in_flight.labels("route").track_inprogress():
            try:
                error = await outcome_of(lambda: self._work(delivery))
                if error is not None and not isinstance(error, EndpointError | JournalUnavailable):
                    unforeseen = error
                    error = await outcome_of(lambda: self._bury(delivery, unforeseen))
                if error is None:
                    delivery.ack()
                else:
                    await self._return(delivery, error)
            except asyncio.CancelledError:
                delivery.requeue()
        runtime.metrics.stage.labels("route").observe(time.perf_counter() - started)

    async def _return(self, delivery: Delivery, error: BaseException) -> None:
        """The broker or the journal failed, not the message: it goes back, after a pause."""
        names = {"route": self.route.id, "message_id": delivery.message.id}
        self._runtime.log.warning("copy_returned", **names, error=str(error))
        await asyncio.sleep(RETURN_PAUSE)
        delivery.requeue()

    async def _bury(self, delivery: Delivery, error: BaseException) -> None:
        """What nobody foresaw: said whole in the log, and kept as a dead letter with its cause."""
        message = delivery.message
        self._runtime.log.error("unforeseen", route=self.route.id, message_id=message.id, exc_info=error)
        await self._recoverability.bury(message, self.route.id, Cause(type(error).__name__, storable(str(error))))

    async def _work(self, delivery: Delivery) -> None:
        """Returns when the delivery may be acknowledged."""
        try:
            copy = RouteCopy.of(delivery.message, self.route.id)
            once = bool(self.route.once) and not copy.is_batch  # the keys are its members'
            if once:
                once_value(self.route, copy.facts())
        except MessageError as error:
            await self._recoverability.bury(
                delivery.message, self.route.id, Cause(type(error).__name__, storable(str(error)))
            )
            return
        again = delivery.redelivered or copy.came_again
        async with self._sender.alone(copy), self._suspicion.begun(copy, again) as suspect:
            begun = suspect.begun
            if begun.deaths >= (most := self._runtime.pool.limits.poison_after):
                await self._poison(delivery.message, begun.times, most)
                return
            suspect.put_off = True
            if once and begins(copy) and not await self._once(copy, again):
                return

            async def conclude(outcome: Outcome) -> None:
                suspect.put_off = suspect.put_off and (outcome.busy or outcome.elsewhere)
                await self._conclude(copy, outcome, again)

            await self._sender.attempt(copy, delivery.redelivered, conclude, suspect=begun.deaths > 0)

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
            await self._wait(copy, copy.open, Reason.ONCE, value, text, said, again)
        await runtime.journal.commit(said)
        return False

    async def _wait(
        self,
        copy: RouteCopy,
        destinations: Sequence[str],
        reason: Reason,
        waits_for: str,
        text: str,
        entry: Entry,
        again: bool,
    ) -> None:
        """Keeps the copy as a row, without counting an attempt. `again`: it had come again, and is a suspect also when it is woken."""
        runtime, now = self._runtime, self._runtime.clock()
        wait = wait_of(
            copy=copy,
            body=await kept_body(runtime, copy, entry, now),
            destinations=destinations,
            reason=reason,
            waits_for=waits_for,
            text=text,
            now=now,
            seconds=1.0 if reason is Reason.TABLE else WAIT_DELAYS[min(copy.waits, len(WAIT_DELAYS) - 1)],
            process=runtime.journal.process,
            message=copy.still_open(",".join(destinations), copy.attempt, None, now, copy.waits + 1, again=again),
        )
        entry.add(WAIT, wait)
        runtime.metrics.waiting.labels(self.route.id).inc()

    async def _conclude(self, copy: RouteCopy, outcome: Outcome, again: bool) -> None:
        """Commits the outcome at one destination. Raises EndpointError when the copy for a later attempt can't be placed, and
        JournalUnavailable."""
        error = await outcome_of(lambda: self._record(copy, outcome, again))
        if (
            error is not None
            and outcome.receipt is not None
            and not isinstance(error, EndpointError | JournalUnavailable)
        ):
            await self._commit(copy, self._bare_delivery(copy, outcome, error))
        elif error is not None:
            raise error
        self._runtime.settled(copy.document_id)

    async def _record(self, copy: RouteCopy, outcome: Outcome, again: bool) -> None:
        entry = Entry()
        if outcome.busy:
            text = "another process is sending it"
            await self._wait(copy, (outcome.destination,), Reason.PROCESS, outcome.destination, text, entry, again)
        elif outcome.elsewhere:
            text = f"this process doesn't know {outcome.destination}; another one has the route table {copy.table}"
            await self._wait(copy, (outcome.destination,), Reason.TABLE, outcome.destination, text, entry, again)
            entry.settle(outcome.state, EffectStatus.RETRYING, copy.attempt - 1, self._runtime.clock(), text=text)
        else:
            await self._recoverability.record(copy, outcome, entry)
        await self._commit(copy, entry)

    async def _commit(self, copy: RouteCopy, entry: Entry) -> None:
        if copy.parent is not None:
            entry.add(FINISH_ALL, copy.document_id)
        if self.route.once:
            entry.add(FINISH, OnceOwner(route=self.route.id, owner=copy.document_id, destinations=copy.send))
        await self._runtime.journal.commit(entry)

    def _bare_delivery(self, copy: RouteCopy, outcome: Outcome, error: Exception) -> Entry:
        """The far end has taken the document. That the details of its answer can't be recorded never makes the document dead, which a
        replay would send again."""
        self._runtime.log.error("answer_not_recorded", route=self.route.id, message_id=copy.document_id, exc_info=error)
        entry, now = Entry(), self._runtime.clock()
        text = "delivered; the details of the answer could not be recorded, the log says why"
        entry.settle(outcome.state, EffectStatus.DELIVERED, copy.attempt, now, text=text)
        entry.event(copy.document_id, now, Stage.SENT, route=copy.route, destination=outcome.destination, text=text)
        return entry


def begins(copy: RouteCopy) -> bool:
    """Whether the once-key decides about this copy: a first attempt, or a replay. A retry goes on with what was begun, even when
    the key has become free because another destination is dead."""
    return copy.attempt == 1 and (copy.open == copy.send or copy.parent is not None)
