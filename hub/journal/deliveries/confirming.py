"""What may have been delivered, and a person knows that it was."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.effect import Act, EffectStatus
from hub.core.hold import HoldStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.batch_members import BatchSent, deliver
from hub.journal.commit.bulk import EVENT, KEY
from hub.journal.deliveries import effects, once_keys
from hub.journal.interchanges.control_numbers import Sent, record_sent
from hub.journal.rows import EffectRow, EventRow, HoldRow, KeyRow, columns, typed


def confirm(connection: Connection, hold: HoldRow, who: str, reason: str, now: float) -> bool:
    """open -> delivered: the effect is delivered, as if the far end had said so. Its once-keys are done, the
    acknowledgment is awaited, and the members of a batch are delivered. False: somebody else has decided."""
    table = schema.hold
    values = {"status": HoldStatus.DELIVERED, "decided_by": who, "decided_at": now, "reason": reason}
    open_ = sa.update(table).where(table.c.id == hold.id, table.c.status == HoldStatus.OPEN)
    if connection.execute(open_.values(**values)).rowcount != 1:
        return False
    text = f"recorded as delivered by {who}: {reason}"
    mine = effects.at(hold.document_id, hold.destination)
    (row,) = typed(EffectRow, connection.execute(sa.select(*columns(EffectRow, schema.effect)).where(mine)))
    delivered = effects.move(Act.CONFIRM, EffectStatus.DELIVERED, mine).values(text=text, updated_at=now)
    if connection.execute(delivered).rowcount == 0:
        raise effects.Forbidden(row.status)
    told = EventRow(
        message_id=hold.document_id,
        at=now,
        stage=Stage.SENT,
        route=hold.route,
        destination=hold.destination,
        attempt=row.attempts,
        text=text[:4000],
        detail=row.facts,
    )
    EVENT.write(connection, [told])
    facts = orjson.loads(row.facts) if row.facts else {}
    if facts:
        _has_left(connection, row, facts, now)
    deliver(connection, [BatchSent(hold.document_id, hold.destination, row.attempts, now, text, facts)])
    once_keys.finish_all(connection, [hold.document_id])
    return True


def _has_left(connection: Connection, effect: EffectRow, facts: dict[str, Any], now: float) -> None:
    if number := facts.get("control_number"):
        KEY.write(connection, [KeyRow(str(number), "control_number", effect.document_id)])
    record_sent(connection, [Sent.of(effect, facts, now)])
