"""Copies that ought to be under way, as the journal knows them: from it a copy is made again when no queue has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.dead_letter import BURYING
from hub.core.effect import OPEN, UNDER_WAY, EffectStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches.open_batches import publish_batches_again
from hub.journal.commit.bulk import select_in
from hub.journal.copies.open_place import OpenPlace, names, row_waits
from hub.journal.copies.wait import Wait
from hub.journal.database.clock import database_now
from hub.journal.deliveries.decided import facts_in
from hub.journal.journal import Journal
from hub.journal.processes.processes import living
from hub.journal.rows import DeadLetterRow, DecisionRow, EffectRow, EventRow, MessageRow, columns, typed

ABANDONED = 300.0
"""Seconds after which nobody has taken over what a dead process left prepared."""

LOST = 600.0
"""Seconds after which an effect that is open should be in a queue, in work, or a row that waits."""

AT_ONCE = 200

IS_OPEN = sa.literal_column(f"effect.status IN {schema.listed(OPEN)}", sa.Boolean)
"""As the index has it: with bound values it would not be used."""

COPY = "copy"
"""Of the detail of a `matched` event: what its copies carry beside the document and its facts."""


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A copy for one route. `send`: the destinations that were decided, `open` those that have no outcome. `event`:
    where the decision stands in the journal."""

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
    facts: Mapping[str, Any]
    correlation_id: str | None
    hops: int
    parent: str | None


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """How many effects of a route are open, claimed by nobody who lives, and no row that waits; since when the oldest
    is."""

    route: str
    count: int
    oldest: float


