"""The outcome of an attempt, recorded after somebody has decided about the document."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.core.effect import EffectStatus as _S
from hub.journal import schema
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.effects import EffectState
from hub.journal.journal import Journal

STATE = EffectState("d", "out", "route", _S.PREPARED, 1, "key", "bytes", None, 0, True)


async def begin(journal: Journal, status: EffectStatus, generation: int = 1) -> None:
    """The effect, as a person or an earlier attempt has left it."""
    values = {"document_id": "d", "destination": "out", "route": "route", "key": "key", "generation": generation}
    values |= {"status": status, "attempts": 1, "first_at": 1.0, "updated_at": 1.0}

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.insert(schema.effect).values(**values))

    await journal.change(write)


async def settle(journal: Journal, status: EffectStatus, generation: int = 1) -> None:
    entry = Entry()
    entry.settle(STATE._replace(generation=generation), status, 1, 2.0, text=status)
    await journal.commit(entry)


async def effect(journal: Journal) -> tuple[str, int]:
    async def query(connection: AsyncConnection) -> tuple[str, int]:
        select = sa.select(schema.effect.c.status, schema.effect.c.generation)
        status, generation = (await connection.execute(select)).one()
        return status, generation

    status, generation = await journal.read(query)
    return status, generation


@pytest.mark.parametrize("decided", [_S.DELIVERED, _S.HELD, _S.REJECTED, _S.DISCARDED])
@pytest.mark.parametrize("outcome", [_S.DELIVERED, _S.RETRYING, _S.DEAD, _S.HELD])
async def test_what_was_decided_stays_whatever_the_attempt_ended_with(
    journal: Journal, decided: EffectStatus, outcome: EffectStatus
) -> None:
    await begin(journal, decided)
    await settle(journal, outcome)
    assert await effect(journal) == (decided, 1)


async def test_an_attempt_of_a_generation_that_is_over_says_nothing_of_the_next(journal: Journal) -> None:
    await begin(journal, _S.RELEASED, generation=2)
    await settle(journal, _S.DELIVERED, generation=1)
    assert await effect(journal) == (_S.RELEASED, 2)
    await settle(journal, _S.DELIVERED, generation=2)
    assert await effect(journal) == (_S.DELIVERED, 2)


async def test_a_dead_letter_ends_whatever_generation_is_in_force(journal: Journal) -> None:
    await begin(journal, _S.RELEASED, generation=2)
    await settle(journal, _S.DEAD, generation=1)
    assert await effect(journal) == (_S.DEAD, 2)
