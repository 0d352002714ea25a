"""Whatever names a message finds it, through an index: its id, its claim, every name that it came under, and what
earlier releases kept."""

from __future__ import annotations

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.commit.other_names import LONGEST_KEY
from hub.journal.journal import Journal
from hub.journal.timeline import Timeline, selects_of

ID, CLAIM, KEY = "ab" * 16, "cd" * 32, "fe" * 16


async def keep(journal: Journal, id: str, name: str, claim: str = CLAIM) -> None:
    entry = Entry()
    entry.message(id, "inbox", name, claim, "", 1.0)
    entry.prepare(effect_prepared(id, "erp", "orders", KEY, 1.0, journal.process))
    await journal.commit(entry)


async def found(journal: Journal, value: str) -> list[str]:
    return [story.id for story in await Timeline(journal).trace(value)]


async def rows(journal: Journal, table: sa.Table) -> int:
    async def count(connection: AsyncConnection) -> int:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())

    return await journal.read(count)


async def test_every_name_that_it_came_under_finds_it_and_only_further_ones_are_rows(journal: Journal) -> None:
    await keep(journal, ID, "a.edi")
    assert await rows(journal, schema.business_key) == 0
    for name in ("b.edi", "a.edi", "b.edi", "café \x00.edi"):
        await keep(journal, ID, name)
    await keep(journal, ID[::-1], "")
    for name in ("a.edi", "b.edi"):
        (story,) = await Timeline(journal).trace(name)
        assert [key.value for key in story.keys if key.kind == "name"][:2] == ["a.edi", "b.edi"]
    assert await rows(journal, schema.business_key) == 2


async def test_a_long_name_is_found_whole_and_by_its_beginning(journal: Journal) -> None:
    first, second = "x" * 900, "y_%" * 300
    await keep(journal, ID, first)
    await keep(journal, ID, second)
    for value in (first, first[:LONGEST_KEY], second, second[:LONGEST_KEY]):
        assert await found(journal, value) == [ID]


@pytest.mark.parametrize("id", [ID, "f" * 32, "0" * 32])
async def test_an_id_and_its_beginning_find_it(journal: Journal, id: str) -> None:
    await keep(journal, id, "a.edi", claim=id * 2)
    await keep(journal, "12" * 16, "b.edi", claim="34" * 32)
    for value in (id, id * 2, id[:6], (id * 2)[:40]):
        assert await found(journal, value) == [id]
    assert sorted(await found(journal, KEY[:8])) == sorted([id, "12" * 16])
    assert await found(journal, "abcdef") == []


async def test_what_an_earlier_release_kept_is_found_and_told_once(journal: Journal) -> None:
    entry = Entry()
    entry.message(ID, "inbox", "a.edi", CLAIM, "", 1.0, document="order@1", canonical=CLAIM)
    for kind, value in (("message", ID), ("name", "a.edi"), ("name", "b.edi"), ("order", "104582")):
        entry.key(value, kind, ID)
    carried = {"facts": orjson.dumps({"total": "999.36", "test": False}).decode(), "hops": 1}
    entry.event(ID, 2.0, Stage.MATCHED, detail={"table": "v1", "routes": {"orders": ["erp"]}, "copy": carried})
    await journal.commit(entry)
    (story,) = await Timeline(journal).trace("b.edi")
    assert [(key.kind, key.value) for key in story.keys] == [
        ("name", "a.edi"),
        ("name", "b.edi"),
        ("order", "104582"),
    ]
    assert [event.detail for event in story.events if event.stage == Stage.MATCHED] == [
        {"table": "v1", "routes": {"orders": ["erp"]}, "facts": None}
    ]


@pytest.mark.parametrize("value", ["104582", "abcdef01", "a.edi"])
async def test_no_table_is_read_as_a_whole_to_find_a_value(journal: Journal, value: str) -> None:
    explain = "EXPLAIN QUERY PLAN" if journal.is_sqlite else "EXPLAIN"

    async def plans(connection: AsyncConnection) -> list[str]:
        if not journal.is_sqlite:
            await connection.exec_driver_sql(
                "SET enable_seqscan = off"
            )  # the tables are empty: a scan would be cheapest
        found = []
        for select in selects_of(value):
            text = select.limit(200).compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
            found += [str(row[-1]) for row in await connection.exec_driver_sql(f"{explain} {text}")]
        return found

    steps = await journal.read(plans)
    assert sum("ndex" in step.lower() for step in steps) >= len(selects_of(value))
    assert [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step] == []
