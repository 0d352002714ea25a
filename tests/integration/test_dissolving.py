"""A batch that can't be published: it is named, and a person sends its documents one by one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.app.running_hub import RunningHub
from hub.journal import schema
from hub.journal.batches.batch_dissolving import Dissolution
from hub.journal.batches.batches import Batches
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.deliveries.effects import STATES
from tests.support.answers import GROWN, grown, let_time_pass, numbers, open_holds, said
from tests.support.batch_site import BatchSite
from tests.support.stories import status_becomes


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    return BatchSite(tmp_path, **grown(request))


async def becomes(hub: RunningHub, status: str, *wanted: str) -> None:
    for number in wanted:
        await status_becomes(hub, f"{number}.json", status, "acme-out")


async def lose_the_claim(hub: RunningHub, number: str) -> None:
    """The journal forgets the body of a document that waits."""
    member, message, claim = schema.batch_member, schema.message, schema.claim

    async def write(connection: AsyncConnection) -> None:
        named = sa.select(member.c.body).join(message, message.c.id == member.c.document_id)
        body = (await connection.execute(named.where(message.c.number == number))).scalar_one()
        await connection.execute(sa.delete(claim).where(claim.c.digest == body))

    await hub.journal.change(write)


async def stuck(hub: RunningHub) -> str:
    """The id of a batch of 1001 and 1002 that can't be published, for the body of 1002 is gone."""
    await lose_the_claim(hub, "1002")
    let_time_pass(hub, 301.0)
    assert await hub.batching.check() == 0
    (row,) = await Batches(hub.journal).stuck()
    return str(row.id)


async def test_a_batch_that_cant_be_published_is_listed_and_diagnosed_with_its_cause(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002")
        await becomes(hub, "batched", "1001", "1002")
        assert "2 order for ACME -> acme-out" in site.cli("batch", "list").stdout
        id = await stuck(hub)
        listed = site.cli("batch", "list").stdout
        assert id[:12] in listed
        assert "is missing from the journal" in listed
        (row,) = json.loads(site.cli("batch", "list", "--json").stdout)["batches"]
        assert (row["id"], row["members"]) == (id, 2)
        findings = {f["what"]: f for f in json.loads(site.cli("doctor", "--json").stdout)["findings"]}
        assert findings["batches"]["state"] == "ok"  # by the clock of the command it was closed a moment ago
        await closed_long_ago(hub)
        findings = {f["what"]: f for f in json.loads(site.cli("doctor", "--json").stdout)["findings"]}
        assert findings["batches"]["state"] == "error"
        assert f"({id[:12]} for acme-out: claim " in findings["batches"]["text"]


async def closed_long_ago(hub: RunningHub) -> None:
    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(schema.batch).values(closed_at=1.0))

    await hub.journal.change(write)


async def test_acknowledgments_that_should_have_come_are_diagnosed(site: BatchSite) -> None:
    site.agrees(None)
    async with site.running() as hub:
        let_time_pass(hub, -120.0)
        site.orders("1001")
        await becomes(hub, "delivered", "1001")
        findings = {f["what"]: f for f in json.loads(site.cli("doctor", "--json").stdout)["findings"]}
        assert findings["acknowledgments"] == {
            "what": "acknowledgments",
            "state": "warning",
            "text": "overdue: 1 of ACME: see hub partner acks ACME --status overdue",
        }


