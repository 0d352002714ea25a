"""The keeper: takes dead letters from the broker into the journal, where they can be found, understood and replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from hub.core import topology
from hub.core.broker import Delivery, Subscription
from hub.core.identity import idempotency_key, message_id
from hub.core.message import Header, Message
from hub.documents import BATCH
from hub.journal.batch_members import BatchSays
from hub.journal.decisions import DeadFilter, Decisions
from hub.journal.entry import EffectState, Entry
from hub.journal.once_keys import OVERTAKEN
from hub.runtime.copy import DOCUMENT, number, pack, split, unpack_facts
from hub.runtime.guard import outcome_of
from hub.runtime.live import Live

RETURN_PAUSE = 5.0
"""Seconds before a dead letter that could not be recorded is looked at again."""


class Keeper:
    """Consumes the dead-letter queues of routes and sources, and `hub.unmatched`. A dead letter leaves the broker once its
    row, with body, headers and cause, is committed; taking one twice changes nothing."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._decisions = Decisions(live.journal)
        self._subscriptions: dict[str, Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def watch(self, routes: Iterable[str], sources: Iterable[str]) -> None:
        """Begins to consume the queues of these, beside those it has."""
        wanted = [(topology.UNMATCHED, "unmatched", "")]
        wanted += [(topology.dead_queue(route), "route", route) for route in routes]
        wanted += [(topology.source_dead_queue(source), "source", source) for source in sources]
        for queue, kind, name in wanted:
            if queue not in self._subscriptions:
                handler = self._handler(queue, kind, name)
                self._subscriptions[queue] = await self._live.broker.consume(
                    queue, handler, prefetch=50, on_missing=self._live.own_queues.mender(queue)
                )

    async def stop(self, timeout: float) -> None:
        for subscription in self._subscriptions.values():
            await subscription.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout)
            for task in late:
                task.cancel()

    def _handler(self, queue: str, kind: str, name: str) -> Any:
        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._keep(delivery, queue, kind, name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return on_delivery

    async def _keep(self, delivery: Delivery, queue: str, kind: str, name: str) -> None:
        try:
            error = await outcome_of(lambda: self._take_in(delivery.message, queue, kind, name))
        except asyncio.CancelledError:
            delivery.requeue()
            raise
        if error is None:
            delivery.ack()
            return
        self._live.log.error("dead_letter_returned", queue=queue, error=str(error), exc_info=error)
        await asyncio.sleep(RETURN_PAUSE)
        delivery.requeue()

    async def _take_in(self, message: Message, queue: str, kind: str, name: str) -> None:
        entry = Entry()
        await self._record(message, queue, kind, name, entry)
        await self._live.journal.commit(entry)

    async def _is_news(self, id: str, dead_at: float) -> bool:
        """False for a dead letter that the broker delivers again after somebody has decided about it: what has begun since
        then must not be undone."""
        wanted = DeadFilter(ids=(id,), status=("replaying", "replayed", "discarded", OVERTAKEN))
        decided = await self._decisions.dead_letters(wanted, dead_at)
        return not any(row.decided_at is None or row.decided_at >= dead_at for row in decided)

    async def _record(self, message: Message, queue: str, kind: str, name: str, entry: Entry) -> None:
        live, headers = self._live, message.headers
        stamp = headers.get(Header.DEAD_AT)
        now = float(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else live.clock()
        error, cause = why(headers)
        document_id = message.id or message_id(queue, (pack(message),))
        destinations = split(headers.get(Header.OPEN)) or split(headers.get(Header.SEND))
        parent = headers.get(Header.PARENT)
        body = headers.get(Header.RAW) or headers.get(Header.CLAIM)
        if not isinstance(body, str):
            kept = await live.journal.keep(message.body)
            entry.claim(kept.digest, kept.size, kept.row, now)
            body = kept.digest
        facts = unpack_facts(headers)
        id = message_id("dead", (kind, name, document_id, ",".join(destinations), str(parent or "")))
        attempts = number(headers.get(Header.ATTEMPT), 1) if kind == "route" else 1
        source = str(headers.get(Header.SOURCE) or (name if kind == "source" else ""))
        owner = live.snapshot.owner_of(name if kind == "route" else None, source)
        entry.dead(
            (
                *(id, document_id, kind, queue, name if kind == "route" else None, source, ",".join(destinations)),
                *(text(facts.get("partner")), text(facts.get("number")), error, cause, attempts, pack(message), body),
                *(message.content_type, "dead", text(parent), now, owner),
            )
        )
        if not await self._is_news(id, now):
            return
        for destination in destinations:
            key = idempotency_key(document_id, destination)
            state = EffectState(document_id, destination, name, "dead", 1, key, None, None, attempts, True)
            entry.settle(state, "dead", attempts, now, text=cause[:2000])
        if kind == "route":
            entry.once_freed.append((name, document_id))
        entry.event(
            *(document_id, now, "dead"),
            route=name if kind == "route" else None,
            destination=",".join(destinations) or None,
            attempt=attempts,
            text=cause,
            detail={"dead": id, "kind": kind, "error": error, **({"parent": parent} if parent else {})},
        )
        if headers.get(DOCUMENT) == BATCH:
            said = BatchSays(document_id, now, "dead", name, ",".join(destinations), attempts, cause)
            entry.batches_said.append(said)
        live.metrics.dead.labels(kind, error).inc()
        live.log.error(
            "dead_letter",
            message_id=document_id,
            correlation_id=message.correlation_id,
            kind=kind,
            name=name,
            owner=owner,
            document=headers.get(DOCUMENT),
            error=error,
            cause=cause,
        )


def why(headers: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text of the cause. A message that the broker itself dead-lettered says so in `x-death`."""
    error, cause = headers.get(Header.ERROR), headers.get(Header.ERROR_TEXT)
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else None
    if first is not None and first.get("reason") == "delivery_limit":
        return (
            "DeliveryLimit",
            f"delivered {topology.ROUTE_DELIVERY_LIMIT} times without an outcome (the hub ended each time)",
        )
    if error is None:
        return "Unknown", "the message says no cause"
    return str(error), str(cause or error)


def text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
