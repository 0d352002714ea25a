"""Taking a batch apart that has not left: each of its members goes its own way, by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.effect import Act, EffectStatus
from hub.core.hold import HoldStatus
from hub.core.identity import idempotency_key, message_id
from hub.core.message import Header
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.batch_members import members
from hub.journal.commit.bulk import EVENT, HOLD, Bulk
from hub.journal.deliveries import effects
from hub.journal.rows import BatchMemberRow, BatchRow, EffectSettled, EventRow, HoldRow, columns, typed

DISSOLVED = "batch_dissolved"
"""The hold by which a member goes on. It is released at once, and stays open only where the copy can't be published."""

OURS = "dissolved: its documents go alone"

CLOSED = Bulk("effect", EffectSettled, "ON CONFLICT (document_id, destination) DO NOTHING")
"""The effect of a batch, ended before it began; the one that has begun stays."""


@dataclass(frozen=True, slots=True)
class Dissolution:
    """A person's decision. `owner_of` says who answers for a route, or for the source of what is on it."""

    batch: str
    who: str
    reason: str
    at: float
    owner_of: Callable[[str, str | None], str]


def dissolve(connection: Connection, wanted: Dissolution) -> list[str] | None:
    """The holds, releasing, of the members that waited in it; None when it was published, dissolved or begun to be sent
    before. A copy of the batch that is on its way finds that the batch was discarded, and nothing is sent of it."""
    batch, member = schema.batch, schema.batch_member
    unpublished = (batch.c.id == wanted.batch, batch.c.published_at.is_(None))
    select = sa.select(*columns(BatchRow, batch)).where(*unpublished).with_for_update()
    row = next(iter(typed(BatchRow, connection.execute(select))), None)
    if row is None:
        return None
    found = members(connection, row.id)
    if not _close(connection, row, found, wanted):
        return None
    text = f"batch {row.id[:12]} dissolved by {wanted.who}: {wanted.reason}"
    holds = [id for one in found if (id := _go_alone(connection, one, text, wanted)) is not None]
    told = EventRow(message_id=row.id, at=wanted.at, stage=Stage.DISCARDED, destination=row.destination, text=text)
    EVENT.write(connection, [told])
    connection.execute(sa.delete(member).where(member.c.batch == row.id))
    connection.execute(sa.delete(batch).where(batch.c.id == row.id))
    return holds


def _close(connection: Connection, row: BatchRow, found: Sequence[BatchMemberRow], wanted: Dissolution) -> bool:
    """Ends the effect of the batch before it begins; False when it has begun."""
    effect, route = schema.effect, found[0].route if found else ""
    key = idempotency_key(row.id, row.destination)
    ended = EffectSettled(
        document_id=row.id,
        destination=row.destination,
        route=route,
        status=EffectStatus.DISCARDED,
        generation=1,
        key=key,
        attempts=0,
        text=OURS,
        reply=None,
        reply_type=None,
        first_at=wanted.at,
        updated_at=wanted.at,
    )
    CLOSED.write(connection, [ended])
    select = sa.select(effect.c.text).where(effects.at(row.id, row.destination))
    return bool(connection.execute(select).scalar() == OURS)


def _go_alone(connection: Connection, member: BatchMemberRow, text: str, wanted: Dissolution) -> str | None:
    """The hold of a member that still waits."""
    at, mine = wanted.at, effects.at(member.document_id, member.destination)
    waits = effects.move(Act.DISSOLVE, EffectStatus.RELEASED, mine, schema.effect.c.generation == member.generation)
    if connection.execute(waits.values(updated_at=at, text=text[:2000])).rowcount == 0:
        return None
    packed = orjson.loads(member.headers)
    source = packed["headers"].get(Header.SOURCE)
    packed["headers"] |= {Header.ALONE: True}
    id = message_id("hold", (member.document_id, member.destination, str(member.generation), DISSOLVED, wanted.batch))
    number = sa.select(schema.message.c.number).where(schema.message.c.id == member.document_id)
    hold = HoldRow(
        id=id,
        document_id=member.document_id,
        route=member.route,
        destination=member.destination,
        name=DISSOLVED,
        owner=wanted.owner_of(member.route, source),
        due_at=None,
        status=HoldStatus.RELEASING,
        cause=text[:4000],
        partner=member.partner,
        number=connection.execute(number).scalar(),
        headers=orjson.dumps(packed).decode(),
        body=member.body,
        held_at=at,
        decided_at=at,
        decided_by=wanted.who,
        reason=wanted.reason,
    )
    HOLD.write(connection, [hold])
    told = EventRow(
        message_id=member.document_id,
        at=at,
        stage=Stage.RELEASED,
        route=member.route,
        destination=member.destination,
        text=f"{text}; it goes alone",
    )
    EVENT.write(connection, [told])
    return id