async def test_dissolved_its_documents_go_alone_and_what_cant_go_is_held(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002")
        await becomes(hub, "batched", "1001", "1002")
        id = await stuck(hub)
        done = await asyncio.to_thread(site.cli, "batch", "dissolve", id[:12], "--reason", "a body is gone")
        assert done.returncode == 0, done.stderr
        assert "1 dissolved" in done.stdout
        await becomes(hub, "delivered", "1001")
        assert [site.transactions(name) for name in site.sent()] == [["0001 1001"]]
        (hold,) = await open_holds(hub, 1)
        assert (hold.name, hold.number, hold.owner) == ("batch_dissolved", "1002", "order-desk")
        (text,) = await said(hub, "1001.json", "released")
        assert text.startswith(f"batch {id[:12]} dissolved by ")
        assert text.endswith(": a body is gone; it goes alone")
        assert await Batches(hub.journal).stuck() == []
        assert "nothing waits for a batch" in site.cli("batch", "list").stdout
        again = await asyncio.to_thread(site.cli, "batch", "dissolve", id[:12], "--reason", "again")
        assert again.returncode == 1
        assert "no such unsent batch" in again.stdout


async def test_a_crash_after_the_decision_is_finished_by_the_next_start(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002")
        await becomes(hub, "batched", "1001", "1002")
        id = await stuck(hub)
        wanted = Dissolution(id, "tester", "", hub.runtime.clock() - 400.0, lambda route, source: "desk")
        assert len(await Batches(hub.journal).dissolve(wanted) or ()) == 2
        assert site.sent() == {}
    async with site.running() as hub:
        await hub.replay.resume()
        await becomes(hub, "delivered", "1001")
        await open_holds(hub, 1)


async def test_a_copy_of_the_batch_that_is_on_its_way_finds_nothing_to_send(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002")
        await becomes(hub, "batched", "1001", "1002")
        let_time_pass(hub, 301.0)
        batches = Batches(hub.journal)
        (group,) = await batches.waiting()
        id = await batches.close(group, 3, hub.runtime.clock(), hub.runtime.clock())
        assert id is not None
        assert (await hub.replay.dissolve([id], "tester", ""))["released"] == 2
        entry = Entry()
        entry.prepare(
            effect_prepared(id, "acme-out", "orders", "key", hub.runtime.clock(), hub.journal.process, claim="bytes")
        )
        committed = await hub.journal.commit(entry)
        assert committed.of(STATES)[id, "acme-out"].finished
        await becomes(hub, "delivered", "1001", "1002")
        assert sorted(site.transactions(name)[0][5:] for name in site.sent()) == ["1001", "1002"]
        assert [len(story.members) for story in await numbers(hub)] == [0, 0]


async def test_a_batch_that_is_being_sent_is_not_dissolved(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002", "1003")
        await becomes(hub, "delivered", "1001", "1002", "1003")
        batch = (await numbers(hub))[0].document_id
        wanted = Dissolution(batch, "tester", "", hub.runtime.clock(), lambda route, source: "desk")
        assert await Batches(hub.journal).dissolve(wanted) is None

        async def unconfirmed(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(schema.batch).values(published_at=None))

        await hub.journal.change(unconfirmed)
        assert await Batches(hub.journal).dissolve(wanted) is None
        await becomes(hub, "delivered", "1001", "1002", "1003")


async def test_what_waits_for_a_route_that_is_gone_stays_where_a_person_sees_it(site: BatchSite) -> None:
    async with site.running() as hub:
        site.orders("1001", "1002")
        await becomes(hub, "batched", "1001", "1002")
    text = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", text.replace("id: orders", "id: purchases"))
    async with site.running() as hub:
        let_time_pass(hub, 301.0)
        assert await hub.batching.check() == 0
        (row,) = await Batches(hub.journal).stuck()
        assert row.cause == "the route orders is not there any more: bring it back, or dissolve the batch"
        done = await hub.replay.dissolve([row.id], "tester", "the route was renamed")
        assert (done["dissolved"], done["released"]) == (1, 0)
        assert {(hold.number, hold.owner) for hold in await open_holds(hub, 2)} == {
            ("1001", "order-desk"),
            ("1002", "order-desk"),
        }
    site.write("routes/acme.yaml", text)
    async with site.running() as hub:
        done = await hub.replay.release([hold.id for hold in await open_holds(hub, 2)], "tester", "it is back")
        assert done["released"] == 2
        await becomes(hub, "delivered", "1001", "1002")
        assert sorted(site.transactions(name)[0][5:] for name in site.sent()) == ["1001", "1002"]
