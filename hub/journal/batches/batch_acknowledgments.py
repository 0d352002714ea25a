"""What partners say of an interchange: of the one document in it, or of each member of a batch by its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.ack import Ack
from hub.core.effect import Act, EffectStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.batch_members import members
from hub.journal.commit.writer import Question
from hub.journal.deliveries import effects
from hub.journal.interchanges import acknowledgments
from hub.journal.interchanges.acknowledgments import (
    Acknowledgment,
    SentCopy,
    Settled,
    TransactionVerdict,
    close_overdue,
    event,
    hold_rejected,
    interchange,
    repeats,
    text_of,
)
from hub.journal.rows import BatchMemberRow, InterchangeSentRow


def settle(connection: Connection, said: Iterable[Acknowledgment]) -> dict[str, Settled]:
    """What each has changed, by message."""
    found = {}
    for one in said:
        row = interchange(connection, one)
        batched = members(connection, row.document_id) if _in_force(connection, row) else ()
        settled = _settle(connection, one, row, batched) if batched else acknowledgments.settle(connection, one, row)
        found[one.message_id] = settled
    return found


ACKNOWLEDGE: Question[Acknowledgment, str, Settled] = Question(settle, lambda said: said.message_id)


def _in_force(connection: Connection, row: InterchangeSentRow) -> bool:
    """Whether it was not sent anew since then, under another number: then nothing is said of its members."""
    effect = schema.effect
    mine = (effect.c.document_id == row.document_id, effect.c.destination == row.destination)
    generation = connection.execute(sa.select(effect.c.generation).where(*mine)).scalar()
    return bool(generation == row.generation)


def verdict_of(said: Acknowledgment, position: int | None) -> TransactionVerdict:
    """Of the transaction at the position. What is said of the envelope alone is said of all."""
    return said.transactions.get(str(position), said.others)


def _settle(
    connection: Connection, said: Acknowledgment, row: InterchangeSentRow, batched: Sequence[BatchMemberRow]
) -> Settled:
    if repeats(row, said):
        return Settled(said.partner, "repeated")
    if said.status == Ack.NOTED:
        return _note(connection, said, row, batched)
    changed, held = [], []
    for member in batched:
        verdict = verdict_of(said, member.position)
        if _settle_member(connection, said, member, verdict):
            changed.append(member)
            if verdict.status == Ack.REJECTED and hold_rejected(connection, member, _of(said, member, verdict)):
                held.append(member.route)
    states = [member.ack for member in members(connection, row.document_id)]
    refused = states.count(Ack.REJECTED)
    word = _word(states)
    strange = sorted(set(said.transactions) - {str(member.position) for member in batched})
    text = f"{len(states) - refused} of {len(states)} accepted by {said.by}"
    text += f"; no transaction of it: {', '.join(strange)}" if strange else ""
    again = "" if changed else "; nothing changes"
    number = f"control number {said.control_number}"
    what = f"acknowledges a batch of {len(states)} ({number}): {text}{again}"
    event(connection, said.message_id, said.at, Stage.ACKNOWLEDGES, None, what)
    told = f"{said.partner}: {text} ({number}){again}"
    event(connection, row.document_id, said.at, Stage.ACKNOWLEDGED, row, told, said.message_id)
    if not changed:
        return Settled(said.partner, "repeated")
    close_overdue(connection, row, replace(said, status=word))
    values = {"ack": word, "ack_at": said.at, "ack_message": said.message_id, "ack_text": text_of(text)}
    _update(connection, said, values)
    if word == Ack.REJECTED:
        _stop(connection, row, said)
    return Settled(said.partner, word, tuple(held))


def _note(
    connection: Connection, said: Acknowledgment, row: InterchangeSentRow, batched: Sequence[BatchMemberRow]
) -> Settled:
    """An accepting TA1 says nothing yet of the transactions."""
    number = f"control number {said.control_number}"
    event(connection, said.message_id, said.at, Stage.ACKNOWLEDGES, None, f"acknowledges a batch ({number}): taken")
    sent: list[SentCopy] = [row, *batched]
    for one in sent:
        text = f"taken by {said.partner}'s {said.by} ({number})"
        event(connection, one.document_id, said.at, Stage.ACKNOWLEDGED, row, text, said.message_id)
    _update(connection, said, {"ack_text": f"taken by {said.by}"})
    return Settled(said.partner, Ack.NOTED)


def _settle_member(
    connection: Connection, said: Acknowledgment, member: BatchMemberRow, verdict: TransactionVerdict
) -> bool:
    """Whether it was news: the first word about the member, or a rejection of what was accepted."""
    table = schema.batch_member
    news = member.ack == Ack.NONE or (verdict.status == Ack.REJECTED and member.ack != Ack.REJECTED)
    if not news and verdict.status == member.ack:
        return False
    again = "" if news else f"; it was {Ack(member.ack).words} already, nothing changes"
    errors = f": {verdict.text}" if verdict.text else ""
    where = f"control number {said.control_number}, transaction {member.position:04}"
    text = f"{verdict.status.words} by {said.partner}'s {said.by} ({where}){errors}{again}"
    event(connection, member.document_id, said.at, Stage.ACKNOWLEDGED, member, text, said.message_id)
    if news:
        mine = (table.c.document_id == member.document_id, table.c.destination == member.destination)
        update = sa.update(table).where(*mine, table.c.generation == member.generation)
        connection.execute(update.values(ack=verdict.status, ack_message=said.message_id))
    return news


def _of(said: Acknowledgment, member: BatchMemberRow, verdict: TransactionVerdict) -> Acknowledgment:
    """The acknowledgment as it concerns the member."""
    return replace(said, status=verdict.status, text=f"transaction {member.position:04}: {verdict.text}".rstrip(": "))


def _word(states: Sequence[str]) -> Ack:
    if set(states) in ({Ack.ACCEPTED}, {Ack.REJECTED}):
        return Ack(states[0])
    return Ack.ACCEPTED_WITH_ERRORS


def _update(connection: Connection, said: Acknowledgment, values: dict[str, Any]) -> None:
    table = schema.interchange_sent
    mine = (table.c.partner == said.partner, table.c.control_number == said.control_number)
    connection.execute(sa.update(table).where(*mine).values(**values))


def _stop(connection: Connection, row: InterchangeSentRow, said: Acknowledgment) -> None:
    """All its members are held: what is still under way of the batch is not sent again."""
    mine = (effects.at(row.document_id, row.destination), schema.effect.c.generation == row.generation)
    update = effects.move(Act.REFUSE_ALL, EffectStatus.DISCARDED, *mine)
    connection.execute(update.values(text="every member was rejected", updated_at=said.at))
