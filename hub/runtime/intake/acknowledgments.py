"""Acknowledgments that come in are matched to what we sent; those that don't come become holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.ack import Ack, AckCodeNames
from hub.core.errors import TransientError
from hub.core.hold import HoldStatus
from hub.core.routing.facts import OUTBOUND
from hub.core.stage import Stage
from hub.documents import ACKNOWLEDGMENTS
from hub.journal.batches.batch_acknowledgments import ACKNOWLEDGE
from hub.journal.commit.entry import Committed, Entry
from hub.journal.deliveries.decisions import Decisions
from hub.journal.interchanges.acknowledgments import OVERDUE, REJECTED, Acknowledgment, HoldTerms
from hub.journal.interchanges.interchanges_sent import InterchangesSent
from hub.journal.interchanges.number_use import NumberUse
from hub.runtime.boundary import Logged
from hub.runtime.intake.judgement import judgement_of
from hub.runtime.runtime import DESK, Runtime, Snapshot

CHECK_SECONDS = 30.0

PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between looks at a number whose sending is not recorded yet; after them the arrival is offered again by its
source."""


@dataclass(frozen=True, slots=True)
class AcknowledgedNumber:
    """What an acknowledgment that came in answers: `number` is None, with `cause` why, when it is nothing that we
    sent."""

    partner: str
    number: int | None
    cause: str = ""


class Acknowledgments:
    """Matches and watches. A match is settled in the commit that records the acknowledgment's message."""

    def __init__(self, runtime: Runtime, code_names: AckCodeNames) -> None:
        self._runtime = runtime
        self._code_names = code_names
        self._sent = InterchangesSent(runtime.journal)

    async def find(self, document: Any, facts: Mapping[str, Any]) -> AcknowledgedNumber | None:
        """What the document answers; None when it is no acknowledgment of a partner's, or nobody knows whose it is.
        Waits for what is being sent right now. Raises TransientError when that takes long: an answer is neither lost
        nor believed too early.
        """
        partner = facts.get("partner")
        if document.kind not in ACKNOWLEDGMENTS or facts.get("direction") == OUTBOUND or not partner:
            return None
        text = document.number.strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            return AcknowledgedNumber(
                partner, None, f"{partner} acknowledges control number {text!r}, which is none of ours"
            )
        use = await self._use(partner, int(text))
        if use is None or use.progress == "never":
            state = f": its document is {use.status}" if use is not None else ""
            cause = f"{partner} acknowledges control number {int(text)}, which it was never sent{state}"
            return AcknowledgedNumber(partner, None, cause)
        said, sent = getattr(document, "group_code", "").strip().upper(), use.group_code
        if said and sent and said != sent:
            cause = f"{partner} acknowledges a group {said} with control number {int(text)}; it was sent a group {sent}"
            return AcknowledgedNumber(partner, None, f"{cause} under this number ({use.transaction_set})")
        return AcknowledgedNumber(partner, int(text))

    async def _use(self, partner: str, number: int) -> NumberUse | None:
        for pause in PAUSES:
            use = await self._sent.find(partner, number)
            if use is None or use.progress != "under_way":
                return use
            await self._runtime.clock.sleep(pause)
        raise TransientError(f"{partner} acknowledges control number {number}, which is still being sent", "busy")

    def record(
        self,
        snapshot: Snapshot,
        answer: AcknowledgedNumber,
        document: Any,
        facts: Mapping[str, Any],
        id: str,
        entry: Entry,
    ) -> None:
        """Adds the acknowledgment to the entry that records its message."""
        assert answer.number is not None  # noqa: S101  (the caller looked)
        default = "TA1" if document.kind == "interchange_acknowledgment" else "997"
        judged = judgement_of(document, str(facts.get("set") or default), self._code_names)
        terms = terms_of(snapshot, answer.partner, REJECTED)
        said = Acknowledgment(
            message_id=id,
            partner=answer.partner,
            control_number=answer.number,
            status=judged.status,
            by=judged.by,
            text=judged.text,
            at=self._runtime.clock(),
            terms=terms,
            transactions=judged.transactions,
            others=judged.others,
        )
        entry.add(ACKNOWLEDGE, said)

    def count(self, committed: Committed) -> None:
        """Counts what a commit has changed."""
        for id, settled in committed.of(ACKNOWLEDGE).items():
            self._runtime.metrics.acknowledgments.labels(settled.partner, settled.status).inc()
            for route in settled.held:
                self._runtime.metrics.held.labels(route, REJECTED).inc()
                self._runtime.log.warning(Stage.HELD, message_id=id, hold=REJECTED, partner=settled.partner)

    async def watch(self) -> None:
        """Looks every half minute for what was not acknowledged in time."""
        while True:
            with Logged(self._runtime.log, "acknowledgments_not_checked"):
                await self.check()
            await self._runtime.clock.sleep(CHECK_SECONDS)

    async def check(self) -> int:
        """Holds what is late; how many holds this process has made. Safe in many processes: each makes those that it
        was the first to see."""
        runtime, made = self._runtime, 0
        now = runtime.clock()
        for row in await self._sent.late(now):
            terms = terms_of(runtime.snapshot, row.partner, OVERDUE)
            if await self._sent.expire(row, terms, now):
                made += 1
                runtime.metrics.acknowledgments.labels(row.partner, Ack.OVERDUE).inc()
                runtime.metrics.held.labels(row.route, OVERDUE).inc()
                runtime.log.warning(
                    Stage.HELD,
                    message_id=row.document_id,
                    route=row.route,
                    destination=row.destination,
                    hold=OVERDUE,
                    owner=terms.owner,
                )
        waiting = await Decisions(runtime.journal).holds((HoldStatus.OPEN,), name=OVERDUE)
        runtime.metrics.overdue.set(len(waiting))
        return made


def terms_of(snapshot: Snapshot, partner: str, hold: str) -> HoldTerms:
    """Whose hold it is: as the agreement says, else as config/policies.yaml says of a hold of that name."""
    agreement, policy = snapshot.partners.by_name(partner), snapshot.holds.get(hold)
    expected = agreement.expect_ack.owner if agreement is not None and agreement.expect_ack is not None else ""
    owner = expected or (agreement.owner if agreement is not None else "") or (policy.owner if policy else "") or DESK
    return HoldTerms(owner, policy.sla if policy else None)
