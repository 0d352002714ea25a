"""What partners say of what we sent, settled inside the group commit that records their message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.ack import UNANSWERED, Ack
from hub.core.effect import Act, EffectStatus
from hub.core.hold import HoldStatus
from hub.core.identity import message_id
from hub.core.once_key import OnceStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.batch_members import BatchSays, record
from hub.journal.commit.bulk import EVENT, HOLD, clean
from hub.journal.deliveries import effects
from hub.journal.rows import BatchMemberRow, EventRow, HoldRow, InterchangeSentRow, columns, typed

REJECTED, OVERDUE = "acknowledgment_rejected", "acknowledgment_overdue"
"""The holds of what a partner rejected, and of what it has not acknowledged in time."""


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """For whom a hold is made, and in how many seconds they are to decide."""

    owner: str
    sla: float | None = None


@dataclass(frozen=True, slots=True)
class TransactionVerdict:
    """What is said of one transaction, with the errors in a sentence (empty: none)."""

    status: Ack
    text: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """What the message `message_id` says of the partner's `control_number`. `by` names it for people (997), `text` is a
    sentence with the errors, `terms` are those of the hold that a rejection makes. Of a batch, `transactions` are the
    verdicts by control number (ST02, without leading zeros) and `others` that of the transactions which aren't
    listed."""

    message_id: str
    partner: str
    control_number: int
    status: Ack
    by: str
    text: str
    at: float
    terms: HoldTerms
    transactions: Mapping[str, TransactionVerdict] = field(default_factory=dict)
    others: TransactionVerdict = TransactionVerdict(Ack.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Settled:
    """What an acknowledgment has changed: its status, `repeated` where nothing did. `held`: so many holds were made, by
    their route."""

    partner: str
    status: str
    held: tuple[str, ...] = ()


SentCopy = InterchangeSentRow | BatchMemberRow
"""What was sent: an interchange, or a document of one. It has the copy that it was made from."""


def settle(connection: Connection, said: Acknowledgment, row: InterchangeSentRow) -> Settled:
    """What it has changed of the document that was sent as `row`. What was settled before changes nothing, what
    contradicts is recorded; only a rejection overrules what was accepted."""
    table, message = schema.interchange_sent, schema.message
    mine = (table.c.partner == said.partner, table.c.control_number == said.control_number)
    if repeats(row, said):
        return Settled(said.partner, "repeated")
    names = sa.select(message.c.document, message.c.number).where(message.c.id == row.document_id)
    named = connection.execute(names).first()
    what = f"{(named.document or 'document').partition('@')[0]} {named.number}" if named else "a document"
    word = "taken" if said.status == Ack.NOTED else said.status.words
    open_ = row.ack != Ack.REJECTED if said.status == Ack.REJECTED else row.ack in UNANSWERED
    again = "" if open_ else f"; it was {Ack(row.ack).words} already, nothing changes"
    number = f"control number {said.control_number}"
    errors = f": {said.text}" if said.text else ""
    told = f"acknowledges {what} ({number}): {word}{again}"
    event(connection, said.message_id, said.at, Stage.ACKNOWLEDGES, None, told)
    if open_ or said.status not in (Ack.NOTED, row.ack):
        text = f"{word} by {said.partner}'s {said.by} ({number}){errors}{again}"
        event(connection, row.document_id, said.at, Stage.ACKNOWLEDGED, row, text, said.message_id)
    if not open_:
        return Settled(said.partner, "repeated")
    changed: dict[str, Any] = {"ack_text": text_of(f"{word} by {said.by}{errors}")}
    if said.status != Ack.NOTED:
        changed |= {"ack": said.status, "ack_at": said.at, "ack_message": said.message_id}
        close_overdue(connection, row, said)
    connection.execute(sa.update(table).where(*mine).values(**changed))
    held = said.status == Ack.REJECTED and hold_rejected(connection, row, said)
    return Settled(said.partner, said.status, (row.route,) if held else ())


def interchange(connection: Connection, said: Acknowledgment) -> InterchangeSentRow:
    """The row of what is acknowledged, which nobody else changes before this transaction ends."""
    table = schema.interchange_sent
    mine = (table.c.partner == said.partner, table.c.control_number == said.control_number)
    select = sa.select(*columns(InterchangeSentRow, table)).where(*mine).with_for_update()
    (row,) = typed(InterchangeSentRow, connection.execute(select))
    return row


def repeats(row: InterchangeSentRow, said: Acknowledgment) -> bool:
    """This message has said it before, or an accepting TA1 comes after something else."""
    return row.ack_message == said.message_id or (said.status == Ack.NOTED and row.ack_text is not None)


def close_overdue(connection: Connection, row: InterchangeSentRow, said: Acknowledgment) -> None:
    """The hold that waited for this closes by itself."""
    hold, reason = schema.hold, "rejected late" if said.status == Ack.REJECTED else "acknowledged late"
    mine = (hold.c.document_id == row.document_id, hold.c.destination == row.destination)
    open_ = (hold.c.name == OVERDUE, hold.c.status == HoldStatus.OPEN)
    values = {"status": HoldStatus.CLOSED, "decided_at": said.at, "decided_by": said.partner, "reason": reason}
    if connection.execute(sa.update(hold).where(*mine, *open_).values(**values)).rowcount:
        event(connection, row.document_id, said.at, Stage.CLOSED, row, f"{OVERDUE}: {reason}")


def hold_rejected(connection: Connection, row: SentCopy, said: Acknowledgment) -> bool:
    """Holds what was rejected, unless it was sent anew since then or somebody has decided about it; its once-key is
    pending again, so that another message waits for the decision."""
    effect, once = schema.effect, schema.once_key
    mine = (effects.at(row.document_id, row.destination), effect.c.generation == row.generation)
    cause = text_of(f"rejected by {said.partner}'s {said.by} (control number {said.control_number}): {said.text}")
    held = effects.move(Act.REFUSE, EffectStatus.HELD, *mine).values(text=cause, updated_at=said.at)
    if connection.execute(held).rowcount == 0:
        return False
    owned = (once.c.owner == row.document_id, once.c.route == row.route, once.c.status == OnceStatus.DONE)
    connection.execute(sa.update(once).where(*owned).values(status=OnceStatus.PENDING, updated_at=said.at))
    add_hold(connection, row, REJECTED, said.terms, cause, said.at)
    return True


def expire(connection: Connection, row: InterchangeSentRow, terms: HoldTerms, now: float) -> bool:
    """awaiting -> overdue, and a hold for it. False: somebody else was quicker, or the acknowledgment has come."""
    table = schema.interchange_sent
    mine = (table.c.partner == row.partner, table.c.control_number == row.control_number)
    late = (table.c.ack == Ack.AWAITING, table.c.ack_due_at == row.ack_due_at)
    if connection.execute(sa.update(table).where(*mine, *late).values(ack=Ack.OVERDUE)).rowcount == 0:
        return False
    cause = f"{row.partner} has not acknowledged control number {row.control_number} in time"
    add_hold(connection, row, OVERDUE, terms, cause, now)
    return True


def add_hold(connection: Connection, row: SentCopy, name: str, terms: HoldTerms, cause: str, at: float) -> None:
    """A hold on what was sent, at its destination, with the copy that it was made from."""
    due = at + terms.sla if terms.sla else None
    awaited = row.ack_due_at if isinstance(row, InterchangeSentRow) else None
    id = message_id("hold", (row.document_id, row.destination, str(row.generation), name, str(awaited)))
    message = schema.message
    number = sa.select(message.c.number).where(message.c.id == row.document_id)
    held = HoldRow(
        id=id,
        document_id=row.document_id,
        route=row.route,
        destination=row.destination,
        name=name,
        owner=terms.owner,
        due_at=due,
        status=HoldStatus.OPEN,
        cause=cause,
        partner=row.partner,
        number=connection.execute(number).scalar(),
        headers=row.headers,
        body=row.body,
        held_at=at,
    )
    HOLD.write(connection, [held])
    text = f"{name}, for {terms.owner}: {cause}"
    said = BatchSays(
        batch=row.document_id, at=at, stage=Stage.HELD, route=row.route, destination=row.destination, text=text
    )
    record(connection, said)


def event(
    connection: Connection, id: str, at: float, stage: Stage, row: SentCopy | None, text: str, by: str | None = None
) -> None:
    """`row` is the interchange that was sent, None for an event of the acknowledgment; `by` the message that says
    it."""
    told = EventRow(
        message_id=id,
        at=at,
        stage=stage,
        route=row.route if row is not None else None,
        destination=row.destination if row is not None else None,
        text=text[:4000],
        detail=orjson.dumps({"message": by}).decode() if by else None,
    )
    EVENT.write(connection, [told])


def text_of(text: str) -> str:
    return str(clean((text[:4000],))[0])
