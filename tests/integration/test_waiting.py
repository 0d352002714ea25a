"""Copies wait as rows: what an open breaker withholds is no attempt, and uses up no delay of its retry class."""

from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import WAIT, Reason, Wait
from hub.journal.copies.waits import MOST, Waits
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

LIMITED = (
    "erp: {{rest: {{base: '{url}', timeout: 2s, limit: {{concurrent: 2, break_after: 3, break_for: {break_for}}}}}}}\n"
)
TWO = (
    "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: fast\n"
    "copy:\n  rest: {endpoint: erp, call: POST /copy}\n  retry: fast\n"
)


def limited(site: SiteOnDisk, erp: Erp, break_for: str, retry: str = "") -> None:
    site.write("config/endpoints.yaml", LIMITED.format(url=erp.url, break_for=break_for))
    site.write("config/destinations.yaml", TWO)
    fast = f"fast: {{delays: [100ms, 200ms, 300ms], on: [unreachable, timeout, busy, failed]{retry}}}"
    site.write("config/policies.yaml", f"retry:\n  {fast}\n")
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes.replace("to: [erp]", "to: [erp, copy]"))


async def test_sixty_orders_to_two_destinations_outlive_an_outage(site: SiteOnDisk, erp: Erp) -> None:
    """Every attempt while the ERP is down would end in a dead letter within a second: only a few are made, and none is
    used up."""
    limited(site, erp, "500ms")
    down = True
    erp.script = lambda request: Answer(500 if down else 201)
    async with site.running() as hub:
        for number in range(60):
            site.drop(f"{number}.json", order(str(number)))

        async def all_wait() -> bool:
            counts = await Waits(hub.journal).counts()
            return sum(one.count for one in counts if one.reason is Reason.ENDPOINT) >= 110

        await eventually(all_wait)
        await asyncio.sleep(1.5)  # the retry class alone would be through by now
        await hub.waker.measure()
        assert [one.waits_for for one in hub.waker.waiting] == ["erp"]
        readiness = await hub.readiness()
        assert readiness["waiting"][0]["count"] >= 110
        down = False

        async def all_sent() -> bool:
            done = {(request.path, request.number) for request in erp.requests if request.times >= 1}
            return len(done) == 120 and await Waits(hub.journal).counts() == []

        await eventually(all_sent)
        for number in (0, 59):
            await status_becomes(hub, str(number), "delivered")
            await status_becomes(hub, str(number), "delivered", "copy")
        await dead_letters(hub, 0)


async def test_for_ends_the_wait_at_an_open_breaker(site: SiteOnDisk, erp: Erp) -> None:
    limited(site, erp, "1h", ", for: 1s")
    erp.script = lambda request: Answer(500)
    async with site.running() as hub:
        for number in range(3):
            site.drop(f"{number}.json", order(str(number)))
        found = await dead_letters(hub, 6)
        assert any("the 1s of class fast are over" in row.cause for row in found)
    assert len(erp.requests) < 12


async def test_what_waits_outlives_a_restart_and_is_listed(site: SiteOnDisk, erp: Erp) -> None:
    limited(site, erp, "1h")
    erp.script = lambda request: Answer(500)
    async with site.running() as hub:
        for number in range(5):
            site.drop(f"{number}.json", order(str(number)))

        async def some_wait() -> bool:
            return sum(one.count for one in await Waits(hub.journal).counts()) == 10

        await eventually(some_wait)
    listed = json.loads(site.cli("waiting", "list", "--json").stdout)
    assert [(one["reason"], one["waits_for"], one["count"]) for one in listed["waiting"]] == [("endpoint", "erp", 10)]
    assert {copy["number"] for copy in listed["copies"]} == {"0", "1", "2", "3", "4"}
    assert "10 for erp" in site.cli("waiting", "list").stdout
    erp.script = lambda request: Answer(201)
    async with site.running() as hub:
        for number in range(5):
            await status_becomes(hub, str(number), "delivered")
    assert "no copy waits" in site.cli("waiting", "list").stdout


async def test_a_retry_after_beyond_the_longest_delay_is_kept_to(site: SiteOnDisk, erp: Erp) -> None:
    def script(request: Request) -> Answer:
        return Answer(503, headers={"Retry-After": "2"}) if request.times == 1 else Answer(201)

    erp.script = script
    async with site.running() as hub:
        site.drop("one.json", order("4711"))
        await status_becomes(hub, "4711", "delivered")
    first, second = erp.of("4711")
    assert second.at - first.at >= 2.0


@pytest.mark.parametrize("route", ["gone", "orders"])
async def test_copies_that_can_not_be_published_keep_no_others_waiting(site: SiteOnDisk, route: str) -> None:
    """Their route is gone, or their claims are missing. They are the oldest, and as many as are taken at once."""
    async with site.running() as hub:
        now, entry = hub.journal.clock(), Entry()
        for number in range(MOST + 1):
            last = number == MOST
            id, where = ("last", "orders") if last else (f"stuck{number}", route)
            text = ("erp", Reason.ONCE, f"key{number}", "it waits", "ACME", "4711", "{}", "0" * 64)
            entry.add(WAIT, Wait(id, id, where, *text, now + last, now + 3600.0, hub.journal.process))
        await hub.journal.commit(entry)

        async def looked_at() -> bool:
            async def query(connection: AsyncConnection) -> bool:
                taken = sa.select(schema.waiting.c.id).where(schema.waiting.c.taken_by.is_not(None))
                return "last" in (await connection.execute(taken)).scalars().all()

            return bool(await hub.journal.read(query))

        await eventually(looked_at)
