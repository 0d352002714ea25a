"""What was done under a control number: whether the partner can have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from hub.core.ack import ANSWERED
from hub.core.effect import UNSEEN, UNTRIED
from hub.journal import schema
from hub.journal.rows import NumberRow, columns

Progress = Literal["sent", "under_way", "never"]


def numbers(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Selects NumberRows: with each its effect, whatever generation is in force."""
    table, message, effect = schema.interchange_sent, schema.message, schema.effect
    wants = columns(
        NumberRow, table, effect, document=message.c.document, number=message.c.number, in_force=effect.c.generation
    )
    mine = sa.and_(effect.c.document_id == table.c.document_id, effect.c.destination == table.c.destination)
    select = sa.select(*wants).select_from(table).outerjoin(message, message.c.id == table.c.document_id)
    return select.outerjoin(effect, mine).where(*which)


@dataclass(frozen=True, slots=True)
class NumberUse:
    """One control number that was taken. `sent`: the partner has, or may have, what was sent under it. `under_way`: its
    bytes are written, and their first attempt has not ended. `never`: nothing can have left under it; `status` says how
    its document is now. `transaction_set` and `group_code`: what was written (850, in a group PO), as far as it is
    known."""

    progress: Progress
    status: str
    transaction_set: str | None
    group_code: str | None


def number_use(row: NumberRow) -> NumberUse:
    mine = row.in_force == row.generation
    facts = orjson.loads(row.facts) if mine and row.facts else {}
    written = row.transaction_set or facts.get("set")
    return NumberUse(_progress(row, mine), row.status or "unknown", written, facts.get("group_code"))


def _progress(row: NumberRow, mine: bool) -> Progress:
    if row.sent_at is not None or row.ack in ANSWERED:
        return "sent"
    if not mine or row.claim is None:
        return "never"
    if row.status in UNSEEN:  # that the partner knows the number proves that an attempt arrived
        return "sent"
    return "under_way" if row.status in UNTRIED else "never"
