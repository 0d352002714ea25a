"""A rebuild leaves no open copy out: by destination, for batches, and for what was replayed to another destination."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from hub.core.topology import UNMATCHED, dead_queue, source_dead_queue
from hub.journal.copies.waits import Waits
from hub.runtime.recovery.rebuilding import OWNER, WANTED
from tests.integration.test_backup import HOLDS, change, effects_are, rows
from tests.support.batch_site import BatchSite
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order

PATIENT = "  patient: {delays: [1h], on: [unreachable, timeout, busy, failed]}\n"
ASKED = f"INSERT OR REPLACE INTO memory VALUES ('{OWNER}', '{WANTED}', '1', 0)"


def lose_the_queues(site: SiteOnDisk, *more: str) -> None:
    """The broker is empty, and a restore asks for a rebuild."""
    change(site.folder / "var/broker.db", "DELETE FROM message")
    change(site.folder / "var/hub.db", "UPDATE effect SET updated_at = updated_at - 3600", ASKED, *more)


async def doctor_says(site: SiteOnDisk) -> str:
    told = await asyncio.to_thread(site.cli, "doctor", "--json")
    return str(next(one["text"] for one in json.loads(told.stdout)["findings"] if one["what"] == "open copies"))


async def test_a_row_covers_only_the_destinations_that_it_names(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    guarded = f"{{base: '{erp.url}', timeout: 2s, limit: {{concurrent: 2, break_after: 1, break_for: 5m}}}}"
    endpoints = f"erp: {{rest: {guarded}}}\nother: {{rest: {{base: '{erp.url}', timeout: 2s}}}}\n"
    site.write("config/endpoints.yaml", endpoints)
    destinations = (
        "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: patient\n"
        "copy:\n  rest: {endpoint: other, call: POST /copy}\n  retry: patient\n"
    )
    site.write("config/destinations.yaml", destinations)
    site.write("config/policies.yaml", f"retry:\n{PATIENT}")
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes.replace("to: [erp]", "to: [erp, copy]"))
    erp.script = lambda request: Answer(500)
    async with site.running() as hub:
        site.drop("1.json", order("1"))
        await effects_are(hub, "retrying", 2)
        site.drop("2.json", order("2"))

        async def waits() -> bool:
            return sum(one.count for one in await Waits(hub.journal).counts()) == 1

        await eventually(waits)
        await effects_are(hub, "retrying", 4)
    database = site.folder / "var/hub.db"
    assert rows(database, "SELECT destinations FROM waiting") == [("erp",)]
    erp.script = lambda request: Answer(201)
    before = len(erp.requests)
    lose_the_queues(site)
    assert (await doctor_says(site)).startswith("3 of route orders have been open")
    async with site.running() as hub:
        await effects_are(hub, "delivered", 4)
        assert sorted(request.path for request in erp.requests[before:]) == ["/copy", "/copy", "/orders", "/orders"]


async def test_a_batch_is_published_again(tmp_path: Path) -> None:
    site = BatchSite(tmp_path)
    site.write("config/policies.yaml", f"retry:\n{PATIENT.replace('patient', 'fast')}")
    site.orders("1", "2", "3")
    out = site.folder / "var/out"
    out.write_text("a file where the folder should be")
    async with site.running() as hub:
        await effects_are(hub, "retrying", 1)
    out.unlink()
    lose_the_queues(site)
    async with site.running() as hub:
        await effects_are(hub, "delivered", 4)
    assert len(site.sent()) == 1
    lose_the_queues(site)
    async with site.running() as hub:
        told = await asyncio.to_thread(site.cli, "broker", "rebuild", "--json")
        assert json.loads(told.stdout) == {"published": 0, "batches": 0, "without_route": 0, "left": 0}
    assert len(site.sent()) == 1


async def test_what_was_replayed_elsewhere_is_made_again(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write(
        "config/destinations.yaml",
        "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: none\n"
        "other:\n  rest: {endpoint: erp, call: POST /other}\n  retry: patient\n",
    )
    site.write("config/policies.yaml", f"retry:\n  none: {{delays: [10ms], on: [unreachable]}}\n{PATIENT}")
    erp.script = lambda request: Answer(500)
    async with site.running() as hub:
        site.drop("1.json", order("1"))
        await effects_are(hub, "dead", 1)
        database = site.folder / "var/hub.db"

        async def buried() -> bool:
            return bool(rows(database, "SELECT id FROM dead_letter"))

        await eventually(buried)
        ((letter,),) = rows(database, "SELECT id FROM dead_letter")
        told = await asyncio.to_thread(site.cli, "dead", "replay", letter, "--to", "other")
        assert told.returncode == 0, told.stderr
        await effects_are(hub, "retrying", 1)
    erp.script = lambda request: Answer(201)
    before = len(erp.requests)
    lose_the_queues(site)
    async with site.running() as hub:
        await effects_are(hub, "delivered", 1)
    assert [request.path for request in erp.requests[before:]] == ["/other"]
    assert rows(database, "SELECT status FROM effect WHERE destination = 'erp'") == [("discarded",)]


async def test_what_can_not_be_made_is_told(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write("config/policies.yaml", f"retry:\n{PATIENT.replace('patient', 'fast')}{HOLDS}")
    erp.script = lambda request: Answer(503)
    async with site.running() as hub:
        site.drop("1.json", order("1"))
        await effects_are(hub, "retrying", 1)
    lose_the_queues(site, "DELETE FROM event WHERE stage = 'matched'")
    async with site.running():
        told = await asyncio.to_thread(site.cli, "broker", "rebuild")
        assert "1 open without a copy" in told.stdout
    assert "the last rebuild could make no copy for 1" in await doctor_says(site)


async def test_letters_that_the_keeper_had_not_taken_are_not_lost_with_their_queues(tmp_path: Path, erp: Erp) -> None:
    """Unmatched, unreadable, and one whose guard failed: what was decided is committed with the letter."""
    site = SiteOnDisk(tmp_path, erp.url)
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write(
        "routes/acme.yaml", routes.replace("to: [erp]", 'to: [{send: erp, if: "1 / (document_version - 1) > 0"}]')
    )
    async with site.running() as hub:
        await hub._keeper.stop(1.0)
        site.drop("unmatched.json", order("1", partner="NOBODY"))
        site.drop("broken.json", b"no order")
        site.drop("guard.json", order("2"))

        async def all_rest() -> bool:
            queues = (UNMATCHED, source_dead_queue("inbox"), dead_queue("orders"))
            rest = list((await hub.broker.depths(queues)).values()) == [1, 1, 1]
            return rest and not list((site.folder / "var/drop").glob("*.json"))  # nothing will be offered again

        await eventually(all_rest)
    lose_the_queues(site)
    async with site.running():
        told = await asyncio.to_thread(site.cli, "dead", "list", "--json")
        letters = json.loads(told.stdout)["dead_letters"]
        assert sorted((one["kind"], one["error"]) for one in letters) == [
            ("route", "ConditionError"),
            ("source", "DecodeError"),
            ("unmatched", "Unmatched"),
        ]
        site.write("routes/acme.yaml", routes.replace("partner: ACME", "partner: [ACME, NOBODY]"))
        site.write("config/partners/nobody.yaml", "partner: NOBODY\nids: [{qualifier: ZZ, id: NOBODY}]\n")
        reloaded = await asyncio.to_thread(site.cli, "reload")
        assert reloaded.returncode == 0, reloaded.stderr
        told = await asyncio.to_thread(site.cli, "dead", "replay", "--all", "--json")
        assert json.loads(told.stdout)["replayed"] == 3

        async def sent() -> bool:
            return sorted(erp.numbers()) == ["1", "2"]

        await eventually(sent)
