"""What callers are told: partners nothing of our systems, systems of our own everything. And what cancelled requests
leave."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from adapters.http.request_body import IN_MEMORY, Spooled, swept
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.web import AUTH, Reply, WebSite

INSIDE = b"Traceback: erp-db-7.internal:5432 refused SELECT * FROM customers"


async def answers(web: WebSite) -> None:
    async def now() -> bool:
        try:
            return (await web.get("/openapi.json")).status == 200
        except OSError:
            return False

    await eventually(now)


async def status_of(web: WebSite, reply: Reply, state: str) -> Reply:
    seen: list[Reply] = []

    async def reached() -> bool:
        seen.append(await web.get(f"/status/{reply.json['id']}"))
        return [one["state"] for one in seen[-1].json["documents"][0]["destinations"]] == [state]

    await eventually(reached)
    return seen[-1]


@pytest.mark.parametrize("ours", [False, True], ids=["a partner", "a system of ours"])
async def test_what_a_refusal_says_depends_on_who_asks(site: SiteOnDisk, erp: Erp, ours: bool) -> None:
    web = WebSite(site)
    web.source("reply: sync, within: 5s", auth=AUTH.replace("}}", "}, trusted: true}") if ours else AUTH)
    erp.script = lambda request: Answer(400, INSIDE)
    async with site.running():
        await answers(web)
        refused = await web.post(order("1"))
        assert (refused.status, refused.json["type"]) == (422, "urn:hub:refused")
        told = (await status_of(web, refused, "dead")).body
        for shown in (refused.body, told):
            assert (b"erp" in shown) is ours
        assert (INSIDE in refused.body) is ours


ASKS = """\
{json: order@1}
    steps:
      - {name: our prices, enrich: {endpoint: erp, call: "GET /internal/{partner}", set: {currency: /currency}}}
"""


@pytest.mark.parametrize("ours", [False, True], ids=["a partner", "a system of ours"])
async def test_what_a_step_says_is_for_systems_of_ours(site: SiteOnDisk, erp: Erp, ours: bool) -> None:
    web = WebSite(site)
    web.source(auth=AUTH.replace("}}", "}, trusted: true}") if ours else AUTH, read=ASKS.rstrip())
    erp.script = lambda request: Answer(400, INSIDE)
    async with site.running():
        await answers(web)
        refused = await web.post(order("1"))
        assert (refused.status, refused.json["type"]) == (422, "urn:hub:unreadable")
        (told,) = (await web.get(f"/status/{refused.json['id']}")).json["documents"]
        assert told["state"] == "unreadable"
        for shown in (refused.json["detail"], told["cause"]):
            assert ("our prices" in shown) is ours
            assert (INSIDE.decode() in shown) is ours


async def test_what_the_reader_says_is_for_who_has_sent_it(site: SiteOnDisk) -> None:
    web = WebSite(site)
    web.source(read=ASKS.rstrip())
    async with site.running():
        await answers(web)
        refused = await web.post(b"{}")
        (told,) = (await web.get(f"/status/{refused.json['id']}")).json["documents"]
        for shown in (refused.json["detail"], told["cause"]):
            assert "number" in shown


async def test_a_cancelled_body_leaves_no_file(tmp_path: Path) -> None:
    """Wherever it is cancelled: also while a thread makes its file."""
    loop = asyncio.get_running_loop()

    async def receive(spooled: Spooled) -> None:
        try:
            while True:
                await spooled.add(b"x" * (IN_MEMORY + 1))
        finally:
            spooled.remove()

    for turns in range(40):
        task = asyncio.create_task(receive(Spooled(tmp_path / "spool")))
        for _ in range(turns % 8 + 1):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    await loop.shutdown_default_executor()
    assert list((tmp_path / "spool").glob("*")) == []


def test_what_a_killed_process_left_is_swept_and_what_is_under_way_stays(tmp_path: Path) -> None:
    for name, age in (("http-old", 4000), ("http-new", 10), ("sftp-old", 4000)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    assert swept(tmp_path, 1_000_000) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["http-new", "sftp-old"]
    assert swept(tmp_path / "none", 1_000_000) == 0
