"""Direct hand-over: a copy that begins in the commit of its document goes to its destinations at once, and to no queue.

Hand-over is how a delivery begins; the route's queue is where it continues, and where every other copy begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.core import topology
from hub.core.errors import EndpointError, JournalUnavailable, MessageError
from hub.core.message import Header, Message
from hub.core.once_key import OnceStatus
from hub.core.routing.route import Route
from hub.core.step import AskingStep
from hub.journal.commit.entry import Committed, Entry
from hub.journal.rows import OnceRow
from hub.runtime.boundary import Boundary
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.attempt import Attempt
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.limit import Limit
from hub.runtime.delivery.once_value import once_value
from hub.runtime.delivery.sending import Sender
from hub.runtime.placing import Placed, as_taken
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.runtime import OpenDestination, Runtime, Snapshot
from hub.runtime.side_by_side import end_within

LARGEST = 64 * 1024
"""Bytes of the largest document that is handed over."""


@dataclass(slots=True, eq=False)
class HandedCopy:
    """A copy whose effects are in the entry of its document. Once that is committed it is delivered, unless it has to
    go to the queue. `turns`: those that its sends have not taken over yet."""

    owner: HandOver
    attempt: Attempt
    let_go: Callable[[], None]
    turns: list[Limit] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def placed(self) -> Placed:
        """Where it goes instead."""
        copy = self.attempt.copy
        return Placed(topology.route_queue(copy.route), copy.message)

    def begins(self, committed: Committed) -> bool:
        """Whether this commit inserted its effects, for it alone, and took its once-key."""
        return len(self.attempt.states(committed)) == len(self.deliveries)

    async def deliver(self, committed: Committed) -> None:
        """Returns when all its outcomes are committed, as for a copy from the queue. Raises TransientError and
        JournalUnavailable."""
        await self.owner.deliver(self, committed)

    def drop(self) -> None:
        """Gives back what it holds: its destinations, and the turns that it did not use."""
        for delivery in self.deliveries:
            if delivery.use_turn() and delivery.opened.limit is not None:
                delivery.opened.limit.give_turn_back()
        for limit in self.turns:
            limit.give_turn_back()
        self.turns.clear()
        self.let_go()


class HandOver:
    """Takes copies of small documents whose source keeps them until they are acknowledged. Nothing waits in it: a copy
    that would have to wait, for whatever it is, goes to its queue with no effect prepared."""

    def __init__(
        self, runtime: Runtime, sender: Sender, recoverability: Recoverability, *, enabled: bool = True
    ) -> None:
        self._runtime = runtime
        self._sender = sender
        self._recoverability = recoverability
        self._enabled = enabled
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def begin(self, snapshot: Snapshot, route: Route, message: Message, entry: Entry) -> HandedCopy | None:
        """Adds the effects of the copy to the entry when it can be delivered at once. None: it goes to the queue, and
        nothing is added. Raises JournalUnavailable."""
        if not self._enabled or self._stopping or Header.CLAIM in message.headers or len(message.body) > LARGEST:
            return None
        copy = RouteCopy.of(message, route.id)
        limits = _limits(snapshot, copy)
        if limits is None:
            return None
        once = None
        if route.once:
            try:
                value = once_value(route, copy.facts())
            except MessageError:
                return None
            once = OnceRow(route.id, value, copy.document_id, OnceStatus.PENDING.value, self._runtime.clock())
        let_go = self._sender.exclusive_now(copy)
        if let_go is None:
            return None
        handed = HandedCopy(self, Attempt(copy, route, snapshot, only_new=True, once=once), let_go)
        try:
            if await self._prepare(handed, limits, entry):
                return handed
        except BaseException:
            handed.drop()
            raise
        handed.drop()
        return None

    async def _prepare(self, handed: HandedCopy, limits: list[Limit], entry: Entry) -> bool:
        for limit in limits:
            if not await limit.take_turn_now():
                return False
            handed.turns.append(limit)
        handed.deliveries = await self._sender.prepare(handed.attempt, entry)
        handed.turns.clear()
        for delivery in handed.deliveries:
            delivery.turn_taken = True
        return True

    async def deliver(self, handed: HandedCopy, committed: Committed) -> None:
        """In the caller's task, which ends by itself, or is canceled by `stop`. Raises JournalUnavailable and
        TransientError."""
        if self._stopping:
            handed.drop()
            await self._sender.give_back(handed.deliveries, committed)
            raise JournalUnavailable("the hub stops: its source offers this again")
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (this is a coroutine)
        self._tasks.add(task)
        try:
            await self._deliver(handed, committed)
        finally:
            self._tasks.discard(task)

    async def _deliver(self, handed: HandedCopy, committed: Committed) -> None:
        runtime, copy = self._runtime, handed.attempt.copy
        started = runtime.clock.monotonic()
        try:
            with Boundary() as boundary:
                await self._sender.deliver(handed.deliveries, committed)
            error = boundary.error
            if isinstance(error, EndpointError | JournalUnavailable):
                raise as_taken(error)  # the copy stays with its source, as one that a worker returns stays in the queue
            if error is not None:
                with Boundary() as boundary:
                    await self._recoverability.bury_unforeseen(copy.message, copy.route, error)
                if boundary.error is not None:
                    raise as_taken(boundary.error)
        finally:
            handed.drop()
        runtime.metrics.handed_over.labels(copy.route).inc()
        runtime.metrics.stage.labels("hand_over").observe(runtime.clock.monotonic() - started)

    @property
    def in_work(self) -> int:
        return len(self._tasks)

    async def stop(self, timeout: float) -> None:
        """Waits for what is being sent, at most `timeout` seconds; the rest gives its claim back, and its source offers
        it again."""
        self._stopping = True
        await end_within(self._runtime.clock, self._tasks, timeout)


def _limits(snapshot: Snapshot, copy: RouteCopy) -> list[Limit] | None:
    """The limits of its destinations, where each can make and take it at once."""
    limits: list[Limit] = []
    for name in copy.open:
        destination = snapshot.destinations.get(name)
        if destination is None or destination.limit is None or not _is_plain(destination):
            return None
        if snapshot.contained_writing(name, len(copy.message.body), False) is not None:
            return None
        limits.append(destination.limit)
    return limits


def _is_plain(destination: OpenDestination) -> bool:
    """No control number, no batch, no step that asks."""
    waits = destination.sequence is not None or destination.batch is not None or destination.gathers
    return not waits and not any(isinstance(step.step, AskingStep) for step in destination.steps)
