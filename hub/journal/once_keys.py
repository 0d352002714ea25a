"""Once-keys: pending until the effects of their owner are recorded, then done or free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.dead_letter import DeadStatus
from hub.core.effect import DONE, ENDED
from hub.core.once_key import OnceStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.clock import now_of


def finish(connection: Connection, owners: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
    """For each (route, owner, destinations): done when all effects are delivered or filtered, whichever route brought them about; free when
    one has ended otherwise and nothing of it is under way; else it stays pending."""
    table, effect = schema.once_key, schema.effect
    for route, owner, destinations in owners:
        rows = connection.execute(
            sa.select(effect.c.status).where(effect.c.document_id == owner, effect.c.destination.in_(destinations))
        ).all()
        found = [row.status for row in rows]
        if len(found) == len(destinations) and all(status in DONE for status in found):
            after = OnceStatus.DONE
        elif any(status in ENDED for status in found) and all(status in ENDED | DONE for status in found):
            after = OnceStatus.FREED
        else:
            continue
        move(connection, OnceStatus.PENDING, after, table.c.route == route, table.c.owner == owner)


def finish_all(connection: Connection, owners: Sequence[str]) -> None:
    """As `finish`, for every key that a document holds, on whichever route. For what ends behind the back of some of its routes: in a
    batch, or by a person's decision."""
    table, event = schema.once_key, schema.event
    for start in range(0, len(owners), 900):
        mine = table.c.owner.in_(owners[start : start + 900])
        select = sa.select(table.c.route, table.c.owner).where(mine, table.c.status == OnceStatus.PENDING)
        for row in connection.execute(select).all():
            of = (event.c.message_id == row.owner, event.c.stage == Stage.MATCHED)
            newest = sa.select(event.c.detail).where(*of).order_by(event.c.id.desc()).limit(1)
            routes = orjson.loads(connection.execute(newest).scalar() or "{}").get("routes", {})
            if destinations := tuple(routes.get(row.route, ())):
                finish(connection, [(row.route, row.owner, destinations)])


def free(connection: Connection, owners: Iterable[tuple[str, str]]) -> None:
    """For each (route, owner): free, unless it is done: what was delivered stays delivered."""
    table = schema.once_key
    for route, owner in owners:
        move(connection, OnceStatus.PENDING, OnceStatus.FREED, table.c.route == route, table.c.owner == owner)


def move(connection: Connection, before: OnceStatus, after: OnceStatus, *which: sa.ColumnElement[bool]) -> None:
    table = schema.once_key
    update = sa.update(table).where(*which, table.c.status == before)
    connection.execute(update.values(status=after, updated_at=now_of(connection)))


def settle_dead(connection: Connection, delivered: Iterable[tuple[str, str]]) -> None:
    """A document that was dropped again after it had died, and was delivered this time: its dead letter is no work any more."""
    table = schema.dead_letter
    for document_id, destination in delivered:
        _overtaken(connection, table.c.message_id == document_id, table.c.destinations == destination)


def overtake(connection: Connection, documents: Sequence[str]) -> None:
    """The same for what had died before it had a destination: it could not be read, or no route took it."""
    table = schema.dead_letter
    for start in range(0, len(documents), 900):
        mine = table.c.message_id.in_(documents[start : start + 900])
        _overtaken(connection, mine, table.c.kind.in_(("source", "unmatched")))


def _overtaken(connection: Connection, *which: sa.ColumnElement[bool]) -> None:
    table = schema.dead_letter
    values = {
        "status": DeadStatus.OVERTAKEN,
        "reason": "its bytes came again and were delivered",
        "decided_at": now_of(connection),
    }
    connection.execute(sa.update(table).where(*which, table.c.status == DeadStatus.DEAD).values(**values))
