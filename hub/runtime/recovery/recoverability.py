"""Recoverability: what follows a failed attempt. It is tried again later, held for its owner, or dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core import topology
from hub.core.effect import EffectStatus
from hub.core.errors import UNCONFIRMED, EndpointError, MessageError, Unroutable, Withheld
from hub.core.hold import HoldStatus
from hub.core.identity import message_id
from hub.core.message import Message, storable
from hub.core.retry import QUICK, Dead, HoldIt, LetWait, Retry, decide
from hub.core.stage import Stage
from hub.journal.batches.batch_members import TELL, BatchSays
from hub.journal.commit.bulk import HOLD, QUEUE
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import Reason
from hub.journal.rows import HoldRow, QueueRow
from hub.runtime.copy import Cause, pack
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.kept_body import kept_body
from hub.runtime.delivery.putting_off import keep_waiting
from hub.runtime.delivery.recorded_reply import keep_failure
from hub.runtime.runtime import Runtime

Detail = Mapping[str, Any]
"""Of the event that tells of a failure: what the far end replied."""


class Recoverability:
    """Turns a failure into rows of an entry, and into the copies that must be at the broker before the entry
    commits."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def record(self, delivery: Delivery, error: Exception, entry: Entry) -> None:
        """Adds what follows to `entry`; the caller commits it, and acknowledges after that."""
        runtime, now, copy = self._runtime, self._runtime.clock(), delivery.copy
        retry = delivery.destination.retry if delivery.destination is not None else QUICK
        waited = now - copy.first_failure if copy.first_failure is not None else 0.0
        decision = decide(error, copy.attempt, retry, waited)
        cause = Cause(code_of(error), str(error))
        reply = error.reply if isinstance(error, EndpointError) else None
        detail = await keep_failure(runtime.journal, reply, entry, now)
        if not isinstance(error, Withheld):
            runtime.metrics.failed.labels(copy.route, delivery.name, cause.error).inc()
        match decision:
            case LetWait():
                await self._wait(delivery, entry, cause, decision, now, detail)
            case Retry(delay=delay):
                await self._later(delivery, entry, cause, delay, now, detail)
            case HoldIt(name=name):
                await self._hold(delivery, entry, name, error, now, detail)
            case Dead(cause=text):
                said = text.removeprefix(f"{cause.error}: ")  # the class stands beside it
                await self._dead(delivery, entry, Cause(cause.error, said), now, detail)

    async def _later(
        self, delivery: Delivery, entry: Entry, cause: Cause, delay: float, now: float, detail: Detail
    ) -> None:
        runtime, copy = self._runtime, delivery.copy
        message = copy.still_open(delivery.name, copy.attempt + 1, cause, now)
        await self.publish_later(copy.route, message, delay)
        entry.settle(delivery.state, EffectStatus.RETRYING, copy.attempt, now, text=cause.text[:2000])
        delivery.tell(
            entry,
            now,
            Stage.RETRY,
            attempt=copy.attempt,
            text=f"{cause.text[:2000]}; again in {topology.delay_name(delay)}",
            detail=detail,
        )
        self._say(delivery, entry, Stage.RETRY, cause.text[:2000], now)
        runtime.metrics.retried.labels(copy.route, delivery.name).inc()
        runtime.log.warning("retry", **names_of(delivery), attempt=copy.attempt, delay=delay, error=cause.text)

    async def _wait(
        self, delivery: Delivery, entry: Entry, cause: Cause, wait: LetWait, now: float, detail: Detail
    ) -> None:
        """Keeps the copy as a row. What was withheld from the far end is no attempt."""
        runtime, copy, text, counted = self._runtime, delivery.copy, cause.text[:2000], not wait.endpoint
        attempt = copy.attempt + counted
        message = copy.still_open(delivery.name, attempt, cause, now, 0 if counted else copy.waits + 1)
        await keep_waiting(
            runtime,
            copy,
            entry,
            now,
            destinations=(delivery.name,),
            reason=Reason.RETRY_AFTER if counted else Reason.ENDPOINT,
            waits_for=wait.endpoint or delivery.name,
            text=text,
            seconds=wait.seconds,
            message=message,
        )
        entry.settle(delivery.state, EffectStatus.RETRYING, attempt - 1, now, text=text)
        until = (
            f"; again in {topology.delay_name(round(wait.seconds) or 1)}"
            if counted
            else "; waits until it is let through"
        )
        if counted or copy.waits == 0:
            stage = Stage.RETRY if counted else Stage.WAITS
            number = copy.attempt if counted else None
            delivery.tell(entry, now, stage, attempt=number, text=f"{text}{until}", detail=detail)
            self._say(delivery, entry, stage, f"{text}{until}", now)
        runtime.log.info("waits", **names_of(delivery), attempt=copy.attempt, error=text)

    async def _hold(
        self, delivery: Delivery, entry: Entry, name: str, error: Exception, now: float, detail: Detail
    ) -> None:
        runtime, copy = self._runtime, delivery.copy
        facts = copy.facts()
        policy = runtime.snapshot.hold_policy(name, facts.get("partner"))
        body = await kept_body(runtime.journal, copy, entry, now)
        generation = str(delivery.state.generation)
        if name == UNCONFIRMED:  # a release keeps the generation: what is unconfirmed again is another hold
            generation += f" {now!r}"
        id = message_id("hold", (copy.document_id, delivery.name, generation))
        due = now + policy.sla if policy.sla else None
        cause = storable(str(error))[:4000]
        hold = HoldRow(
            id=id,
            document_id=copy.document_id,
            route=copy.route,
            destination=delivery.name,
            name=name,
            owner=policy.owner,
            due_at=due,
            status=HoldStatus.OPEN,
            cause=cause,
            partner=facts.get("partner"),
            number=facts.get("number"),
            headers=pack(copy.message),
            body=body,
            held_at=now,
        )
        entry.add(HOLD, hold)
        entry.settle(delivery.state, EffectStatus.HELD, copy.attempt, now, text=cause)
        delivery.tell(
            entry,
            now,
            Stage.HELD,
            attempt=copy.attempt,
            text=f"{name}, for {policy.owner}: {cause}",
            detail={"hold": id, **detail},
        )
        self._say(delivery, entry, Stage.HELD, f"{name}, for {policy.owner}: {cause}", now)
        runtime.metrics.held.labels(copy.route, name).inc()
        runtime.log.warning(Stage.HELD, **names_of(delivery), hold=name, owner=policy.owner)

    async def _dead(self, delivery: Delivery, entry: Entry, cause: Cause, now: float, detail: Detail) -> None:
        copy = delivery.copy
        if detail:
            delivery.tell(entry, now, Stage.REPLIED, attempt=copy.attempt, detail=detail)
        message = copy.still_open(delivery.name, copy.attempt, cause, now)
        await self.bury(message, copy.route, cause)
        entry.settle(delivery.state, EffectStatus.DEAD, copy.attempt, now, text=cause.text[:2000])
        self._runtime.log.error(Stage.DEAD, **names_of(delivery), attempt=copy.attempt, error=cause.text)

    async def bury_unforeseen(self, message: Message, route: str, error: BaseException) -> None:
        """A copy on which the hub itself failed. The log has the whole error, the dead letter its cause. Raises as `bury`
        does."""  # noqa: E501
        self._runtime.log.error("unforeseen", route=route, message_id=message.id, exc_info=error)
        await self.bury(message, route, Cause.of(error))

    async def bury(self, message: Message, route: str, cause: Cause) -> None:
        """Confirmed in the route's dead letters when this returns; the keeper records it from there."""
        dead = message.without_broker_headers().with_headers(
            hub_route=route, hub_error=cause.error, hub_error_text=cause.text[:4000], hub_dead_at=self._runtime.clock()
        )
        await self._runtime.broker.publish("", topology.dead_queue(route), dead)

    async def publish_later(self, route: str, message: Message, delay: float) -> None:
        """Confirmed in the retry queue of that delay, which is declared, and recorded, when it is first needed, and
        again when somebody has deleted it."""
        runtime, queue = self._runtime, topology.retry_queue(route, delay)
        if queue not in runtime.declared:
            await self._declare_later(route, queue, delay)
        try:
            await runtime.broker.publish("", queue, message)
        except Unroutable:
            await self._declare_later(route, queue, delay)
            await runtime.broker.publish("", queue, message)

    async def _declare_later(self, route: str, queue: str, delay: float) -> None:
        runtime = self._runtime
        await runtime.broker.declare(topology.retry_topology(route, delay))
        entry = Entry()
        entry.add(QUEUE, QueueRow(name=queue, route=route, declared_at=runtime.clock()))
        await runtime.journal.commit(entry)
        runtime.declared.add(queue)

    @staticmethod
    def _say(delivery: Delivery, entry: Entry, stage: Stage, text: str, now: float) -> None:
        """What happens to a batch, its members tell as well."""
        copy = delivery.copy
        if copy.is_batch:
            said = BatchSays(
                batch=copy.document_id,
                at=now,
                stage=stage,
                route=copy.route,
                destination=delivery.name,
                attempt=copy.attempt,
                text=text,
            )
            entry.add(TELL, said)


def names_of(delivery: Delivery) -> dict[str, Any]:
    """What the log calls a delivery by."""
    copy = delivery.copy
    return {
        "message_id": copy.document_id,
        "correlation_id": copy.message.correlation_id,
        "route": copy.route,
        "destination": delivery.name,
    }


def code_of(error: BaseException) -> str:
    """The short name of an error, for filters and metrics."""
    return error.code if isinstance(error, MessageError) else type(error).__name__
