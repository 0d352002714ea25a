"""The outcome of a delivery is committed before anybody acknowledges its copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.core.ack import Ack
from hub.core.effect import EffectStatus
from hub.core.errors import EndpointError, JournalUnavailable
from hub.core.stage import Stage
from hub.journal.batches.batch_members import DELIVER, BatchSent
from hub.journal.commit.bulk import BATCH_MEMBER
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import Reason
from hub.journal.deliveries.effects import GIVE_BACK, EffectAsked, EffectState
from hub.journal.deliveries.once_keys import FINISH, FINISH_ALL, OVERTAKE, SETTLE_DEAD, OnceOwner
from hub.journal.interchanges.control_numbers import RECORD_SENT, Sent
from hub.journal.rows import BatchMemberRow
from hub.runtime.boundary import Boundary
from hub.runtime.copy import facts_in, pack
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.kept_body import kept_body
from hub.runtime.delivery.outcome import Batched, Busy, Delivered, Failed, Filtered, Outcome, Skipped
from hub.runtime.delivery.putting_off import put_off
from hub.runtime.delivery.recorded_reply import reply_detail
from hub.runtime.delivery.replies import Replies
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.runtime import OpenDestination, Runtime
from hub.runtime.steps.recorded_notes import record_note

GIVE_BACK_SECONDS = 2.0


class Settling:
    """Turns outcomes into rows. What follows a failure, Recoverability adds."""

    def __init__(self, runtime: Runtime, replies: Replies, recoverability: Recoverability) -> None:
        self._runtime = runtime
        self._replies = replies
        self._recoverability = recoverability

    async def settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Commits the outcome. Raises EndpointError when the copy for a later attempt can't be placed, and
        JournalUnavailable."""
        with Boundary() as boundary:
            entry = Entry()
            await self._record(delivery, outcome, entry)
            await self._commit(delivery, entry)
        error = boundary.error
        if error is not None:
            if not isinstance(outcome, Delivered) or isinstance(error, EndpointError | JournalUnavailable):
                raise error
            await self._commit(delivery, self._bare_delivery(delivery, error))
        self._runtime.settled(delivery.copy.document_id)

    async def give_back(self, delivery: Delivery) -> None:
        """The attempt was canceled: whoever gets the copy next may send at once. Where the journal doesn't answer soon,
        the claim ends with this process."""
        entry = Entry()
        entry.add(GIVE_BACK, EffectAsked(delivery.copy.document_id, delivery.name, self._runtime.journal.process))
        with Boundary():
            async with self._runtime.clock.timeout(GIVE_BACK_SECONDS):
                await self._runtime.journal.commit(entry)

    async def _commit(self, delivery: Delivery, entry: Entry) -> None:
        copy = delivery.copy
        if copy.parent is not None:
            entry.add(FINISH_ALL, copy.document_id)
        if delivery.attempt.route.once:
            entry.add(FINISH, OnceOwner(route=copy.route, owner=copy.document_id, destinations=copy.send))
        await self._runtime.journal.commit(entry)

    async def _record(self, delivery: Delivery, outcome: Outcome, entry: Entry) -> None:
        now = self._runtime.clock()
        if isinstance(outcome, Delivered | Filtered | Failed):
            await self._note(delivery, entry, now)
        match outcome:
            case Delivered():
                await self._delivered(delivery, outcome, entry, now)
            case Failed(error):
                await self._recoverability.record(delivery, error, entry)
            case Skipped(why):
                self._skipped(delivery, why, entry, now)
            case Busy():
                await self._busy(delivery, outcome, entry, now)
            case Batched():
                await self._gather(delivery, entry, now)
            case Filtered(why):
                copy = delivery.copy
                entry.settle(delivery.state, EffectStatus.FILTERED, copy.attempt, now, text=why[:2000])
                delivery.tell(entry, now, Stage.FILTERED)

    async def _note(self, delivery: Delivery, entry: Entry, now: float) -> None:
        """What the steps and the writer report."""
        for note in map(record_note, delivery.notes):
            if note.body is not None:
                entry.claim(await self._runtime.journal.keep(note.body), now)
            delivery.tell(entry, now, Stage.STEP, text=note.text, detail=note.detail)

    def _skipped(self, delivery: Delivery, why: str, entry: Entry, now: float) -> None:
        copy = delivery.copy
        self._runtime.metrics.repeated.labels(copy.route).inc()
        if copy.attempt == 1:
            delivery.tell(entry, now, Stage.REPEATED, text=why)

    async def _busy(self, delivery: Delivery, outcome: Busy, entry: Entry, now: float) -> None:
        """The copy waits for the process that can go on with it."""
        copy, attempt = delivery.copy, delivery.attempt
        await put_off(
            self._runtime,
            copy,
            entry,
            destinations=(delivery.name,),
            reason=outcome.reason,
            waits_for=delivery.name,
            text=outcome.why,
            again=attempt.came_again,
        )
        if outcome.reason is Reason.TABLE:
            entry.settle(delivery.state, EffectStatus.RETRYING, copy.attempt - 1, now, text=outcome.why)

    async def _gather(self, delivery: Delivery, entry: Entry, now: float) -> None:
        """The document waits for a batch: its copy is kept as a hold would keep it."""
        state, copy, destination = delivery.state, delivery.copy, delivery.opened
        facts = copy.facts()
        partner, values = gathered(destination, facts)
        member = BatchMemberRow(
            document_id=copy.document_id,
            destination=delivery.name,
            generation=state.generation,
            route=copy.route,
            partner=partner,
            gathered=values,
            document=copy.document,
            test=facts.get("test") is True,
            headers=pack(copy.message),
            body=await kept_body(self._runtime.journal, copy, entry, now),
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
        delivery.tell(entry, now, Stage.BATCHED, text=text, detail={"due_at": now + terms.wait} if terms else None)

    async def _delivered(self, delivery: Delivery, outcome: Delivered, entry: Entry, now: float) -> None:
        copy = delivery.copy
        reply, receipt = await self._replies.keep(delivery, outcome.receipt, entry, now)
        await self._replies.read(delivery, receipt, reply, now, entry)
        entry.settle(
            delivery.state,
            EffectStatus.DELIVERED,
            copy.attempt,
            now,
            text=receipt.text,
            reply=reply,
            reply_type=receipt.content_type if reply else None,
        )
        entry.add(OVERTAKE, copy.document_id)
        if delivery.state.status is EffectStatus.DEAD:
            entry.add(SETTLE_DEAD, (copy.document_id, delivery.name))
        facts = self._has_left(delivery.state, entry, now)
        if copy.is_batch:
            sent = BatchSent(
                batch=copy.document_id,
                destination=delivery.name,
                attempt=copy.attempt,
                at=now,
                text=receipt.text,
                facts=facts,
            )
            entry.add(DELIVER, sent)
        detail = {**facts, **reply_detail(receipt.answer, reply)}
        delivery.tell(entry, now, Stage.SENT, attempt=copy.attempt, text=receipt.text, detail=detail)
        self._runtime.metrics.sent.labels(copy.route, delivery.name).inc()
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
        entry.add(RECORD_SENT, Sent.of(state, facts, now))
        return facts

    def _bare_delivery(self, delivery: Delivery, error: Exception) -> Entry:
        """The far end has taken the document. That the details of its answer can't be recorded never makes the document
        dead, which a replay would send again."""
        copy, entry, now = delivery.copy, Entry(), self._runtime.clock()
        self._runtime.log.error("answer_not_recorded", route=copy.route, message_id=copy.document_id, exc_info=error)
        text = "delivered; the details of the answer could not be recorded, the log says why"
        entry.settle(delivery.state, EffectStatus.DELIVERED, copy.attempt, now, text=text)
        delivery.tell(entry, now, Stage.SENT, text=text)
        return entry


def gathered(destination: OpenDestination, facts: Mapping[str, Any]) -> tuple[str, str]:
    """With which others a document goes: the partner's name, where all are one partner's, and the values that they have
    in common."""
    if destination.gather is None:
        return destination.sequence or "", ""
    values = [[name, facts.get(name)] for name in destination.gather]
    partner = str(facts.get("partner") or "") if "partner" in destination.gather else ""
    return partner, orjson.dumps(values).decode()
