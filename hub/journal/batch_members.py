"""The members of batches, inside the group commit: what becomes of a batch becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.journal import once_keys, schema
from hub.journal.bulk import EVENT, KEY

WAITS = "batched"
"""The status of an effect whose document waits for a batch, or is in one that has not left."""


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
    stage: str
    route: str | None
    destination: str | None
    attempt: int | None
    text: str


def members(connection: Connection, batch: str) -> Sequence[Any]:
    """Rows of batch_member, in the order of their transactions. Their `ack_due_at` is null: the interchange has one."""
    table = schema.batch_member
    select = sa.select(table, sa.null().label("ack_due_at")).where(table.c.batch == batch)
    return connection.execute(select.order_by(table.c.position)).all()


def tell(connection: Connection, said: Iterable[BatchSays]) -> None:
    """Events of the members."""
    rows = [
        (m.document_id, one.at, one.stage, one.route, one.destination, one.attempt, _in_batch(m, one.text), None)
        for one in said
        for m in members(connection, one.batch)
    ]
    if rows:
        EVENT.write(connection, rows)


def deliver(connection: Connection, sent: Iterable[BatchSent]) -> None:
    """The members of what has left are delivered; not those of which the partner has said meanwhile that they aren't."""
    for one in sent:
        _deliver(connection, one)


def _deliver(connection: Connection, sent: BatchSent) -> None:
    effect, rows = schema.effect, members(connection, sent.batch)
    waiting = _in_status(connection, rows, (WAITS,))
    updates = []
    for row in waiting:
        facts = {**sent.facts, "batch": sent.batch}
        if sent.facts.get("control_number"):
            facts["transaction_control_number"] = f"{row.position:04}"
        text = f"{_interchange(sent.facts, row)}; {sent.text}"
        event = (*(row.document_id, sent.at, "sent", row.route, row.destination, sent.attempt, text),)
        packed = orjson.dumps(facts, default=str).decode()
        updates.append((row, text, packed, (*event, packed)))
    if not updates:
        return
    statement = (
        sa.update(effect)
        .where(effect.c.document_id == sa.bindparam("id"), effect.c.destination == sent.destination)
        .where(effect.c.status == WAITS)
        .values(status="delivered", text=sa.bindparam("said"), facts=sa.bindparam("packed"), updated_at=sent.at)
    )
    connection.execute(statement, [{"id": r.document_id, "said": t, "packed": p} for r, t, p, _ in updates])
    EVENT.write(connection, [event for *_, event in updates])
    if number := sent.facts.get("control_number"):
        KEY.write(connection, [(str(number), "control_number", row.document_id) for row in waiting])
    once_keys.finish_all(connection, [row.document_id for row in waiting])
    once_keys.overtake(connection, [row.document_id for row in waiting])
    once_keys.settle_dead(connection, [(row.document_id, row.destination) for row in waiting])


def end(connection: Connection, batch: str, status: str, at: float, text: str) -> None:
    """A person has ended the batch (rejected, discarded): those of its members that have not left are ended, their once-keys are
    free. Nothing happens for what is no batch."""
    effect, once = schema.effect, schema.once_key
    waiting = _in_status(connection, members(connection, batch), (WAITS,))
    for row in waiting:
        mine = (effect.c.document_id == row.document_id, effect.c.destination == row.destination)
        values = {"status": status, "updated_at": at, "claimed_by": None, "text": text}
        connection.execute(sa.update(effect).where(*mine).values(**values))
        owned = (once.c.owner == row.document_id, once.c.route == row.route, once.c.status == "pending")
        connection.execute(sa.update(once).where(*owned).values(status="freed", updated_at=at))


def _in_status(connection: Connection, rows: Sequence[Any], statuses: Sequence[str]) -> list[Any]:
    """Those of the members whose effect, in the generation that is in the batch, has one of these."""
    effect, found = schema.effect, set()
    for start in range(0, len(rows), 900):
        ids = [row.document_id for row in rows[start : start + 900]]
        columns = (effect.c.document_id, effect.c.destination, effect.c.generation)
        select = sa.select(*columns).where(effect.c.document_id.in_(ids), effect.c.status.in_(statuses))
        found |= {tuple(row) for row in connection.execute(select)}
    return [row for row in rows if (row.document_id, row.destination, row.generation) in found]


def _interchange(facts: Mapping[str, Any], row: Any) -> str:
    number = facts.get("control_number")
    return f"in interchange {number} as transaction {row.position:04}" if number else _in_batch(row, "sent")


def _in_batch(row: Any, text: str) -> str:
    place = f"document {row.position}" if row.gathered else f"transaction {row.position:04}"
    return f"batch {row.batch[:12]}, {place}: {text}"