class OpenCopies:
    """Asks the journal. Every method raises JournalUnavailable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def page(self, after: int, size: int = AT_ONCE) -> tuple[list[OpenCopy], int | None]:
        """The open copies of the next decisions after an event, and the last event looked at; None: there are no
        more."""
        event = schema.event
        decided = (event.c.id > after, event.c.stage == Stage.MATCHED)
        wanted = sa.select(*columns(DecisionRow, event)).where(*decided).order_by(event.c.id).limit(size)

        async def query(connection: AsyncConnection) -> tuple[list[OpenCopy], int | None]:
            rows = typed(DecisionRow, await connection.execute(wanted))
            return await _copies(connection, rows), rows[-1].id if rows else None

        return await self._journal.read(query)

    async def take_abandoned(self, routes: Collection[str], older: float = ABANDONED) -> list[OpenCopy]:
        """What dead processes left prepared, `older` seconds ago or more, on these routes; nobody else takes it within
        as long again."""
        effect, sqlite = schema.effect, self._journal.is_sqlite
        now = database_now(sqlite)
        old = sa.and_(
            IS_OPEN,
            effect.c.status == EffectStatus.PREPARED,
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
            await publish_batches_again(connection, schema.batch.c.id.in_(list(taken)))
            event = schema.event
            decided = (event.c.message_id.in_(list(taken)), event.c.stage == Stage.MATCHED)
            select = sa.select(*columns(DecisionRow, event)).where(*decided).order_by(event.c.id)
            rows = {row.message_id: row for row in typed(DecisionRow, await connection.execute(select))}
            copies = await _copies(connection, list(rows.values()))
            return [copy for copy in copies if taken[copy.document_id].intersection(copy.open)]

        return await self._journal.change(write)

    async def batches(self) -> set[tuple[str, str]]:
        """Has every batch without an outcome published again. Batch and destination of all that are to be published
        now."""
        batch = schema.batch
        unpublished = sa.select(batch.c.id, batch.c.destination).where(batch.c.published_at.is_(None))

        async def write(connection: AsyncConnection) -> set[tuple[str, str]]:
            await publish_batches_again(connection)
            return {(row[0], row[1]) for row in (await connection.execute(unpublished)).all()}

        return await self._journal.change(write)

    async def open_since(self, at: float) -> set[tuple[str, str]]:
        """Document and destination of what began before, is open, is sent by nobody now, and waits as no row."""
        effect = schema.effect
        nobodys = sa.or_(effect.c.claimed_by.is_(None), effect.c.claimed_by.not_in(living(self._journal.is_sqlite)))
        select = sa.select(effect.c.document_id, effect.c.destination)
        wanted = select.where(effect.c.status.in_(UNDER_WAY), effect.c.first_at < at, nobodys, _not_waiting())

        async def query(connection: AsyncConnection) -> set[tuple[str, str]]:
            return {(row[0], row[1]) for row in (await connection.execute(wanted)).all()}

        return await self._journal.read(query)

    async def unclaimed(self, older: float = LOST) -> list[OpenRoute]:
        """By route: open effects that only a queue can hold."""
        effect, sqlite = schema.effect, self._journal.is_sqlite
        nobodys = sa.or_(effect.c.claimed_by.is_(None), effect.c.claimed_by.not_in(living(sqlite)))
        wants = columns(OpenRoute, effect, count=sa.func.count(), oldest=sa.func.min(effect.c.updated_at))
        select = sa.select(*wants)
        old = effect.c.updated_at < database_now(sqlite) - older
        grouped = select.where(IS_OPEN, old, nobodys, _not_waiting()).group_by(effect.c.route).order_by(effect.c.route)

        return await self._journal.rows(OpenRoute, grouped)


def _not_waiting() -> Any:
    return sa.not_(row_waits(schema.effect.c.document_id, schema.effect.c.destination))


async def _copies(connection: AsyncConnection, decisions: Sequence[DecisionRow]) -> list[OpenCopy]:
    """The open copies of these `matched` events."""
    return await connection.run_sync(_copies_of, decisions)


def _copies_of(connection: Connection, decisions: Sequence[DecisionRow]) -> list[OpenCopy]:
    ids = list({row.message_id for row in decisions})
    message, effect = schema.message, schema.effect
    messages = {row.id: row for row in select_in(connection, MessageRow, message, message.c.id, ids)}
    effects: dict[str, dict[str, EffectRow]] = defaultdict(dict)
    for one in select_in(connection, EffectRow, effect, effect.c.document_id, ids):
        effects[one.document_id][one.destination] = one
    places = _places(connection, ids)
    found: list[OpenCopy] = []
    for row in decisions:
        came, detail = messages.get(row.message_id), orjson.loads(row.detail or "{}")
        if came is None or COPY not in detail or came.canonical is None:
            continue
        for route, decided in detail.get("routes", {}).items():
            known, place = effects[row.message_id], places[row.message_id, route]
            others = [name for name, one in known.items() if one.route == route]
            send = dict.fromkeys([*decided, *sorted(others), *sorted(place.replayed)])
            mine = {name: known.get(name) for name in send}
            found += _of_route(row, came, detail, route, mine, place)
    return found


def _places(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str | None], OpenPlace]:
    """What is recorded of documents on their routes, beside their effects."""
    event, dead, waiting = schema.event, schema.dead_letter, schema.waiting
    places: dict[tuple[str, str | None], OpenPlace] = defaultdict(OpenPlace)
    repeats = event.c.stage == Stage.DUPLICATE
    for repeated in select_in(connection, EventRow, event, event.c.message_id, ids, repeats):
        places[repeated.message_id, repeated.route].ended = True
    for letter in select_in(connection, DeadLetterRow, dead, dead.c.message_id, ids):
        place = places[letter.message_id, letter.route]
        place.ended = True
        (place.buried if letter.status in BURYING else place.replayed).update(names(letter.destinations))
    for wait in select_in(connection, Wait, waiting, waiting.c.document_id, ids):
        places[wait.document_id, wait.route].waiting.update(names(wait.destinations))
    return places


def _of_route(
    event: DecisionRow,
    message: MessageRow,
    detail: Mapping[str, Any],
    route: str,
    effects: Mapping[str, EffectRow | None],
    place: OpenPlace,
) -> Iterable[OpenCopy]:
    """One copy for all destinations that were not tried, and one for each that was."""
    by_attempt: dict[int, list[str]] = defaultdict(list)
    tried: list[tuple[str, int]] = []
    for name, effect in effects.items():
        if not place.is_open(name, effect, route):
            continue
        if effect is not None and effect.attempts:
            tried.append((name, effect.attempts + 1))
        else:
            by_attempt[1].append(name)
    carried = detail[COPY]
    facts = facts_in(detail)
    if facts is None:  # an earlier release decided: it has numbers and dates as text, as copies carry them
        facts = dict(orjson.loads(carried["facts"]))
    parts = [(tuple(names), attempt) for attempt, names in by_attempt.items()]
    for opened, attempt in [*parts, *(((name,), attempt) for name, attempt in tried)]:
        yield OpenCopy(
            event=event.id,
            document_id=event.message_id,
            document=message.document or "",
            canonical=message.canonical or "",
            source=str(facts.get("source") or message.source),
            route=route,
            table=detail.get("table", ""),
            send=tuple(effects),
            open=opened,
            attempt=attempt,
            facts=facts,
            correlation_id=carried.get("correlation_id", event.message_id),
            hops=carried.get("hops", 0),
            parent=detail.get("parent"),
        )
