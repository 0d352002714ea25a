"""What we said to a partner of what came in: the 997, 999 or TA1 that was made of the same file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.rows import AnswerRow, columns, typed

Place = tuple[str, str]
"""A claim, and a position in it."""

_TRANSACTION = re.compile(r"((?:\d+\.)*\d+)\.(\d+)\.\d[\d+]*(?:\.part\d+)*")
"""Entries of what was packed, interchange; group; transaction."""


@dataclass(frozen=True, slots=True)
class AnswerSent:
    """One acknowledgment of ours. `set` (997) and `control_number` are known once it is written; `destination` is None
    where no route took it."""

    message: str
    document: str
    set: str | None
    control_number: str | None
    destination: str | None
    status: str


async def answers_sent(connection: AsyncConnection, places: Sequence[Place]) -> Mapping[Place, list[AnswerSent]]:
    """By what they answer: a transaction is answered with its group, and with its interchange."""
    message = schema.message
    wanted = {place: positions for place in places if (positions := _answering(place[1]))}
    if not wanted:
        return {}
    claims = {claim for claim, _ in wanted}
    inside = {one for positions in wanted.values() for one in positions}
    ours = (message.c.claim.in_(claims), message.c.position.in_(inside), message.c.direction == "outbound")
    found: dict[Place, list[AnswerSent]] = {}
    for row in typed(AnswerRow, await connection.execute(_answers(*ours).order_by(message.c.position))):
        found.setdefault((row.claim, row.position), []).append(_answer(row))
    return {
        place: [answer for one in positions for answer in found.get((place[0], one), ())]
        for place, positions in wanted.items()
    }


async def newest_answer(journal: Journal, ids: Sequence[str]) -> tuple[int, str | None] | None:
    """Which of the acknowledgments with these ids, in the order of their verdicts, is the newest that was made, and its
    canonical form. None: none was made. Raises JournalUnavailable."""
    table = schema.message

    async def query(connection: AsyncConnection) -> dict[str, str | None]:
        rows = await connection.execute(sa.select(table.c.id, table.c.canonical).where(table.c.id.in_(ids)))
        return {row.id: row.canonical for row in rows}

    made = await journal.read(query)
    place = next((place for place in reversed(range(len(ids))) if ids[place] in made), None)
    return None if place is None else (place, made[ids[place]])


@dataclass(frozen=True, slots=True)
class AnswerStanding:
    """An acknowledgment of ours: when what it answers came, and whether every destination of it has it."""

    at: float
    delivered: bool


async def answers_standing(journal: Journal, ids: Sequence[str]) -> Mapping[str, AnswerStanding]:
    """Those of the acknowledgments that were made. Raises JournalUnavailable."""

    found: dict[str, AnswerStanding] = {}
    for row in await journal.rows(AnswerRow, _answers(schema.message.c.id.in_(ids))):
        delivered = row.status == EffectStatus.DELIVERED and (row.id not in found or found[row.id].delivered)
        found[row.id] = AnswerStanding(row.received_at, delivered)
    return found


def _answering(position: str) -> tuple[str, ...]:
    """Where the answers to a part of a file stand in it; nothing for a body without levels."""
    found = _TRANSACTION.fullmatch(position)
    return (f"{found[1]}.{found[2]}.ack", f"{found[1]}.ta1") if found is not None else ()


def _answers(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    message, effect = schema.message, schema.effect
    wants = columns(AnswerRow, message, effect, claim=message.c.claim)
    return sa.select(*wants).outerjoin_from(message, effect, effect.c.document_id == message.c.id).where(*which)


def _answer(row: AnswerRow) -> AnswerSent:
    facts = orjson.loads(row.facts) if row.facts else {}
    return AnswerSent(
        message=row.id,
        document=row.document or "",
        set=facts.get("set"),
        control_number=facts.get("control_number"),
        destination=row.destination,
        status=row.status or "no route took it",
    )
