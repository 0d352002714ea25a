"""Interchanges that came in, by control number: which claim has taken the number, and which comes too late with it.

Asked inside the group commit, one after the other, so that of two that come at once exactly one is the first. A claim
whose transactions have all failed has taken nothing: a resend of what failed is no duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.dead_letter import DeadStatus
from hub.core.effect import ENDED
from hub.journal import schema
from hub.journal.commit.bulk import RECEIVED
from hub.journal.commit.writer import Question
from hub.journal.rows import InterchangeReceivedRow, columns, typed

Key = tuple[str, str, str]
"""Partner, control number, claim."""


@dataclass(frozen=True, slots=True)
class InterchangeReceived:
    """An interchange that stands at `position` of a claim; its number may not come again within `days`."""

    partner: str
    control_number: str
    claim: str
    position: str
    name: str
    at: float
    days: int

    @property
    def key(self) -> Key:
        return (self.partner, self.control_number, self.claim)


@dataclass(frozen=True, slots=True)
class EarlierOne:
    """What has taken the number."""

    name: str
    at: float


def take(connection: Connection, seen: Iterable[InterchangeReceived]) -> dict[Key, EarlierOne]:
    """The duplicates among these, each with what came before it. The same claim again has the answer that it had,
    unless all has failed since then: of it, or of what it was a duplicate of."""
    found: dict[Key, EarlierOne] = {}
    for one in sorted(seen, key=lambda one: one.key):
        if (earlier := _take(connection, one)) is not None:
            found[one.key] = earlier
    return found


EARLIER: Question[InterchangeReceived, Key, EarlierOne] = Question(take, lambda one: one.key)


def _take(connection: Connection, one: InterchangeReceived) -> EarlierOne | None:
    table = schema.interchange_received
    _lock_number(connection, one)
    row = InterchangeReceivedRow(
        partner=one.partner,
        control_number=one.control_number,
        claim=one.claim,
        position=one.position,
        name=one.name,
        at=one.at,
        duplicate=False,
    )
    RECEIVED.write(connection, [row])
    number = (table.c.partner == one.partner, table.c.control_number == one.control_number)
    select = sa.select(*columns(InterchangeReceivedRow, table)).where(*number).order_by(table.c.at)
    rows = {row.claim: row for row in typed(InterchangeReceivedRow, connection.execute(select))}
    mine = rows.pop(one.claim)
    is_new = mine.at == one.at and not mine.duplicate
    if not is_new and not mine.duplicate and _state(connection, mine) != "ended":
        return None
    recent = [row for row in rows.values() if row.at > one.at - one.days * 86400]
    earlier = next((row for row in recent if _has_taken(connection, row)), None)
    if not is_new or earlier is not None:
        values = {"duplicate": earlier is not None, "at": one.at}
        connection.execute(sa.update(table).where(*number, table.c.claim == one.claim).values(**values))
    return EarlierOne(earlier.name, earlier.at) if earlier is not None else None


def _lock_number(connection: Connection, one: InterchangeReceived) -> None:
    """Nobody else asks for this number before this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        text = f"{one.partner}|{one.control_number}"
        lock = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def _has_taken(connection: Connection, row: InterchangeReceivedRow) -> bool:
    state = _state(connection, row)
    return state == "alive" or (state == "begun" and not row.duplicate)


def _state(connection: Connection, row: InterchangeReceivedRow) -> Literal["begun", "alive", "ended"]:
    """`begun`: nothing of it is recorded yet. `alive`: one of its transactions is, or may become, effective."""
    message, effect, dead = schema.message.c, schema.effect.c, schema.dead_letter.c
    inside = sa.or_(message.position == row.position, message.position.startswith(f"{row.position}.", autoescape=True))
    mine = sa.select(sa.literal(1)).where(message.claim == row.claim, inside).limit(1)
    if connection.execute(mine).first() is None:
        return "begun"
    has_effect = sa.exists().where(effect.document_id == message.id)
    open_effect = sa.exists().where(effect.document_id == message.id, effect.status.not_in(ENDED))
    is_dead = sa.exists().where(dead.message_id == message.id, dead.status.in_((DeadStatus.DEAD, DeadStatus.DISCARDED)))
    may_be = sa.or_(open_effect, sa.and_(~has_effect, ~is_dead))
    alive = mine.where(message.document.is_not(None), message.direction.is_(None), may_be)
    return "alive" if connection.execute(alive).first() is not None else "ended"
