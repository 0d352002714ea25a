"""Documents that go together: they wait for each other, and leave in one interchange."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.batches.batches import Batches
from hub.journal.timeline import Timeline
from tests.support.answers import GROWN, grown, numbers
from tests.support.batch_site import ROUTES, BatchSite, batched_order
from tests.support.batch_stories import (
    FIRST,
    THREE,
    becomes,
    is_sent,
    let_time_pass,
    said,
)
from tests.support.brokers import eventually
from tests.support.stories import dead_letters, status_becomes
from tests.support.x12 import orders_850


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    return BatchSite(tmp_path, **grown(request))


class TestTogether:
    """When what waits goes."""

    async def test_as_many_as_agreed_go_in_one_interchange_in_the_order_they_came(self, site: BatchSite) -> None:
        async with site.running() as hub:
            for number in THREE:
                site.orders(number)
                await status_becomes(hub, f"{number}.json", "batched" if number != "1003" else "delivered", "acme-out")
            await becomes(hub, "delivered", *THREE)
            assert list(site.sent()) == [FIRST]
            assert site.transactions(FIRST) == ["0001 1001", "0002 1002", "0003 1003"]
            (first,) = await numbers(hub)
            assert [(m.number, m.transaction, m.ack) for m in first.members] == [
                *(("1001", "0001", "none"), ("1002", "0002", "none"), ("1003", "0003", "none"))
            ]
            assert (first.document, first.ack, first.gap) == ("batch@1", "awaiting", False)

    async def test_each_member_can_say_what_became_of_it(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            batch = (await numbers(hub))[0].document_id
            (position,) = [line[:4] for line in site.transactions(FIRST) if line.endswith("1002")]
            waits, closed = await said(hub, "1002", "batched")
            assert waits == "waits for a batch: at most 3 documents, 300s"
            assert closed == f"batch {batch[:12]}, transaction {position}: a batch of 3 for acme-out"
            (sent,) = await said(hub, "1002", "sent")
            assert sent.startswith(f"in interchange 000000001 as transaction {position}; ")
            found = {story.number for story in await Timeline(hub.journal).trace("000000001")}
            assert found == {*THREE, batch[:12]}
            listed = site.cli("partner", "numbers", "ACME").stdout
            assert f"batch of 3 {batch[:12]} -> acme-out" in listed
            assert f"    {position}  order 1002" in listed
            told = json.loads(site.cli("partner", "numbers", "ACME", "--json").stdout)
            assert [member["transaction"] for member in told["numbers"][0]["members"]] == ["0001", "0002", "0003"]

    async def test_what_has_waited_long_enough_goes_with_those_that_came_since(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
            await let_time_pass(hub, 299.0)
            assert site.sent() == {}
            waiting = "hub_batch_members_waiting"
            assert hub.metrics.registry.get_sample_value(waiting, {"destination": "acme-out"}) == 2.0
            await let_time_pass(hub, 2.0)
            await becomes(hub, "delivered", "1001", "1002")
            assert len(site.transactions(FIRST)) == 2
            await hub.batching.check()
            assert hub.metrics.registry.get_sample_value(waiting, {"destination": "acme-out"}) == 0.0

    async def test_each_kind_goes_in_an_interchange_of_its_own(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            site.invoice("9001")
            site.invoice("9002")
            await becomes(hub, "batched", "1001", "1002", "9001", "9002")
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001", "1002", "9001", "9002")
            assert sorted(name[:3] for name in site.sent()) == ["810", "850"]
            assert {len(site.transactions(name)) for name in site.sent()} == {2}

    async def test_more_than_agreed_go_in_several(self, site: BatchSite) -> None:
        site.agrees("{max: 3, wait: 1h}")
        wanted = [f"{n}" for n in range(1000, 1010)]
        async with site.running() as hub:
            site.orders(*wanted)

            async def right() -> bool:
                return sum(len(site.transactions(name)) for name in site.sent()) == 9

            await eventually(right)
            await let_time_pass(hub, 3601.0)
            await becomes(hub, "delivered", *wanted)
            sizes = sorted(len(site.transactions(name)) for name in site.sent())
            assert sizes == [1, 3, 3, 3]
            taken = [line[5:] for name in site.sent() for line in site.transactions(name)]
            assert sorted(taken) == wanted

    async def test_what_waits_goes_at_once_when_the_partner_takes_no_batches_any_more(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
            site.agrees(None)
            await hub.reload()
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert sorted(len(site.transactions(name)) for name in site.sent()) == [1, 2]

    async def test_what_waits_is_still_there_after_a_stop(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
        assert site.sent() == {}
        async with site.running() as hub:
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert len(site.transactions(FIRST)) == 3

    async def test_acknowledgments_wait_for_nobody(self, site: BatchSite) -> None:
        async with site.running():
            site.drop("in.edi", orders_850(["77"]), "var/partner")
            await is_sent(site, "997_000000001.edi")


class TestOnce:
    """Nothing waits twice, and nothing spoils the others."""

    async def test_a_document_that_x12_cant_carry_is_its_own_dead_letter(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("bad", purpose=None)
            site.orders("1001", "1002")
            (dead,) = await dead_letters(hub, 1, kind="route")
            assert (dead.error, dead.number) == ("MappingError", "bad")
            assert "purpose" in dead.cause
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert [story.control_number for story in await numbers(hub)] == [1]

    async def test_the_same_bytes_again_wait_once(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await becomes(hub, "batched", "1001")
            site.drop("again.json", batched_order("1001"))

            async def repeated() -> bool:
                (story,) = await Timeline(hub.journal).trace("1001")
                return any(event.stage == "repeated" for event in story.events)

            await eventually(repeated)
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001")
            assert site.transactions(FIRST) == ["0001 1001"]

    async def test_a_once_key_is_held_until_the_batch_has_left(self, site: BatchSite) -> None:
        routes = ROUTES.replace("    to: [acme-out]", "    once: [partner, number]\n    to: [acme-out]")
        site.write("routes/acme.yaml", routes)
        async with site.running() as hub:
            site.orders("1001")
            await becomes(hub, "batched", "1001")
            site.drop("other.json", batched_order("1001", price="7"))

            await eventually(lambda: _some(hub, "other.json", "waits"))
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001")
            await eventually(lambda: _some(hub, "other.json", "duplicate"))
            assert site.transactions(FIRST) == ["0001 1001"]


async def _some(hub: RunningHub, name: str, stage: str) -> bool:
    stories = await Timeline(hub.journal).trace(name)
    return any(event.stage == stage for story in stories for event in story.events)


async def test_of_many_who_close_the_same_batch_at_once_one_does(site: BatchSite) -> None:
    async with site.running() as hub:
        for first in range(1000, 1020, 2):
            one, other = str(first), str(first + 1)
            site.orders(one, other)
            await becomes(hub, "batched", one, other)
            batches, now = Batches(hub.journal), hub.runtime.clock() + 301.0
            (group,) = await batches.waiting()
            found = await asyncio.gather(*(batches.close(group, 3, now, now) for _ in range(6)))
            (id,) = [id for id in found if id is not None]
            assert [(row.position, row.batch) for row in await batches.members(id)] == [(1, id), (2, id)]
            await becomes(hub, "delivered", one, other)


@pytest.mark.rabbitmq
@pytest.mark.postgres
async def test_two_processes_put_each_document_in_one_batch(tmp_path: Path, amqp_vhost: str, database_url: str) -> None:
    one = BatchSite(tmp_path / "one", amqp=amqp_vhost, journal=database_url)
    two = BatchSite(tmp_path / "two", amqp=amqp_vhost, journal=database_url)
    out = tmp_path / "out"
    for site in (one, two):
        text = (site.folder / "config/destinations.yaml").read_text()
        site.write("config/destinations.yaml", text.replace("var/out", str(out)))
    wanted = [f"{n}" for n in range(1000, 1060)]
    async with one.running() as first, two.running() as second:
        one.orders(*wanted[:30])
        two.orders(*wanted[30:])
        while sum(group.count for group in await Batches(first.journal).waiting()) or len(list(out.glob("*.edi"))) < 20:
            await asyncio.gather(*(hub.batching.check() for hub in (first, second, first, second)))
            await asyncio.sleep(0.05)
        await becomes(first, "delivered", *wanted)
        found = await numbers(first)
    assert [len(story.members) for story in found] == [3] * 20
    assert sorted(m.number or "" for story in found for m in story.members) == wanted
    assert [story.control_number for story in found] == list(range(1, 21))
    assert len(list(out.glob("*.edi"))) == 20
