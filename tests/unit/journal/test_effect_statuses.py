"""The table of `hub.core.effect`, walked on the databases: what it allows is written, and what it forbids changes
nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import Act, EffectStatus
from hub.journal import schema
from hub.journal.commit.bulk import SETTLE
from hub.journal.commit.entry import Entry
from hub.journal.deliveries import effects
from hub.journal.deliveries.effects import EffectState
from hub.journal.journal import Journal

STEPS = [(act, after) for act in Act for after in sorted(act.after)]


async def on_database(journal: Journal, work: Callable[[Connection], None]) -> None:
    async def write(connection: AsyncConnection) -> None:
        await connection.run_sync(work)

    await journal.change(write)


def begin(connection: Connection, document: str, status: EffectStatus) -> None:
    values = {"document_id": document, "destination": "out", "route": "r", "key": "k", "generation": 1}
    values |= {"status": status, "attempts": 0, "first_at": 1.0, "updated_at": 1.0}
    connection.execute(sa.insert(schema.effect).values(**values))


def status_of(connection: Connection, document: str) -> EffectStatus:
    select = sa.select(schema.effect.c.status).where(effects.at(document, "out"))
    return EffectStatus(connection.execute(select).scalar_one())


def act_on(connection: Connection, document: str, act: Act, after: EffectStatus) -> bool:
    """Whether it says that it has changed the row. An attempt that ends says nothing."""
    if act is not Act.ATTEMPT:
        return connection.execute(effects.move(act, after, effects.at(document, "out"))).rowcount == 1
    entry = Entry()
    entry.settle(EffectState(document, "out", "r", EffectStatus.PREPARED, 1, "k", None, None, 0, True), after, 1, 2.0)
    SETTLE.write(connection, entry.of(SETTLE))
    return status_of(connection, document) is after


async def test_each_act_leads_from_each_status_as_the_table_says(journal: Journal) -> None:
    def work(connection: Connection) -> None:
        for number, (act, after) in enumerate(STEPS):
            for before in EffectStatus:
                document = f"{number} {before}"
                begin(connection, document, before)
                allowed = before in act.before
                assert act_on(connection, document, act, after) is (allowed or (act is Act.ATTEMPT and before is after))
                assert status_of(connection, document) is (after if allowed else before)

    await on_database(journal, work)


async def test_a_way_through_many_acts_ends_where_the_table_says(journal: Journal) -> None:
    documents = count()

    def work(connection: Connection) -> None:
        @settings(max_examples=30, deadline=None, database=None)
        @given(st.lists(st.sampled_from(STEPS), max_size=12))
        def walk(steps: list[tuple[Act, EffectStatus]]) -> None:
            document, expected = f"walk {next(documents)}", EffectStatus.PREPARED
            begin(connection, document, expected)
            for act, after in steps:
                act_on(connection, document, act, after)
                expected = after if expected in act.before else expected
            assert status_of(connection, document) is expected

        walk()

    await on_database(journal, work)


def test_an_act_never_leads_where_its_table_does_not() -> None:
    with pytest.raises(ValueError, match="REPLAY makes no effect delivered"):
        effects.move(Act.REPLAY, EffectStatus.DELIVERED)
    state = EffectState("d", "out", "r", EffectStatus.PREPARED, 1, "k", None, None, 0, True)
    with pytest.raises(ValueError, match="no attempt makes an effect rejected"):
        Entry().settle(state, EffectStatus.REJECTED, 1, 2.0)


def test_every_status_can_be_reached_and_what_a_person_ended_is_final() -> None:
    reached = {after for _, after in STEPS}
    assert set(EffectStatus) - reached == {EffectStatus.PREPARED}
    assert not any(act.before & {EffectStatus.REJECTED, EffectStatus.DISCARDED, EffectStatus.FILTERED} for act in Act)
