"""The outcome of an attempt, recorded after somebody has decided about the document."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.entry import EffectState, Entry
from hub.journal.journal import Journal

STATE = EffectState("d", "out", "route", "prepared", 1, "key", "bytes", None, 0, True)


async def settle(journal: Journal, status: str, generation: int = 1) -> None:
    entry = Entry()
    entry.settle(replace(STATE, generation=generation), status, 1, 2.0, text=status)
    await journal.commit(entry)


async def effect(journal: Journal) -> tuple[str, int]:
    async def query(connection: AsyncConnection) -> tuple[str, int]:
        select = sa.select(schema.effect.c.status, schema.effect.c.generation)
        status, generation = (await connection.execute(select)).one()
        return status, generation

    status, generation = await journal.read(query)
    return status, generation


@pytest.mark.parametrize("decided", ["delivered", "held", "rejected", "discarded"])
@pytest.mark.parametrize("outcome", ["delivered", "retrying", "dead", "held"])
async def test_what_was_decided_stays_whatever_the_attempt_ended_with(
    journal: Journal, decided: str, outcome: str
) -> None:
    await settle(journal, decided)
    await settle(journal, outcome)
    assert await effect(journal) == (decided, 1)


async def test_an_attempt_of_a_generation_that_is_over_says_nothing_of_the_next(journal: Journal) -> None:
    await settle(journal, "released", generation=2)
    await settle(journal, "delivered", generation=1)
    assert await effect(journal) == ("released", 2)
    await settle(journal, "delivered", generation=2)
    assert await effect(journal) == ("delivered", 2)


async def test_a_dead_letter_ends_whatever_generation_is_in_force(journal: Journal) -> None:
    await settle(journal, "released", generation=2)
    await settle(journal, "dead", generation=1)
    assert await effect(journal) == ("dead", 2)
