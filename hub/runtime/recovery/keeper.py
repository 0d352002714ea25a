"""The keeper: takes dead letters from the broker into the journal, where they can be found, understood and replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from hub.core.broker import BrokerDelivery, Subscription
from hub.core.dead_letter import DECIDED
from hub.core.effect import EffectStatus
from hub.core.identity import idempotency_key
from hub.core.message import Header, Message
from hub.core.stage import DEAD_LETTER, Stage
from hub.documents import BATCH
from hub.journal.batch_members import TELL, BatchSays
from hub.journal.bulk import DEAD
from hub.journal.decisions import DeadFilter, Decisions
from hub.journal.effects import EffectState
from hub.journal.entry import Entry
from hub.journal.once_keys import FREE, OnceHeld
from hub.runtime.boundary import Boundary
from hub.runtime.recovery.dead_letter import UNMATCHED, DeadLetter, Grave
from hub.runtime.runtime import Runtime
from hub.runtime.side_by_side import side_by_side

RETURN_PAUSE = 5.0
"""Seconds before a dead letter that could not be recorded is looked at again."""


class Keeper:
    """Consumes the dead-letter queues of routes and sources, and `hub.unmatched`. A dead letter leaves the broker once its
    row, with body, headers and cause, is committed; taking one twice changes nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._decisions = Decisions(runtime.journal)
        self._subscriptions: dict[str, Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def watch(self, routes: Iterable[str], sources: Iterable[str]) -> None:
        """Begins to consume the queues of these, beside those it has."""
        graves = (UNMATCHED, *map(Grave.of_route, routes), *map(Grave.of_source, sources))
        await side_by_side(self._begin(grave) for grave in graves if grave.queue not in self._subscriptions)

    async def _begin(self, grave: Grave) -> None:
        queue, mender = grave.queue, self._runtime.own_queues.mender(grave.queue)
        handler = self._handler(grave)
        self._subscriptions[queue] = await self._runtime.broker.consume(queue, handler, prefetch=50, on_missing=mender)

    async def stop(self, timeout: float) -> None:
        await side_by_side(subscription.cancel() for subscription in self._subscriptions.values())
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout)
            for task in late:
                task.cancel()

    def _handler(self, grave: Grave) -> Any:
        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._keep(delivery, grave))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return on_delivery

    async def _keep(self, delivery: BrokerDelivery, grave: Grave) -> None:
        try:
            with Boundary() as boundary:
                await self._take_in(delivery.message, grave)
        except asyncio.CancelledError:
            delivery.requeue()
            raise
        if (error := boundary.error) is None:
            delivery.ack()
            return
        self._runtime.log.error("dead_letter_returned", queue=grave.queue, error=str(error), exc_info=error)
        await asyncio.sleep(RETURN_PAUSE)
        delivery.requeue()

    async def _take_in(self, message: Message, grave: Grave) -> None:
        entry = Entry()
        await self._record(message, grave, entry)
        await self._runtime.journal.commit(entry)

    async def _is_news(self, id: str, dead_at: float) -> bool:
        """False for a dead letter that the broker delivers again after somebody has decided about it: what has begun since
        then must not be undone."""
        wanted = DeadFilter(ids=(id,), status=tuple(DECIDED))
        decided = await self._decisions.dead_letters(wanted, dead_at)
        return not any(row.decided_at is None or row.decided_at >= dead_at for row in decided)

    async def _record(self, message: Message, grave: Grave, entry: Entry) -> None:
        runtime, headers = self._runtime, message.headers
        now = runtime.clock()
        body = headers.get(Header.RAW) or headers.get(Header.CLAIM)
        if not isinstance(body, str):
            kept = await runtime.journal.keep(message.body)
            entry.claim(kept, now)
            body = kept.digest
        letter = DeadLetter.of(message, grave, body, runtime.snapshot, now)
        entry.add(DEAD, letter.row())
        if not await self._is_news(letter.id, letter.at):
            return
        (error, cause), route = letter.why, letter.route
        for destination in letter.destinations:
            state = EffectState(
                document_id=letter.document_id,
                destination=destination,
                route=grave.name,
                status=EffectStatus.DEAD,
                generation=1,
                key=idempotency_key(letter.document_id, destination),
                claim=None,
                content_type=None,
                attempts=letter.attempts,
                mine=True,
            )
            entry.settle(state, EffectStatus.DEAD, letter.attempts, letter.at, text=cause[:2000])
        if route is not None:
            entry.add(FREE, OnceHeld(route=route, owner=letter.document_id))
        parent = headers.get(Header.PARENT)
        entry.event(
            letter.document_id,
            letter.at,
            Stage.DEAD,
            route=route,
            destination=",".join(letter.destinations) or None,
            attempt=letter.attempts,
            text=cause,
            detail={DEAD_LETTER: letter.id, "kind": grave.kind, "error": error}
            | ({"parent": parent} if parent else {}),
        )
        if headers.get(Header.DOCUMENT) == BATCH:
            said = BatchSays(
                batch=letter.document_id,
                at=letter.at,
                stage=Stage.DEAD,
                route=grave.name,
                destination=",".join(letter.destinations),
                attempt=letter.attempts,
                text=cause,
            )
            entry.add(TELL, said)
        runtime.metrics.dead.labels(grave.kind, error).inc()
        runtime.log.error(
            "dead_letter",
            message_id=letter.document_id,
            correlation_id=message.correlation_id,
            kind=grave.kind,
            name=grave.name,
            owner=letter.owner,
            document=headers.get(Header.DOCUMENT),
            error=error,
            cause=cause,
        )
