"""Batches that ought to be under way: nothing has matched them, so they are published again as they were the first
time."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.dead_letter import BURYING
from hub.core.effect import UNDER_WAY, EffectStatus
from hub.journal import schema
from hub.journal.copies.open_place import row_waits


async def publish_batches_again(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> None:
    """Marks batches that have no outcome, and that no row or dead letter stands for, as not published. A batch keeps
    its id: one that is in a queue all the same is sent once."""
    batch, effect, dead = schema.batch, schema.effect, schema.dead_letter
    own = (effect.c.document_id == batch.c.id, effect.c.destination == batch.c.destination)
    begun = sa.exists().where(*own)
    under_way = sa.exists().where(*own, effect.c.status.in_(UNDER_WAY))
    died = sa.exists().where(*own, effect.c.status == EffectStatus.DEAD)
    letter = sa.exists().where(dead.c.message_id == batch.c.id)
    buried = sa.exists().where(dead.c.message_id == batch.c.id, dead.c.status.in_(BURYING))
    replayed = sa.exists().where(dead.c.message_id == batch.c.id, dead.c.destinations == batch.c.destination)
    missing = sa.and_(sa.not_(begun), sa.or_(sa.not_(letter), sa.and_(replayed, sa.not_(buried))))
    lost = sa.or_(under_way, sa.and_(died, sa.not_(buried)), missing)
    published = batch.c.published_at.is_not(None)
    free = sa.not_(row_waits(batch.c.id, batch.c.destination))
    await connection.execute(sa.update(batch).where(published, free, lost, *which).values(published_at=None))
