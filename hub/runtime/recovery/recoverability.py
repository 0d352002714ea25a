"""Recoverability: what becomes of an attempt. Delivered, tried again later, held for its owner, or dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.core import topology
from hub.core.ack import Ack
from hub.core.effect import EffectStatus
from hub.core.errors import UNCONFIRMED, MessageError, Unroutable, Withheld
from hub.core.hold import HoldStatus
from hub.core.identity import message_id
from hub.core.message import Message, storable
from hub.core.retry import QUICK, Dead, HoldIt, LetWait, Retry, decide
from hub.core.stage import Stage
from hub.journal.batch_members import DELIVER, TELL, BatchSays, BatchSent
from hub.journal.bulk import BATCH_MEMBER, HOLD, QUEUE
from hub.journal.control_numbers import RECORD_SENT, Sent
from hub.journal.effects import EffectState
from hub.journal.entry import Entry
from hub.journal.once_keys import OVERTAKE, SETTLE_DEAD
from hub.journal.rows import BatchMemberRow, HoldRow, QueueRow
from hub.journal.wait import WAIT, Reason
from hub.runtime.copy import Cause, RouteCopy, facts_in, pack
from hub.runtime.delivery.attempt import Outcome
from hub.runtime.delivery.replies import Replies
from hub.runtime.delivery.sending import kept_body
from hub.runtime.recovery.waits import wait_of
from hub.runtime.runtime import OpenDestination, Runtime


class Recoverability:
    """Turns an outcome into rows of an entry, and into the copies that must be at the broker before the entry commits."""

    def __init__(self, runtime: Runtime, replies: Replies) -> None:
        self._runtime = runtime
        self._replies = replies

    async def record(self, copy: RouteCopy, outcome: Outcome, entry: Entry) -> None:
        """Adds the outcome to `entry`; the caller commits it, and acknowledges after that."""
        runtime, now = self._runtime, self._runtime.clock()
        if outcome.skipped:
            runtime.metrics.repeated.labels(copy.route).inc()
            if copy.attempt == 1:
                entry.event(
                    copy.document_id,
                    now,
                    Stage.REPEATED,
                    route=copy.route,
                    destination=outcome.destination,
                    text=outcome.skipped,
                )
            return
        for step, text in outcome.said:
            entry.event(
                copy.document_id,
                now,
                Stage.STEP,
                route=copy.route,
                destination=outcome.destination,
                text=f"{step}: {text}",
                detail={"step": step},
            )
        if outcome.filtered:
            entry.settle(outcome.state, EffectStatus.FILTERED, copy.attempt, now, text=outcome.filtered[:2000])
            entry.event(copy.document_id, now, Stage.FILTERED, route=copy.route, destination=outcome.destination)
            return
        if outcome.waits:
            await self._gather(copy, outcome, entry, now)
            return
        if outcome.error is None:
            await self._delivered(copy, outcome, entry, now)
            return
        destination = runtime.snapshot.destinations.get(outcome.destination)
        waited = now - copy.first_failure if copy.first_failure is not None else 0.0
        decision = decide(outcome.error, copy.attempt, destination.retry if destination else QUICK, waited)
        cause = Cause(code_of(outcome.error), str(outcome.error))
        if not isinstance(outcome.error, Withheld):
            runtime.metrics.failed.labels(copy.route, outcome.destination, cause.error).inc()
        match decision:
            case LetWait():
                await self._wait(copy, outcome, entry, cause, decision, now)
            case Retry(delay=delay):
                await self._later(copy, outcome, entry, cause, delay, now)
            case HoldIt(name=name):
                await self._hold(copy, outcome, entry, name, now)
            case Dead(cause=text):
                said = text.removeprefix(f"{cause.error}: ")  # the class stands beside it
                await self._dead(copy, outcome, entry, Cause(cause.error, said), now)

    async def _gather(self, copy: RouteCopy, outcome: Outcome, entry: Entry, now: float) -> None:
        """The document waits for a batch: its copy is kept as a hold would keep it."""
        state, facts = outcome.state, copy.facts()
        destination = self._runtime.snapshot.destinations[outcome.destination]
        partner, values = gathered(destination, facts)
        member = BatchMemberRow(
            document_id=copy.document_id,
            destination=outcome.destination,
            generation=state.generation,
            route=copy.route,
            partner=partner,
            gathered=values,
            document=copy.document,
            test=facts.get("test") is True,
            headers=pack(copy.message),
            body=await kept_body(self._runtime, copy, entry, now),
            added_at=now,
            batch=None,
            position=None,
            ack=Ack.NONE,
            ack_message=None,
        )
        entry.add(BATCH_MEMBER, member)
        entry.settle(state, EffectStatus.BATCHED, copy.attempt, now, text="waits for a batch")
        terms = destination.batch
        text = f"waits for a batch: at most {terms.max} documents, {terms.wait:g}s" if terms else "waits for a batch"
        entry.event(
            copy.document_id,
            now,
            Stage.BATCHED,
            route=copy.route,
            destination=outcome.destination,
            text=text,
            detail={"due_at": now + terms.wait} if terms else None,
        )

    async def _delivered(self, copy: RouteCopy, outcome: Outcome, entry: Entry, now: float) -> None:
        reply, receipt = await self._replies.keep(copy, outcome, entry, now)
        await self._replies.read(copy, outcome, receipt, reply, now, entry)
        entry.settle(
            outcome.state,
            EffectStatus.DELIVERED,
            copy.attempt,
            now,
            text=receipt.text,
            reply=reply,
            reply_type=receipt.content_type if reply else None,
        )
        entry.add(OVERTAKE, copy.document_id)
        if outcome.state.status is EffectStatus.DEAD:
            entry.add(SETTLE_DEAD, (copy.document_id, outcome.destination))
        facts = self._has_left(outcome.state, entry, now)
        if copy.is_batch:
            sent = BatchSent(
                batch=copy.document_id,
                destination=outcome.destination,
                attempt=copy.attempt,
                at=now,
                text=receipt.text,
                facts=facts,
            )
            entry.add(DELIVER, sent)
        entry.event(
            copy.document_id,
            now,
            Stage.SENT,
            route=copy.route,
            destination=outcome.destination,
            attempt=copy.attempt,
            text=receipt.text,
            detail=facts,
        )
        self._runtime.metrics.sent.labels(copy.route, outcome.destination).inc()
        self._runtime.metrics.stage.labels("send").observe(outcome.took)

    @staticmethod
    def _has_left(state: EffectState, entry: Entry, now: float) -> dict[str, Any]:
        """Notes the sending of bytes that have facts of their own; gives those facts."""
        if state.facts is None:
            return {}
        facts = facts_in(state.facts)
        number = facts.get("control_number")
        if number:
            entry.key(str(number), "control_number", state.document_id)
        set_ = str(facts["set"]) if facts.get("set") else None
        sent = Sent(
            document_id=state.document_id,
            destination=state.destination,
            generation=state.generation,
            at=now,
            within=state.expect_ack,
            transaction_set=set_,
        )
        entry.add(RECORD_SENT, sent)
        return facts

    async def _later(
        self, copy: RouteCopy, outcome: Outcome, entry: Entry, cause: Cause, delay: float, now: float
    ) -> None:
        runtime = self._runtime
        message = copy.still_open(outcome.destination, copy.attempt + 1, cause, now)
        await self.publish_later(copy.route, message, delay)
        entry.settle(outcome.state, EffectStatus.RETRYING, copy.attempt, now, text=cause.text[:2000])
        entry.event(
            copy.document_id,
            now,
            Stage.RETRY,
            route=copy.route,
            destination=outcome.destination,
            attempt=copy.attempt,
            text=f"{cause.text[:2000]}; again in {topology.delay_name(delay)}",
        )
        self._say(copy, outcome, entry, Stage.RETRY, cause.text[:2000], now)
        runtime.metrics.retried.labels(copy.route, outcome.destination).inc()
        runtime.log.warning("retry", **self._names(copy, outcome), attempt=copy.attempt, delay=delay, error=cause.text)

    async def _wait(
        self, copy: RouteCopy, outcome: Outcome, entry: Entry, cause: Cause, wait: LetWait, now: float
    ) -> None:
        """Keeps the copy as a row. What was withheld from the far end is no attempt."""
        runtime, text, counted = self._runtime, cause.text[:2000], not wait.endpoint
        attempt = copy.attempt + counted
        message = copy.still_open(outcome.destination, attempt, cause, now, 0 if counted else copy.waits + 1)
        row = wait_of(
            copy=copy,
            body=await kept_body(runtime, copy, entry, now),
            destinations=(outcome.destination,),
            reason=Reason.RETRY_AFTER if counted else Reason.ENDPOINT,
            waits_for=wait.endpoint or outcome.destination,
            text=text,
            now=now,
            seconds=wait.seconds,
            process=runtime.journal.process,
            message=message,
        )
        entry.add(WAIT, row)
        entry.settle(outcome.state, EffectStatus.RETRYING, attempt - 1, now, text=text)
        until = (
            f"; again in {topology.delay_name(round(wait.seconds) or 1)}"
            if counted
            else "; waits until it is let through"
        )
        if counted or copy.waits == 0:
            stage = Stage.RETRY if counted else Stage.WAITS
            entry.event(
                copy.document_id,
                now,
                stage,
                route=copy.route,
                destination=outcome.destination,
                attempt=copy.attempt if counted else None,
                text=f"{text}{until}",
            )
            self._say(copy, outcome, entry, stage, f"{text}{until}", now)
        runtime.metrics.waiting.labels(copy.route).inc()
        runtime.log.info("waits", **self._names(copy, outcome), attempt=copy.attempt, error=text)

    async def _hold(self, copy: RouteCopy, outcome: Outcome, entry: Entry, name: str, now: float) -> None:
        runtime = self._runtime
        facts = copy.facts()
        policy = runtime.snapshot.hold_policy(name, facts.get("partner"))
        body = await kept_body(runtime, copy, entry, now)
        generation = str(outcome.state.generation)
        if name == UNCONFIRMED:  # a release keeps the generation: what is unconfirmed again is another hold
            generation += f" {now!r}"
        id = message_id("hold", (copy.document_id, outcome.destination, generation))
        due = now + policy.sla if policy.sla else None
        cause = storable(str(outcome.error))[:4000]
        hold = HoldRow(
            id=id,
            document_id=copy.document_id,
            route=copy.route,
            destination=outcome.destination,
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
        entry.settle(outcome.state, EffectStatus.HELD, copy.attempt, now, text=cause)
        entry.event(
            copy.document_id,
            now,
            Stage.HELD,
            route=copy.route,
            destination=outcome.destination,
            attempt=copy.attempt,
            text=f"{name}, for {policy.owner}: {cause}",
            detail={"hold": id},
        )
        self._say(copy, outcome, entry, Stage.HELD, f"{name}, for {policy.owner}: {cause}", now)
        runtime.metrics.held.labels(copy.route, name).inc()
        runtime.log.warning(Stage.HELD, **self._names(copy, outcome), hold=name, owner=policy.owner)

    async def _dead(self, copy: RouteCopy, outcome: Outcome, entry: Entry, cause: Cause, now: float) -> None:
        message = copy.still_open(outcome.destination, copy.attempt, cause, now)
        await self.bury(message, copy.route, cause)
        entry.settle(outcome.state, EffectStatus.DEAD, copy.attempt, now, text=cause.text[:2000])
        self._runtime.log.error(Stage.DEAD, **self._names(copy, outcome), attempt=copy.attempt, error=cause.text)

    async def bury(self, message: Message, route: str, cause: Cause) -> None:
        """Confirmed in the route's dead letters when this returns; the keeper records it from there."""
        dead = message.without_broker_headers().with_headers(
            hub_route=route, hub_error=cause.error, hub_error_text=cause.text[:4000], hub_dead_at=self._runtime.clock()
        )
        await self._runtime.broker.publish("", topology.dead_queue(route), dead)

    async def publish_later(self, route: str, message: Message, delay: float) -> None:
        """Confirmed in the retry queue of that delay, which is declared, and recorded, when it is first needed, and again
        when somebody has deleted it."""
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
    def _say(copy: RouteCopy, outcome: Outcome, entry: Entry, stage: Stage, text: str, now: float) -> None:
        """What happens to a batch, its members tell as well."""
        if copy.is_batch:
            said = BatchSays(
                batch=copy.document_id,
                at=now,
                stage=stage,
                route=copy.route,
                destination=outcome.destination,
                attempt=copy.attempt,
                text=text,
            )
            entry.add(TELL, said)

    @staticmethod
    def _names(copy: RouteCopy, outcome: Outcome) -> dict[str, Any]:
        return {
            "message_id": copy.document_id,
            "correlation_id": copy.message.correlation_id,
            "route": copy.route,
            "destination": outcome.destination,
        }


def gathered(destination: OpenDestination, facts: Mapping[str, Any]) -> tuple[str, str]:
    """With which others a document goes: the partner's name, where all are one partner's, and the values that they have in common."""
    if destination.gather is None:
        return destination.sequence or "", ""
    values = [[name, facts.get(name)] for name in destination.gather]
    partner = str(facts.get("partner") or "") if "partner" in destination.gather else ""
    return partner, orjson.dumps(values).decode()


def code_of(error: BaseException) -> str:
    """The short name of an error, for filters and metrics."""
    return error.code if isinstance(error, MessageError) else type(error).__name__
