"""What we sent under which control number, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.ack import ANSWERED, Ack
from hub.core.effect import STOPPED, EffectStatus
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.interchanges.acknowledgments import HoldTerms, expire
from hub.journal.interchanges.number_use import NumberUse, number_use, numbers
from hub.journal.journal import Journal
from hub.journal.rows import EventRow, InterchangeSentRow, NumberRow, columns, typed

ENDS = (Stage.DEAD, Stage.HELD, Stage.REJECTED, Stage.DISCARDED)
"""Events that say why a document did not leave."""


@dataclass(frozen=True, slots=True)
class MemberStory:
    """One document of a batch, and what the partner said of it."""

    document_id: str
    document: str | None
    number: str | None
    transaction: str
    ack: str


@dataclass(frozen=True, slots=True)
class NumberStory:
    """One control number. `gap`: nothing was sent under it; `why` explains that, or says how far the sending is.
    `members`: the documents of a batch, in the order of their transactions."""

    control_number: int
    document_id: str
    document: str | None
    number: str | None
    destination: str
    generation: int
    transaction_set: str | None
    taken_at: float
    sent_at: float | None
    ack: str
    ack_due_at: float | None
    ack_at: float | None
    ack_message: str | None
    ack_text: str | None
    gap: bool
    why: str
    members: tuple[MemberStory, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class InterchangesSent:
    """Reads the record."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def find(self, partner: str, control_number: int) -> NumberUse | None:
        """What was done under the number; None: it was never taken."""
        table = schema.interchange_sent
        mine = numbers(table.c.partner == partner, table.c.control_number == control_number)

        return next(map(number_use, await self._journal.rows(NumberRow, mine)), None)

    async def late(self, now: float, limit: int = 500) -> list[InterchangeSentRow]:
        """Those whose acknowledgment should have come, the longest due first."""
        table = schema.interchange_sent
        due = (table.c.ack == Ack.AWAITING, table.c.ack_due_at < now)
        select = sa.select(*columns(InterchangeSentRow, table)).where(*due).order_by(table.c.ack_due_at).limit(limit)

        return await self._journal.rows(InterchangeSentRow, select)

    async def overdue(self, now: float) -> dict[str, int]:
        """By partner: how many acknowledgments should have come."""
        table = schema.interchange_sent
        due = sa.and_(table.c.ack == Ack.AWAITING, table.c.ack_due_at < now)
        late = sa.or_(table.c.ack == Ack.OVERDUE, due)

        counted = sa.select(table.c.partner, sa.func.count()).where(late).group_by(table.c.partner)

        async def query(connection: AsyncConnection) -> dict[str, int]:
            found = await connection.execute(counted.order_by(table.c.partner))
            return {row[0]: row[1] for row in found}

        return await self._journal.read(query)

    async def expire(self, row: InterchangeSentRow, terms: HoldTerms, now: float) -> bool:
        """awaiting -> overdue, with a hold. Whether it was this call that did it."""

        return await self._journal.change(lambda connection: connection.run_sync(expire, row, terms, now))

    async def stories(self, partner: str, acks: Sequence[str] = (), limit: int = 100) -> list[NumberStory]:
        """The newest numbers of the partner, newest first; with `acks` only those whose acknowledgment, or that of one
        of their members, is in that state."""
        table, member = schema.interchange_sent, schema.batch_member
        select = numbers(table.c.partner == partner).order_by(table.c.control_number.desc()).limit(limit)
        if acks:
            inside = sa.exists().where(
                member.c.batch == table.c.document_id, member.c.ack.in_(set(acks) & set(ANSWERED))
            )
            select = select.where(sa.or_(table.c.ack.in_(acks), inside))

        async def query(connection: AsyncConnection) -> list[NumberStory]:
            rows = typed(NumberRow, await connection.execute(select))
            ends = await _ends(connection, [row.document_id for row in rows if row.sent_at is None])
            members = await _members(connection, [row.document_id for row in rows])
            return [_story(row, ends.get(row.document_id, ()), members.get(row.document_id, ())) for row in rows]

        return await self._journal.read(query)


async def _ends(connection: AsyncConnection, documents: Sequence[str]) -> Mapping[str, Sequence[EventRow]]:
    """What ended documents, oldest first, by document."""
    event, found = schema.event, defaultdict[str, list[EventRow]](list)
    for start in range(0, len(documents), 900):
        mine = (event.c.message_id.in_(documents[start : start + 900]), event.c.stage.in_(ENDS))
        select = sa.select(*columns(EventRow, event)).where(*mine).order_by(event.c.id)
        for row in typed(EventRow, await connection.execute(select)):
            found[row.message_id].append(row)
    return found


async def _members(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Sequence[MemberStory]]:
    """The members of those that are batches."""
    table, message, found = schema.batch_member, schema.message, defaultdict[str, list[MemberStory]](list)
    wants = (table.c.document_id, table.c.document, message.c.number, table.c.position, table.c.ack, table.c.batch)
    for start in range(0, len(ids), 900):
        select = sa.select(*wants).outerjoin_from(table, message, message.c.id == table.c.document_id)
        mine = select.where(table.c.batch.in_(ids[start : start + 900])).order_by(table.c.position)
        for document_id, document, number, position, ack, batch in await connection.execute(mine):
            one = MemberStory(
                document_id=document_id, document=document, number=number, transaction=f"{position:04}", ack=ack
            )
            found[batch].append(one)
    return found


def _story(row: NumberRow, ends: Sequence[EventRow], members: Sequence[MemberStory]) -> NumberStory:
    gap, why = _outcome(row, ends)
    return NumberStory(
        control_number=row.control_number,
        document_id=row.document_id,
        document=row.document,
        number=row.number,
        destination=row.destination,
        generation=row.generation,
        transaction_set=row.transaction_set,
        taken_at=row.taken_at,
        sent_at=row.sent_at,
        ack=row.ack,
        ack_due_at=row.ack_due_at,
        ack_at=row.ack_at,
        ack_message=row.ack_message,
        ack_text=row.ack_text,
        gap=gap,
        why=why,
        members=tuple(members),
    )


def _outcome(row: NumberRow, ends: Sequence[EventRow]) -> tuple[bool, str]:
    """Whether the number is a gap, and why nothing has left under it."""
    if row.sent_at is not None:
        return False, ""
    mine = [end for end in ends if end.at >= row.taken_at and row.destination in (end.destination or "").split(",")]
    if row.in_force is not None and row.in_force > row.generation:
        ended = f"{mine[0].stage}: {mine[0].text}; " if mine else ""
        return True, f"{ended}sent anew under another number"
    if row.status in (
        EffectStatus.DELIVERED,
        EffectStatus.BATCHED,
    ):  # the document began alone, before its partner agreed to batches
        return True, f"{row.status}: {row.text}; it goes with others, under their number"
    if row.status in STOPPED:
        return True, f"{row.status}: {row.text or (mine[-1].text if mine else 'no cause is recorded')}"
    return False, f"{row.status}: {row.text}" if row.text else "about to be sent"
