"""What partners say of an interchange: of the one document in it, or of each member of a batch by its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.journal import acknowledgments, schema
from hub.journal.acknowledgments import (
    UNDER_WAY,
    Acknowledgment,
    Settled,
    Verdict,
    close_overdue,
    event,
    hold_rejected,
    interchange,
    repeats,
    text_of,
)
from hub.journal.batch_members import members


def settle(connection: Connection, said: Iterable[Acknowledgment]) -> dict[str, Settled]:
    """What each has changed, by message."""
    found = {}
    for one in said:
        row = interchange(connection, one)
        batched = members(connection, row.document_id) if _in_force(connection, row) else ()
        settled = _settle(connection, one, row, batched) if batched else acknowledgments.settle(connection, one, row)
        found[one.message_id] = settled
    return found


def _in_force(connection: Connection, row: Any) -> bool:
    """Whether it was not sent anew since then, under another number: then nothing is said of its members."""
    effect = schema.effect
    mine = (effect.c.document_id == row.document_id, effect.c.destination == row.destination)
    generation = connection.execute(sa.select(effect.c.generation).where(*mine)).scalar()
    return bool(generation == row.generation)


def verdict_of(said: Acknowledgment, position: int) -> Verdict:
    """Of the transaction at the position. What is said of the envelope alone is said of all."""
    return said.transactions.get(str(position), said.others)


def _settle(connection: Connection, said: Acknowledgment, row: Any, batched: Sequence[Any]) -> Settled:
    if repeats(row, said):
        return Settled(said.partner, "repeated")
    if said.status == "noted":
        return _note(connection, said, row, batched)
    changed, held = [], []
    for member in batched:
        verdict = verdict_of(said, member.position)
        if _settle_member(connection, said, member, verdict):
            changed.append(member)
            if verdict.status == "rejected" and hold_rejected(connection, member, _of(said, member, verdict)):
                held.append(member.route)
    states = [member.ack for member in members(connection, row.document_id)]
    refused = states.count("rejected")
    word = _word(states)
    strange = sorted(set(said.transactions) - {str(member.position) for member in batched})
    text = f"{len(states) - refused} of {len(states)} accepted by {said.by}"
    text += f"; no transaction of it: {', '.join(strange)}" if strange else ""
    again = "" if changed else "; nothing changes"
    number = f"control number {said.control_number}"
    what = f"acknowledges a batch of {len(states)} ({number}): {text}{again}"
    event(connection, said.message_id, said.at, "acknowledges", None, what)
    event(
        connection,
        row.document_id,
        said.at,
        "acknowledged",
        row,
        f"{said.partner}: {text} ({number}){again}",
        said.message_id,
    )
    if not changed:
        return Settled(said.partner, "repeated")
    close_overdue(connection, row, replace(said, status=word))
    values = {"ack": word, "ack_at": said.at, "ack_message": said.message_id, "ack_text": text_of(text)}
    _update(connection, said, values)
    if word == "rejected":
        _stop(connection, row, said)
    return Settled(said.partner, word, tuple(held))


def _note(connection: Connection, said: Acknowledgment, row: Any, batched: Sequence[Any]) -> Settled:
    """An accepting TA1 says nothing yet of the transactions."""
    number = f"control number {said.control_number}"
    event(connection, said.message_id, said.at, "acknowledges", None, f"acknowledges a batch ({number}): taken")
    for one in (row, *batched):
        text = f"taken by {said.partner}'s {said.by} ({number})"
        event(connection, one.document_id, said.at, "acknowledged", row, text, said.message_id)
    _update(connection, said, {"ack_text": f"taken by {said.by}"})
    return Settled(said.partner, "noted")


def _settle_member(connection: Connection, said: Acknowledgment, member: Any, verdict: Verdict) -> bool:
    """Whether it was news: the first word about the member, or a rejection of what was accepted."""
    table = schema.batch_member
    news = member.ack == "none" or (verdict.status == "rejected" and member.ack != "rejected")
    if not news and verdict.status == member.ack:
        return False
    again = "" if news else f"; it was {member.ack.replace('_', ' ')} already, nothing changes"
    errors = f": {verdict.text}" if verdict.text else ""
    where = f"control number {said.control_number}, transaction {member.position:04}"
    word = verdict.status.replace("_", " ")
    text = f"{word} by {said.partner}'s {said.by} ({where}){errors}{again}"
    event(connection, member.document_id, said.at, "acknowledged", member, text, said.message_id)
    if news:
        mine = (table.c.document_id == member.document_id, table.c.destination == member.destination)
        update = sa.update(table).where(*mine, table.c.generation == member.generation)
        connection.execute(update.values(ack=verdict.status, ack_message=said.message_id))
    return news


def _of(said: Acknowledgment, member: Any, verdict: Verdict) -> Acknowledgment:
    """The acknowledgment as it concerns the member."""
    return replace(said, status=verdict.status, text=f"transaction {member.position:04}: {verdict.text}".rstrip(": "))


def _word(states: Sequence[str]) -> Any:
    if set(states) in ({"accepted"}, {"rejected"}):
        return states[0]
    return "accepted_with_errors"


def _update(connection: Connection, said: Acknowledgment, values: dict[str, Any]) -> None:
    table = schema.interchange_sent
    mine = (table.c.partner == said.partner, table.c.control_number == said.control_number)
    connection.execute(sa.update(table).where(*mine).values(**values))


def _stop(connection: Connection, row: Any, said: Acknowledgment) -> None:
    """All its members are held: what is still under way of the batch is not sent again."""
    effect, open_ = schema.effect, tuple(status for status in UNDER_WAY if status != "delivered")
    mine = (effect.c.document_id == row.document_id, effect.c.destination == row.destination)
    in_force = (effect.c.generation == row.generation, effect.c.status.in_(open_))
    values = {"status": "discarded", "text": "every member was rejected", "updated_at": said.at, "claimed_by": None}
    connection.execute(sa.update(effect).where(*mine, *in_force).values(**values))
