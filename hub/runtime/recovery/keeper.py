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
from hub.journal.batches.batch_members import TELL, BatchSays
from hub.journal.commit.bulk import DEAD
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.deliveries.effects import EffectState
from hub.journal.deliveries.once_keys import FREE, OnceHeld
from hub.runtime.boundary import Boundary
from hub.runtime.recovery.dead_letter import UNMATCHED, DeadLetter, Grave
from hub.runtime.runtime import Runtime
from hub.runtime.side_by_side import side_by_side, wait_within

RETURN_PAUSE = 5.0
"""Seconds before a dead letter that could not be recorded is looked at again."""


class Keeper:
    """Consumes the dead-letter queues of routes and sources, and `hub.unmatched`. A dead letter leaves the broker once
    its row, with body, headers and cause, is committed; taking one twice changes nothing."""

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
        for task in await wait_within(self._runtime.clock, self._tasks, timeout):
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
        await self._runtime.clock.sleep(RETURN_PAUSE)
        delivery.requeue()

    async def _take_in(self, message: Message, grave: Grave) -> None:
        entry = Entry()
        await self._record(message, grave, entry)
        await self._runtime.journal.commit(entry)

    async def _is_news(self, id: str, dead_at: float) -> bool:
        """False for a dead letter that the broker delivers again after somebody has decided about it: what has begun
        since then must not be undone."""
        wanted = DeadFilter(ids=(id,), status=tuple(DECIDED))
        decided = await self._decisions.dead_letters(wanted, dead_at)
        return not any(row.decided_at is None or row.decided_at >= dead_at for row in decided)

    async def _record(self, message: Message, grave: Grave, entry: Entry) -> None:
        """Its row, and what it means for the document's effects, its once-key, its story and its batch."""
        runtime = self._runtime
        body = await self._keep_body(message, entry)
        letter = DeadLetter.of(message, grave, body, runtime.snapshot, runtime.clock())
        entry.add(DEAD, letter.row())
        if not await self._is_news(letter.id, letter.at):
            return
        self._settle(letter, grave, entry)
        self._tell(letter, message, grave, entry)
        error, cause = letter.why
        runtime.metrics.dead.labels(grave.kind, error).inc()
        runtime.log.error(
            "dead_letter",
            message_id=letter.document_id,
            correlation_id=message.correlation_id,
            kind=grave.kind,
            name=grave.name,
            owner=letter.owner,
            document=message.headers.get(Header.DOCUMENT),
            error=error,
            cause=cause,
        )

    async def _keep_body(self, message: Message, entry: Entry) -> str:
        """The claim that holds its body."""
        named = message.headers.get(Header.RAW) or message.headers.get(Header.CLAIM)
        if isinstance(named, str):
            return named
        kept = await self._runtime.journal.keep(message.body)
        entry.claim(kept, self._runtime.clock())
        return kept.digest

    @staticmethod
    def _settle(letter: DeadLetter, grave: Grave, entry: Entry) -> None:
        """The effects of its document are dead, and its once-key is free."""
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
            entry.settle(state, EffectStatus.DEAD, letter.attempts, letter.at, text=letter.why[1][:2000])
        if letter.route is not None:
            entry.add(FREE, OnceHeld(route=letter.route, owner=letter.document_id))

    @staticmethod
    def _tell(letter: DeadLetter, message: Message, grave: Grave, entry: Entry) -> None:
        """The story of its document, and of each document of its batch."""
        (error, cause), parent = letter.why, message.headers.get(Header.PARENT)
        detail = {DEAD_LETTER: letter.id, "kind": grave.kind, "error": error}
        destinations = ",".join(letter.destinations)
        entry.event(
            letter.document_id,
            letter.at,
            Stage.DEAD,
            route=letter.route,
            destination=destinations or None,
            attempt=letter.attempts,
            text=cause,
            detail=detail | ({"parent": parent} if parent else {}),
        )
        if message.headers.get(Header.DOCUMENT) == BATCH:
            said = BatchSays(
                batch=letter.document_id,
                at=letter.at,
                stage=Stage.DEAD,
                route=grave.name,
                destination=destinations,
                attempt=letter.attempts,
                text=cause,
            )
            entry.add(TELL, said)
