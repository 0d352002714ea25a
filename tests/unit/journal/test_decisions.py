"""Decisions that come too late, and questions that must not write."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.core.hold import HoldStatus
from hub.journal import schema
from hub.journal.commit.bulk import HOLD
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.deliveries.decisions import Decisions
from hub.journal.deliveries.effects import Forbidden
from hub.journal.journal import Journal
from hub.journal.rows import HoldRow

HELD = HoldRow(
    id="h",
    document_id="d",
    route="r",
    destination="out",
    name="credit_hold",
    owner="desk",
    due_at=None,
    status=HoldStatus.OPEN,
    cause="the limit",
    partner=None,
    number=None,
    headers="{}",
    body="claim",
    held_at=1.0,
)


async def set_effect(journal: Journal, status: EffectStatus) -> None:
    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(schema.effect).values(status=status))

    await journal.change(write)


async def found(journal: Journal) -> tuple[str, str]:
    """The status of the hold, and of its effect."""

    async def query(connection: AsyncConnection) -> str:
        return str((await connection.execute(sa.select(schema.effect.c.status))).scalar_one())

    (hold,) = await Decisions(journal).holds(())
    return hold.status, await journal.read(query)


@pytest.fixture
async def held(journal: Journal) -> Decisions:
    """One document that is held."""
    entry = Entry()
    entry.prepare(effect_prepared("d", "out", "r", "key", 1.0, journal.process))
    entry.add(HOLD, HELD)
    await journal.commit(entry)
    await set_effect(journal, EffectStatus.HELD)
    return Decisions(journal)


@pytest.mark.parametrize("ended", [EffectStatus.REJECTED, EffectStatus.DISCARDED, EffectStatus.BATCHED])
async def test_what_was_ended_meanwhile_is_neither_released_nor_recorded_as_delivered(
    journal: Journal, held: Decisions, ended: EffectStatus
) -> None:
    await set_effect(journal, ended)
    for decide in (held.begin_release, held.confirm):
        with pytest.raises(Forbidden, match=f"the document is {ended} there"):
            await decide(HELD, "ann", "", 2.0)
    assert await found(journal) == ("open", ended)


async def test_a_hold_on_what_was_delivered_meanwhile_is_closed_and_the_document_stays_delivered(
    journal: Journal, held: Decisions
) -> None:
    await set_effect(journal, EffectStatus.DELIVERED)
    assert await held.reject(HELD, "ann", "too late", 2.0)
    assert await found(journal) == ("rejected", "delivered")


async def test_a_question_can_not_write(journal: Journal) -> None:
    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.delete(schema.process))

    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        await journal.read(write)
