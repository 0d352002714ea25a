"""What people decide: dead letters replayed or discarded, holds released or rejected. Each step is a compare-and-set, so that
two people, two processes or a crash in the middle never decide twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.chosen import choose
from hub.core.errors import UNCONFIRMED
from hub.core.identity import idempotency_key
from hub.journal import batch_members, schema
from hub.journal.acknowledgments import OVERDUE
from hub.journal.confirming import confirm
from hub.journal.journal import Journal

DEFINITE = ("RejectedError", "MappingError", "ConfigError")
"""Errors after which nothing can have happened at the far end: a replay renders anew, under a new key."""


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters. Ages in seconds. Everything that is stated must hold."""

    ids: tuple[str, ...] = ()
    kind: str | None = None
    route: str | None = None
    source: str | None = None
    destination: str | None = None
    error: str | None = None
    partner: str | None = None
    older: float | None = None
    newer: float | None = None
    owner: str | None = None
    status: tuple[str, ...] = ("dead",)

    def where(self, now: float) -> list[sa.ColumnElement[bool]]:
        table = schema.dead_letter.c
        found: list[sa.ColumnElement[bool]] = []
        if self.status:
            found.append(table.status.in_(self.status))
        if self.ids:
            found.append(sa.or_(*(table.id.startswith(id, autoescape=True) for id in self.ids)))
        for column, value in (
            ("kind", self.kind),
            ("route", self.route),
            ("source", self.source),
            ("partner", self.partner),
            ("owner", self.owner),
        ):
            if value is not None:
                found.append(table[column] == value)
        if self.destination is not None:
            found.append(
                (sa.literal(",") + table.destinations + ",").contains(f",{self.destination},", autoescape=True)
            )
        if self.error is not None:
            found.append(
                sa.or_(
                    table.error == self.error, sa.func.lower(table.cause).contains(self.error.lower(), autoescape=True)
                )
            )
        if self.older is not None:
            found.append(table.dead_at <= now - self.older)
        if self.newer is not None:
            found.append(table.dead_at >= now - self.newer)
        return found


MOST_DECIDED = 100_000
"""Dead letters that one command decides."""

MOST_IDS = 200
"""Ids that one query asks for."""


