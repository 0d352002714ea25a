"""The members of batches, inside the group commit: what becomes of a batch becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.effect import Act, EffectStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.bulk import EVENT, KEY
from hub.journal.commit.writer import Change
from hub.journal.deliveries import effects, once_keys
from hub.journal.rows import BatchMemberRow, EventRow, KeyRow, columns, typed


@dataclass(frozen=True, slots=True)
class BatchSent:
    """A batch has left. `facts` are those of its bytes."""

    batch: str
    destination: str
    attempt: int
    at: float
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchSays:
    """Something happened to a batch that its members tell as well."""

    batch: str
    at: float
    stage: Stage
    route: str | None
    destination: str | None
    text: str
    attempt: int | None = None


def members(connection: Connection, batch: str) -> list[BatchMemberRow]:
    """Those of a batch, in the order of their transactions."""
    table = schema.batch_member
    select = sa.select(*columns(BatchMemberRow, table)).where(table.c.batch == batch).order_by(table.c.position)
    return typed(BatchMemberRow, connection.execute(select))


def tell(connection: Connection, said: Iterable[BatchSays]) -> None:
    """Events of the members."""
    rows = [
        EventRow(
            message_id=member.document_id,
            at=one.at,
            stage=one.stage,
            route=one.route,
            destination=one.destination,
            attempt=one.attempt,
            text=_in_batch(member, one.text),
        )
        for one in said
        for member in members(connection, one.batch)
    ]
    if rows:
        EVENT.write(connection, rows)


def record(connection: Connection, said: BatchSays) -> None:
    """An event of a document, which the members tell as well where it is a batch."""
    own = EventRow(
        message_id=said.batch,
        at=said.at,
        stage=said.stage,
        route=said.route,
        destination=said.destination,
        attempt=said.attempt,
        text=said.text,
    )
    EVENT.write(connection, [own])
    tell(connection, [said])


def deliver(connection: Connection, sent: Iterable[BatchSent]) -> None:
    """The members of what has left are delivered; not those of which the partner has said meanwhile that they
    aren't."""
    for one in sent:
        _deliver(connection, one)


def _deliver(connection: Connection, sent: BatchSent) -> None:
    rows = members(connection, sent.batch)
    waiting = _waiting(connection, rows)
    if not waiting:
        return
    events = [_has_left(sent, row) for row in waiting]
    one = effects.at(sa.bindparam("id"), sent.destination)
    statement = effects.move(Act.BATCH_LEAVES, EffectStatus.DELIVERED, one)
    statement = statement.values(text=sa.bindparam("said"), facts=sa.bindparam("packed"), updated_at=sent.at)
    connection.execute(statement, [{"id": e.message_id, "said": e.text, "packed": e.detail} for e in events])
    EVENT.write(connection, events)
    if number := sent.facts.get("control_number"):
        KEY.write(connection, [KeyRow(str(number), "control_number", row.document_id) for row in waiting])
    once_keys.finish_all(connection, [row.document_id for row in waiting])
    once_keys.overtake(connection, [row.document_id for row in waiting])
    once_keys.settle_dead(connection, [(row.document_id, row.destination) for row in waiting])


def _has_left(sent: BatchSent, row: BatchMemberRow) -> EventRow:
    """What is told of a member. The facts of its effect are the event's detail."""
    facts = {**sent.facts, "batch": sent.batch}
    if sent.facts.get("control_number"):
        facts["transaction_control_number"] = f"{row.position:04}"
    return EventRow(
        message_id=row.document_id,
        at=sent.at,
        stage=Stage.SENT,
        route=row.route,
        destination=row.destination,
        attempt=sent.attempt,
        text=f"{_interchange(sent.facts, row)}; {sent.text}",
        detail=orjson.dumps(facts, default=str).decode(),
    )


def end(connection: Connection, batch: str, status: EffectStatus, at: float, text: str) -> None:
    """A person has ended the batch (rejected, discarded): those of its members that have not left are ended, their
    once-keys are free. Nothing happens for what is no batch."""
    waiting = _waiting(connection, members(connection, batch))
    for row in waiting:
        update = effects.move(Act.BATCH_ENDS, status, effects.at(row.document_id, row.destination))
        connection.execute(update.values(updated_at=at, text=text))
    once_keys.free(connection, [once_keys.OnceHeld(row.route, row.document_id) for row in waiting])


def _waiting(connection: Connection, rows: Sequence[BatchMemberRow]) -> list[BatchMemberRow]:
    """Those of the members that are in the batch, in the generation that is in it, and have not left."""
    effect, found = schema.effect, set()
    for start in range(0, len(rows), 900):
        ids = [row.document_id for row in rows[start : start + 900]]
        columns = (effect.c.document_id, effect.c.destination, effect.c.generation)
        select = sa.select(*columns).where(effect.c.document_id.in_(ids), effect.c.status == EffectStatus.BATCHED)
        found |= {tuple(row) for row in connection.execute(select)}
    return [row for row in rows if (row.document_id, row.destination, row.generation) in found]


def _interchange(facts: Mapping[str, Any], row: BatchMemberRow) -> str:
    number = facts.get("control_number")
    return f"in interchange {number} as transaction {row.position:04}" if number else _in_batch(row, "sent")


def _in_batch(row: BatchMemberRow, text: str) -> str:
    place = f"document {row.position}" if row.gathered else f"transaction {row.position:04}"
    return f"batch {(row.batch or '')[:12]}, {place}: {text}"


DELIVER: Change[BatchSent] = Change(deliver)
TELL: Change[BatchSays] = Change(tell)
