"""Once-keys: pending until the effects of their owner are recorded, then done or free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.dead_letter import DeadStatus
from hub.core.effect import DONE, ENDED
from hub.core.once_key import OnceStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.bulk import select_in, stored
from hub.journal.commit.writer import Change, Question
from hub.journal.database.clock import now_of
from hub.journal.deliveries.effects import EffectKey
from hub.journal.rows import OnceRow


class OnceOwner(NamedTuple):
    """A message that holds the once-key of a route, and where that route sends it."""

    route: str
    owner: str
    destinations: tuple[str, ...]


class OnceHeld(NamedTuple):
    """A message that holds the once-key of a route."""

    route: str
    owner: str


class OnceAsked(NamedTuple):
    """A value of a route's once-key."""

    route: str
    value: str


class OnceState(NamedTuple):
    """Who holds a once-key, and how far they are."""

    owner: str
    status: OnceStatus


STATUSES = {status.value: status for status in OnceStatus}
"""By the text of a row. With one that only a newer release knows, the key is not free."""


def holders(connection: Connection, asked: Sequence[OnceAsked]) -> dict[OnceAsked, OnceState]:
    """Who holds each of the keys."""
    kept = {one: (stored(connection, one.route), stored(connection, one.value)) for one in asked}
    values = list({value for _, value in kept.values()})
    found = select_in(connection, OnceRow, schema.once_key, schema.once_key.c.value, values)
    rows = {(row.route, row.value): OnceState(row.owner, STATUSES.get(row.status, OnceStatus.PENDING)) for row in found}
    return {one: rows[place] for one, place in kept.items() if place in rows}


def finish(connection: Connection, owners: Iterable[OnceOwner]) -> None:
    """Done when all effects are delivered or filtered, whichever route brought them about; free when
    one has ended otherwise and nothing of it is under way; else it stays pending."""
    table, effect = schema.once_key, schema.effect
    for route, owner, destinations in dict.fromkeys(owners):
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
    """As `finish`, for every key that a document holds, on whichever route. For what ends behind the back of some of
    its routes: in a batch, or by a person's decision."""
    table, event = schema.once_key, schema.event
    owners = list(dict.fromkeys(owners))
    for start in range(0, len(owners), 900):
        mine = table.c.owner.in_(owners[start : start + 900])
        select = sa.select(table.c.route, table.c.owner).where(mine, table.c.status == OnceStatus.PENDING)
        for row in connection.execute(select).all():
            of = (event.c.message_id == row.owner, event.c.stage == Stage.MATCHED)
            newest = sa.select(event.c.detail).where(*of).order_by(event.c.id.desc()).limit(1)
            routes = orjson.loads(connection.execute(newest).scalar() or "{}").get("routes", {})
            if destinations := tuple(routes.get(row.route, ())):
                finish(connection, [OnceOwner(row.route, row.owner, destinations)])


def free(connection: Connection, held: Iterable[OnceHeld]) -> None:
    """Free, unless it is done: what was delivered stays delivered."""
    table = schema.once_key
    for route, owner in dict.fromkeys(held):
        move(connection, OnceStatus.PENDING, OnceStatus.FREED, table.c.route == route, table.c.owner == owner)


def move(connection: Connection, before: OnceStatus, after: OnceStatus, *which: sa.ColumnElement[bool]) -> None:
    table = schema.once_key
    update = sa.update(table).where(*which, table.c.status == before)
    connection.execute(update.values(status=after, updated_at=now_of(connection)))


def settle_dead(connection: Connection, delivered: Iterable[EffectKey]) -> None:
    """A document that was dropped again after it had died, and was delivered this time: its dead letter is no work any
    more."""
    table = schema.dead_letter
    for document_id, destination in dict.fromkeys(delivered):
        _overtaken(connection, table.c.message_id == document_id, table.c.destinations == destination)


def overtake(connection: Connection, documents: Sequence[str]) -> None:
    """The same for what had died before it had a destination: it could not be read, or no route took it."""
    table = schema.dead_letter
    if connection.execute(sa.select(table.c.id).where(table.c.status == DeadStatus.DEAD).limit(1)).first() is None:
        return  # nothing is dead, as nearly always
    documents = list(dict.fromkeys(documents))
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


HOLDERS: Question[OnceAsked, OnceAsked, OnceState] = Question(holders, lambda one: one)
FINISH: Change[OnceOwner] = Change(finish)
FINISH_ALL: Change[str] = Change(finish_all)
FREE: Change[OnceHeld] = Change(free)
SETTLE_DEAD: Change[EffectKey] = Change(settle_dead)
OVERTAKE: Change[str] = Change(overtake)