class Decisions:
    """Compare-and-set on dead letters and holds."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def dead_letters(self, wanted: DeadFilter, now: float, limit: int = 1000) -> list[Any]:
        """Rows of dead_letter, oldest first; with each the `file` it came in as, the `claim` of that and the `position` in it."""
        table, message = schema.dead_letter, schema.message
        came = (message.c.name.label("file"), message.c.claim, message.c.position)

        async def query(connection: AsyncConnection) -> Sequence[Any]:
            select = sa.select(table, *came).outerjoin(message, message.c.id == table.c.message_id)
            ordered = select.where(*wanted.where(now)).order_by(table.c.dead_at, table.c.id).limit(limit)
            return (await connection.execute(ordered)).all()

        return list(await self._journal.read(query))

    async def chosen_dead(self, wanted: DeadFilter, now: float) -> tuple[list[Any], tuple[str, ...]]:
        """The dead letters that are to be decided, and why each id that names none of them does not."""
        rows = await self.dead_letters(wanted, now, MOST_DECIDED)
        if not wanted.ids:
            return rows, ()
        known = await self.dead_letters(DeadFilter(wanted.ids, status=()), now, MOST_DECIDED)
        chosen = choose(wanted.ids, known, "dead letter")
        fitting, refused = {row.id for row in rows}, list(chosen.refused)
        for row in chosen.rows:
            if row.id not in fitting:
                state = "the other options leave it out" if row.status in wanted.status else f"{row.status} already"
                refused.append(f"{row.id[:12]}: {state}")
        return [row for row in chosen.rows if row.id in fitting], tuple(refused)

    async def count_dead(self, wanted: DeadFilter, now: float) -> int:
        """How many there are, whatever the limit of a list."""

        async def query(connection: AsyncConnection) -> int:
            select = sa.select(sa.func.count()).select_from(schema.dead_letter).where(*wanted.where(now))
            return int((await connection.execute(select)).scalar_one())

        return int(await self._journal.read(query))

    async def begin_replay(self, row: Any, who: str, now: float, render: bool) -> list[str] | None:
        """dead -> replaying. The destinations that are still open; None when somebody else was quicker. An effect that a
        definite refusal ended, or with `render` any, begins a new generation: new bytes, new key."""
        dead, effect = schema.dead_letter, schema.effect

        async def write(connection: AsyncConnection) -> list[str] | None:
            if not await self._move(connection, dead, row.id, ("dead",), "replaying", who, now):
                return None
            wanted = [name for name in row.destinations.split(",") if name]
            states = {
                found.destination: found
                for found in (
                    await connection.execute(
                        sa.select(effect).where(
                            effect.c.document_id == row.message_id, effect.c.destination.in_(wanted)
                        )
                    )
                ).all()
            }
            still = [n for n in wanted if n not in states or states[n].status in ("dead", "prepared", "retrying")]
            for name in still:
                if name in states:
                    anew = render or row.error in DEFINITE
                    await self._reopen(connection, row.message_id, name, "replaying", states[name].generation, anew)
            return still

        return await self._journal.read(write)  # type: ignore[no-any-return]

    async def begin_replay_to(self, row: Any, destination: str, who: str, now: float) -> list[str] | None:
        """dead -> replaying, to another destination than those that it died on: for them the document is discarded. None when somebody else
        was quicker, [] when it has been at that destination."""
        dead, effect = schema.dead_letter, schema.effect
        there = (effect.c.document_id == row.message_id, effect.c.destination == destination)
        old = [name for name in row.destinations.split(",") if name and name != destination]
        open_ = effect.c.status.in_(("dead", "prepared", "retrying", "replaying"))

        async def write(connection: AsyncConnection) -> list[str] | None:
            if not await self._move(connection, dead, row.id, ("dead",), "replaying", who, now):
                return None
            state = (await connection.execute(sa.select(effect).where(*there))).first()
            if state is not None and state.status not in ("dead", "prepared", "retrying"):
                return []
            await connection.execute(sa.update(dead).where(dead.c.id == row.id).values(destinations=destination))
            mine = (effect.c.document_id == row.message_id, effect.c.destination.in_(old), open_)
            ended = {"status": "discarded", "text": f"sent to {destination} instead, by {who}", "claimed_by": None}
            await connection.execute(sa.update(effect).where(*mine).values(**ended, updated_at=now))
            if state is not None:
                await self._reopen(connection, row.message_id, destination, "replaying", state.generation, False)
            return [destination]

        return await self._journal.read(write)  # type: ignore[no-any-return]

    async def undo(self, table: sa.Table, id: str, reason: str) -> None:
        """replaying -> dead, releasing -> open: what could not be published is back in the list, with the reason."""
        during, before = ("replaying", "dead") if table is schema.dead_letter else ("releasing", "open")

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(
                sa.update(table).where(table.c.id == id, table.c.status == during).values(status=before, reason=reason)
            )

        await self._journal.read(write)

    async def once_holder(self, route: str, value: str, message_id: str) -> str | None:
        """Who else holds this once-key, and how far they are; None when it is free for this message."""
        table = schema.once_key

        async def query(connection: AsyncConnection) -> Any:
            mine = (table.c.route == route, table.c.value == value)
            return (await connection.execute(sa.select(table).where(*mine))).first()

        row = await self._journal.read(query)
        if row is None or row.owner == message_id or row.status == "freed":
            return None
        return f"{row.owner} ({row.status})"

    async def end_replay(self, id: str, text: str, now: float) -> None:
        """replaying -> replayed, once the copy is confirmed."""
        table = schema.dead_letter

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(
                sa.update(table)
                .where(table.c.id == id, table.c.status == "replaying")
                .values(status="replayed", reason=text, decided_at=now)
            )

        await self._journal.read(write)

    async def discard(self, row: Any, who: str, reason: str, now: float) -> bool:
        """dead -> discarded: its open destinations are closed for good, its once-key is free."""
        dead, effect, once = schema.dead_letter, schema.effect, schema.once_key

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move(connection, dead, row.id, ("dead",), "discarded", who, now, reason):
                return False
            names = [name for name in row.destinations.split(",") if name]
            await connection.execute(
                sa.update(effect)
                .where(
                    effect.c.document_id == row.message_id,
                    effect.c.destination.in_(names),
                    effect.c.status.not_in(("delivered", "filtered", "held", batch_members.WAITS)),
                )
                .values(status="discarded", updated_at=now, claimed_by=None)
            )
            await connection.execute(
                sa.update(once)
                .where(once.c.owner == row.message_id, once.c.route == row.route, once.c.status == "pending")
                .values(status="freed")
            )
            text = f"by {who}: {reason}"
            await self._event(connection, row.message_id, now, "discarded", row.route, row.destinations, text)
            await connection.run_sync(batch_members.end, row.message_id, "discarded", now, text)
            return True

        return bool(await self._journal.read(write))

    async def holds(self, status: Sequence[str], ids: Sequence[str] = (), name: str | None = None) -> list[Any]:
        """Rows of hold, oldest first. `ids`: how they begin."""
        if len(ids) > MOST_IDS:
            parts = [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
            rows = [row for part in parts for row in await self.holds(status, part, name)]
            return sorted(rows, key=lambda row: (row.held_at, row.id))
        table = schema.hold

        async def query(connection: AsyncConnection) -> Sequence[Any]:
            select = sa.select(table).order_by(table.c.held_at, table.c.id)
            if status:
                select = select.where(table.c.status.in_(status))
            if ids:
                select = select.where(sa.or_(*(table.c.id.startswith(id, autoescape=True) for id in ids)))
            if name is not None:
                select = select.where(table.c.name == name)
            return (await connection.execute(select)).all()

        return list(await self._journal.read(query))

    async def released_from(self, document_id: str, destination: str) -> frozenset[str]:
        """The holds from which people have let a document go, at a destination."""
        table = schema.hold
        mine = (table.c.document_id == document_id, table.c.destination == destination)
        gone = table.c.status.in_(("released", "releasing"))

        async def query(connection: AsyncConnection) -> frozenset[str]:
            return frozenset((await connection.execute(sa.select(table.c.name).where(*mine, gone))).scalars())

        found: frozenset[str] = await self._journal.read(query)
        return found

    async def begin_release(self, row: Any, who: str, reason: str, now: float) -> bool:
        """open -> releasing; the effect begins a new generation with a new key. What was only not acknowledged in time, or not
        confirmed, goes again as it is, under its name and key: the partner may have it."""

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move(connection, schema.hold, row.id, ("open",), "releasing", who, now, reason):
                return False
            effect = schema.effect
            generation = (
                await connection.execute(
                    sa.select(effect.c.generation).where(
                        effect.c.document_id == row.document_id, effect.c.destination == row.destination
                    )
                )
            ).scalar_one()
            anew = row.name not in (OVERDUE, UNCONFIRMED)
            await self._reopen(connection, row.document_id, row.destination, "released", generation, anew)
            text = f"{row.name} released by {who}" + (f": {reason}" if reason else "")
            await self._event(connection, row.document_id, now, "released", row.route, row.destination, text)
            return True

        return bool(await self._journal.read(write))

    async def confirm(self, row: Any, who: str, reason: str, now: float) -> bool:
        """open -> delivered, of what may have been delivered. False: somebody else has decided."""

        async def write(connection: AsyncConnection) -> bool:
            return bool(await connection.run_sync(confirm, row, who, reason, now))

        return bool(await self._journal.read(write))

    async def end_release(self, id: str) -> None:
        """releasing -> released, once the copy is confirmed."""
        table = schema.hold

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(
                sa.update(table).where(table.c.id == id, table.c.status == "releasing").values(status="released")
            )

        await self._journal.read(write)

    async def reject(self, row: Any, who: str, reason: str, now: float) -> bool:
        """open -> rejected: the document never goes to that destination; its once-key is free. What was only not acknowledged in
        time has gone there, and stays delivered."""
        effect, once = schema.effect, schema.once_key

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move(connection, schema.hold, row.id, ("open",), "rejected", who, now, reason):
                return False
            if row.name != OVERDUE:
                await connection.execute(
                    sa.update(effect)
                    .where(effect.c.document_id == row.document_id, effect.c.destination == row.destination)
                    .values(status="rejected", updated_at=now, claimed_by=None)
                )
                await connection.execute(
                    sa.update(once)
                    .where(once.c.owner == row.document_id, once.c.route == row.route, once.c.status == "pending")
                    .values(status="freed")
                )
                await connection.run_sync(
                    batch_members.end, row.document_id, "rejected", now, f"{row.name} rejected by {who}: {reason}"
                )
            text = f"{row.name} rejected by {who}" + (f": {reason}" if reason else "")
            await self._event(connection, row.document_id, now, "rejected", row.route, row.destination, text)
            return True

        return bool(await self._journal.read(write))

    @staticmethod
    async def _move(
        connection: AsyncConnection,
        table: sa.Table,
        id: str,
        before: Sequence[str],
        after: str,
        who: str,
        now: float,
        reason: str | None = None,
    ) -> bool:
        moved = await connection.execute(
            sa.update(table)
            .where(table.c.id == id, table.c.status.in_(before))
            .values(status=after, decided_by=who, decided_at=now, reason=reason)
        )
        return bool(moved.rowcount == 1)

    @staticmethod
    async def _reopen(
        connection: AsyncConnection, document_id: str, destination: str, status: str, generation: int, anew: bool
    ) -> None:
        effect = schema.effect
        values: dict[str, Any] = {"status": status, "claimed_by": None, "mark": None}
        if anew:
            key = idempotency_key(document_id, destination, generation + 1)
            values |= {"generation": generation + 1, "key": key, "claim": None, "content_type": None}
            values |= {"facts": None, "expect_ack": None, "address": None}
        await connection.execute(
            sa.update(effect)
            .where(effect.c.document_id == document_id, effect.c.destination == destination)
            .values(**values)
        )

    @staticmethod
    async def _event(
        connection: AsyncConnection,
        message_id: str,
        now: float,
        stage: str,
        route: str | None,
        destination: str | None,
        text: str,
    ) -> None:
        values = {
            "message_id": message_id,
            "at": now,
            "stage": stage,
            "route": route,
            "destination": destination,
            "text": text,
        }
        await connection.execute(sa.insert(schema.event).values(values))
        said = batch_members.BatchSays(message_id, now, stage, route, destination, None, text)
        await connection.run_sync(batch_members.tell, [said])
