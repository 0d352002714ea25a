"""What people decide: dead letters replayed or discarded, holds released or rejected. Each step is a compare-and-set,
so that two people, two processes or a crash in the middle never decide twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.dead_letter import DeadStatus
from hub.core.effect import Act, EffectStatus
from hub.core.errors import UNCONFIRMED
from hub.core.hold import HoldStatus
from hub.core.identity import idempotency_key
from hub.core.once_key import OnceStatus
from hub.core.options.chosen import choose
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.batches import batch_members
from hub.journal.batches.batch_members import BatchSays
from hub.journal.deliveries import effects, once_keys
from hub.journal.deliveries.confirming import confirm
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.once_keys import OnceHeld
from hub.journal.interchanges.acknowledgments import OVERDUE
from hub.journal.journal import Journal
from hub.journal.rows import DeadLetterFound, EffectRow, HoldRow, OnceRow, columns, typed

DEFINITE = ("RejectedError", "MappingError", "ConfigError")
"""Errors after which nothing can have happened at the far end: a replay renders anew, under a new key."""


MOST_DECIDED = 100_000
"""Dead letters that one command decides."""

MOST_IDS = 200
"""Ids that one query asks for."""


class Decisions:
    """Compare-and-set on dead letters and holds."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def dead_letters(self, wanted: DeadFilter, now: float, limit: int = 1000) -> list[DeadLetterFound]:
        """The oldest first."""
        table, message = schema.dead_letter, schema.message
        wants = columns(DeadLetterFound, table, message, file=message.c.name)
        select = sa.select(*wants).outerjoin_from(table, message, message.c.id == table.c.message_id)
        ordered = select.where(*wanted.where(now)).order_by(table.c.dead_at, table.c.id).limit(limit)

        return await self._journal.rows(DeadLetterFound, ordered)

    async def chosen_dead(self, wanted: DeadFilter, now: float) -> tuple[list[DeadLetterFound], tuple[str, ...]]:
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

        return await self._journal.read(query)

    async def begin_replay(self, row: DeadLetterFound, who: str, now: float, render: bool) -> list[str] | None:
        """dead -> replaying. The destinations that are still open; None when somebody else was quicker. An effect that
        a definite refusal ended, or with `render` any, begins a new generation: new bytes, new key."""
        effect = schema.effect

        async def write(connection: AsyncConnection) -> list[str] | None:
            if not await self._move_dead(connection, row.id, DeadStatus.REPLAYING, who, now):
                return None
            wanted = [name for name in row.destinations.split(",") if name]
            select = sa.select(*columns(EffectRow, effect)).where(effect.c.document_id == row.message_id)
            found = await connection.execute(select.where(effect.c.destination.in_(wanted)))
            states = {one.destination: one for one in typed(EffectRow, found)}
            still = [name for name in wanted if name not in states or states[name].status in Act.REPLAY.before]
            for name in still:
                if name in states:
                    generation = states[name].generation if render or row.error in DEFINITE else None
                    await connection.execute(
                        _send_again(Act.REPLAY, EffectStatus.REPLAYING, row.message_id, name, generation)
                    )
            return still

        return await self._journal.change(write)

    async def begin_replay_to(self, row: DeadLetterFound, destination: str, who: str, now: float) -> list[str] | None:
        """dead -> replaying, to another destination than those that it died on: for them the document is discarded.
        None when somebody else was quicker, [] when it has been at that destination."""
        dead, effect = schema.dead_letter, schema.effect
        there = effects.at(row.message_id, destination)
        old = [name for name in row.destinations.split(",") if name and name != destination]

        async def write(connection: AsyncConnection) -> list[str] | None:
            if not await self._move_dead(connection, row.id, DeadStatus.REPLAYING, who, now):
                return None
            status = (await connection.execute(sa.select(effect.c.status).where(there))).scalar()
            if status is not None and status not in Act.REPLAY.before:
                return []
            await connection.execute(sa.update(dead).where(dead.c.id == row.id).values(destinations=destination))
            mine = (effect.c.document_id == row.message_id, effect.c.destination.in_(old))
            ended = effects.move(Act.REDIRECT, EffectStatus.DISCARDED, *mine)
            await connection.execute(ended.values(text=f"sent to {destination} instead, by {who}", updated_at=now))
            await connection.execute(_send_again(Act.REPLAY, EffectStatus.REPLAYING, row.message_id, destination, None))
            return [destination]

        return await self._journal.change(write)

    async def undo_replay(self, id: str, reason: str) -> None:
        """replaying -> dead: what could not be published is back in the list, with the reason."""
        await self._step(schema.dead_letter, id, DeadStatus.REPLAYING, DeadStatus.DEAD, reason=reason)

    async def undo_release(self, id: str, reason: str) -> None:
        """releasing -> open: what could not be published is back in the list, with the reason."""
        await self._step(schema.hold, id, HoldStatus.RELEASING, HoldStatus.OPEN, reason=reason)

    async def _step(
        self, table: sa.Table, id: str, before: DeadStatus | HoldStatus, after: DeadStatus | HoldStatus, **values: Any
    ) -> None:
        mine = (table.c.id == id, table.c.status == before)
        await self._journal.execute(sa.update(table).where(*mine).values(status=after, **values))

    async def once_holder(self, route: str, value: str, message_id: str) -> str | None:
        """Who else holds this once-key, and how far they are; None when it is free for this message."""
        table = schema.once_key

        mine = (table.c.route == route, table.c.value == value, table.c.status != OnceStatus.FREED)
        holding = await self._journal.rows(OnceRow, sa.select(*columns(OnceRow, table)).where(*mine))
        return next((f"{row.owner} ({row.status})" for row in holding if row.owner != message_id), None)

    async def end_replay(self, id: str, text: str, now: float) -> None:
        """replaying -> replayed, once the copy is confirmed."""
        decided = {"reason": text, "decided_at": now}
        await self._step(schema.dead_letter, id, DeadStatus.REPLAYING, DeadStatus.REPLAYED, **decided)

    async def discard(self, row: DeadLetterFound, who: str, reason: str, now: float) -> bool:
        """dead -> discarded: its open destinations are closed for good, its once-key is free."""
        effect = schema.effect

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move_dead(connection, row.id, DeadStatus.DISCARDED, who, now, reason):
                return False
            names = [name for name in row.destinations.split(",") if name]
            mine = (effect.c.document_id == row.message_id, effect.c.destination.in_(names))
            await connection.execute(effects.move(Act.DISCARD, EffectStatus.DISCARDED, *mine).values(updated_at=now))
            if row.route is not None:
                await connection.run_sync(once_keys.free, [OnceHeld(row.route, row.message_id)])
            text = f"by {who}: {reason}"
            said = BatchSays(
                batch=row.message_id,
                at=now,
                stage=Stage.DISCARDED,
                route=row.route,
                destination=row.destinations,
                text=text,
            )
            await connection.run_sync(batch_members.record, said)
            await connection.run_sync(batch_members.end, row.message_id, EffectStatus.DISCARDED, now, text)
            return True

        return await self._journal.change(write)

    async def holds(
        self, status: Sequence[HoldStatus], ids: Sequence[str] = (), name: str | None = None
    ) -> list[HoldRow]:
        """The oldest first. `ids`: how they begin."""
        if len(ids) > MOST_IDS:
            parts = [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
            rows = [row for part in parts for row in await self.holds(status, part, name)]
            return sorted(rows, key=lambda row: (row.held_at, row.id))
        table = schema.hold

        select = sa.select(*columns(HoldRow, table)).order_by(table.c.held_at, table.c.id)
        if status:
            select = select.where(table.c.status.in_(status))
        if ids:
            select = select.where(sa.or_(*(table.c.id.startswith(id, autoescape=True) for id in ids)))
        if name is not None:
            select = select.where(table.c.name == name)

        return await self._journal.rows(HoldRow, select)

    async def released_from(self, document_id: str, destination: str) -> frozenset[str]:
        """The holds from which people have let a document go, at a destination."""
        table = schema.hold
        mine = (table.c.document_id == document_id, table.c.destination == destination)
        gone = table.c.status.in_((HoldStatus.RELEASED, HoldStatus.RELEASING))

        async def query(connection: AsyncConnection) -> frozenset[str]:
            return frozenset((await connection.execute(sa.select(table.c.name).where(*mine, gone))).scalars())

        return await self._journal.read(query)

    async def begin_release(self, row: HoldRow, who: str, reason: str, now: float) -> bool:
        """open -> releasing; the effect begins a new generation with a new key. What was only not acknowledged in time,
        or not confirmed, goes again as it is, under its name and key: the partner may have it. Raises Forbidden where a
        person has ended the document at that destination, or where it goes with a batch."""
        effect, mine = schema.effect, effects.at(row.document_id, row.destination)

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move_hold(connection, row.id, HoldStatus.RELEASING, who, now, reason):
                return False
            (found,) = typed(EffectRow, await connection.execute(sa.select(*columns(EffectRow, effect)).where(mine)))
            generation = found.generation if row.name not in (OVERDUE, UNCONFIRMED) else None
            release = _send_again(Act.RELEASE, EffectStatus.RELEASED, row.document_id, row.destination, generation)
            if (await connection.execute(release)).rowcount == 0:
                raise effects.Forbidden(found.status)
            text = f"{row.name} released by {who}" + (f": {reason}" if reason else "")
            await connection.run_sync(batch_members.record, _of_hold(row, Stage.RELEASED, now, text))
            return True

        return await self._journal.change(write)

    async def confirm(self, row: HoldRow, who: str, reason: str, now: float) -> bool:
        """open -> delivered, of what may have been delivered. False: somebody else has decided. Raises Forbidden where
        a person has ended the document at that destination, or where it goes with a batch."""

        return await self._journal.change(lambda connection: connection.run_sync(confirm, row, who, reason, now))

    async def end_release(self, id: str) -> None:
        """releasing -> released, once the copy is confirmed."""
        await self._step(schema.hold, id, HoldStatus.RELEASING, HoldStatus.RELEASED)

    async def reject(self, row: HoldRow, who: str, reason: str, now: float) -> bool:
        """open -> rejected: the document never goes to that destination; its once-key is free. What was only not
        acknowledged in time has gone there, and stays delivered."""

        async def write(connection: AsyncConnection) -> bool:
            if not await self._move_hold(connection, row.id, HoldStatus.REJECTED, who, now, reason):
                return False
            text = f"{row.name} rejected by {who}" + (f": {reason}" if reason else "")
            if row.name != OVERDUE:
                mine = effects.at(row.document_id, row.destination)
                await connection.execute(effects.move(Act.REJECT, EffectStatus.REJECTED, mine).values(updated_at=now))
                await connection.run_sync(once_keys.free, [OnceHeld(row.route, row.document_id)])
                await connection.run_sync(batch_members.end, row.document_id, EffectStatus.REJECTED, now, text)
            await connection.run_sync(batch_members.record, _of_hold(row, Stage.REJECTED, now, text))
            return True

        return await self._journal.change(write)

    async def _move_dead(
        self, connection: AsyncConnection, id: str, after: DeadStatus, who: str, now: float, reason: str | None = None
    ) -> bool:
        """Whether it was this decision that ended its being dead."""
        decided = _decided(schema.dead_letter, id, DeadStatus.DEAD, after, who, now, reason)
        return (await connection.execute(decided)).rowcount == 1

    async def _move_hold(
        self, connection: AsyncConnection, id: str, after: HoldStatus, who: str, now: float, reason: str
    ) -> bool:
        """Whether it was this decision that ended its being open."""
        decided = _decided(schema.hold, id, HoldStatus.OPEN, after, who, now, reason)
        return (await connection.execute(decided)).rowcount == 1


def _decided(table: sa.Table, id: str, before: str, after: str, who: str, now: float, reason: str | None) -> sa.Update:
    decided = {"decided_by": who, "decided_at": now, "reason": reason}
    return sa.update(table).where(table.c.id == id, table.c.status == before).values(status=after, **decided)


def _send_again(act: Act, after: EffectStatus, document_id: str, destination: str, generation: int | None) -> sa.Update:
    """Sends an effect on. `generation`: the one that ends with it, so that another one begins, with other bytes and
    another key; None: the same bytes go again."""
    update = effects.move(act, after, effects.at(document_id, destination)).values(mark=None)
    if generation is None:
        return update
    key = idempotency_key(document_id, destination, generation + 1)
    made = dict.fromkeys(("claim", "content_type", "facts", "expect_ack", "address"))
    return update.values(generation=generation + 1, key=key, **made)


def _of_hold(row: HoldRow, stage: Stage, now: float, text: str) -> BatchSays:
    """What a decision about a hold says of its document, or of each in the batch that it is."""
    return BatchSays(
        batch=row.document_id, at=now, stage=stage, route=row.route, destination=row.destination, text=text
    )
