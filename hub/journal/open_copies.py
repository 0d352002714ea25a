"""Copies that ought to be under way, as the journal knows them: from it a copy is made again when no queue has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.clock import database_now
from hub.journal.journal import Journal
from hub.journal.processes import living

ABANDONED = 300.0
"""Seconds after which nobody has taken over what a dead process left prepared."""

LOST = 600.0
"""Seconds after which an effect that is open should be in a queue, in work, or a row that waits."""

AT_ONCE = 200

UNDER_WAY = ("prepared", "retrying", "replaying", "released")

OPEN = sa.literal_column("effect.status IN ('prepared', 'retrying')", sa.Boolean)
"""As the index has it: with bound values it would not be used."""

COPY = "copy"
"""Of the detail of a `matched` event: what its copies carry beside the document."""


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A copy for one route. `send`: the destinations that were decided, `open` those that have no outcome. `event`: where the
    decision stands in the journal."""

    event: int
    document_id: str
    document: str
    canonical: str
    source: str
    route: str
    table: str
    send: tuple[str, ...]
    open: tuple[str, ...]
    attempt: int
    facts: str
    correlation_id: str | None
    hops: int
    parent: str | None


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """How many effects of a route are open, claimed by nobody who lives, and no row that waits; since when the oldest is."""

    route: str
    count: int
    oldest: float


class OpenCopies:
    """Asks the journal. Every method raises JournalUnavailable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def page(self, after: int, size: int = AT_ONCE) -> tuple[list[OpenCopy], int | None]:
        """The open copies of the next decisions after an event, and the last event looked at; None: there are no more."""
        event = schema.event
        wanted = sa.select(event).where(event.c.id > after, event.c.stage == "matched").order_by(event.c.id).limit(size)

        async def query(connection: AsyncConnection) -> tuple[list[OpenCopy], int | None]:
            rows = (await connection.execute(wanted)).all()
            return await _copies(connection, rows), rows[-1].id if rows else None

        found: tuple[list[OpenCopy], int | None] = await self._journal.read(query)
        return found

    async def take_abandoned(self, routes: Collection[str], older: float = ABANDONED) -> list[OpenCopy]:
        """What dead processes left prepared, `older` seconds ago or more, on these routes; nobody else takes it within as long again."""
        effect, sqlite = schema.effect, self._journal.is_sqlite
        now = database_now(sqlite)
        old = sa.and_(
            OPEN,
            effect.c.status == "prepared",
            effect.c.updated_at < now - older,
            effect.c.claimed_by.is_not(None),
            effect.c.claimed_by.not_in(living(sqlite)),
            effect.c.route.in_(list(routes)),
        )
        key = (effect.c.document_id, effect.c.destination)
        some = sa.select(*key).where(old, _not_waiting()).order_by(effect.c.updated_at).limit(AT_ONCE)

        async def write(connection: AsyncConnection) -> list[OpenCopy]:
            taken: dict[str, set[str]] = defaultdict(set)
            for document_id, destination in (await connection.execute(some)).all():
                mine = (effect.c.document_id == document_id, effect.c.destination == destination, old)
                mark = await connection.execute(sa.update(effect).where(*mine).values(updated_at=now))
                if mark.rowcount == 1:
                    taken[document_id].add(destination)
            if not taken:
                return []
            event = schema.event
            decided = sa.select(event).where(event.c.message_id.in_(list(taken)), event.c.stage == "matched")
            rows = {row.message_id: row for row in (await connection.execute(decided.order_by(event.c.id))).all()}
            copies = await _copies(connection, list(rows.values()))
            return [copy for copy in copies if taken[copy.document_id].intersection(copy.open)]

        return list(await self._journal.read(write))

    async def unclaimed(self, older: float = LOST) -> list[OpenRoute]:
        """By route: open effects that only a queue can hold."""
        effect, sqlite = schema.effect, self._journal.is_sqlite
        nobodys = sa.or_(effect.c.claimed_by.is_(None), effect.c.claimed_by.not_in(living(sqlite)))
        select = sa.select(effect.c.route, sa.func.count(), sa.func.min(effect.c.updated_at))
        old = effect.c.updated_at < database_now(sqlite) - older
        grouped = select.where(OPEN, old, nobodys, _not_waiting()).group_by(effect.c.route).order_by(effect.c.route)

        async def query(connection: AsyncConnection) -> list[OpenRoute]:
            return [OpenRoute(*row) for row in (await connection.execute(grouped)).all()]

        return list(await self._journal.read(query))


def _not_waiting() -> Any:
    waiting, effect = schema.waiting, schema.effect
    same = (waiting.c.document_id == effect.c.document_id, waiting.c.route == effect.c.route)
    return sa.not_(sa.exists().where(*same))


async def _copies(connection: AsyncConnection, decisions: Sequence[Any]) -> list[OpenCopy]:
    """The open copies of these `matched` events."""
    ids = list({row.message_id for row in decisions})
    if not ids:
        return []

    async def of(table: sa.Table, column: str, *more: Any) -> list[Any]:
        return list((await connection.execute(sa.select(table).where(table.c[column].in_(ids), *more))).all())

    messages = {row.id: row for row in await of(schema.message, "id")}
    effects = {(row.document_id, row.destination): row for row in await of(schema.effect, "document_id")}
    ended = {
        (row.message_id, row.route) for row in await of(schema.event, "message_id", schema.event.c.stage == "duplicate")
    }
    buried = {(row.message_id, row.route) for row in await of(schema.dead_letter, "message_id")}
    waiting = {(row.document_id, row.route) for row in await of(schema.waiting, "document_id")}
    found: list[OpenCopy] = []
    for row in decisions:
        message, detail = messages.get(row.message_id), orjson.loads(row.detail or "{}")
        if message is None or COPY not in detail or message.canonical is None:
            continue
        for route, send in detail.get("routes", {}).items():
            place = (row.message_id, route)
            if place not in ended and place not in waiting:
                mine = {name: effects.get((row.message_id, name)) for name in send}
                found += _of_route(row, message, detail, route, mine, place in buried)
    return found


def _of_route(
    event: Any, message: Any, detail: Mapping[str, Any], route: str, effects: Mapping[str, Any], buried: bool
) -> Iterable[OpenCopy]:
    """One copy for all destinations that were not tried, and one for each that was."""
    by_attempt: dict[int, list[str]] = defaultdict(list)
    tried: list[tuple[str, int]] = []
    for name, effect in effects.items():
        if effect is None:
            if not buried:
                by_attempt[1].append(name)
        elif effect.status in UNDER_WAY or (effect.status == "dead" and not buried):
            if effect.attempts:
                tried.append((name, effect.attempts + 1))
            else:
                by_attempt[1].append(name)
    parts = [(tuple(names), attempt) for attempt, names in by_attempt.items()]
    for names, attempt in [*parts, *(((name,), attempt) for name, attempt in tried)]:
        carried = detail[COPY]
        yield OpenCopy(
            event=event.id,
            document_id=event.message_id,
            document=message.document,
            canonical=message.canonical,
            source=detail.get("source", message.source),
            route=route,
            table=detail.get("table", ""),
            send=tuple(effects),
            open=names,
            attempt=attempt,
            facts=carried["facts"],
            correlation_id=carried.get("correlation_id"),
            hops=carried.get("hops", 0),
            parent=detail.get("parent"),
        )
