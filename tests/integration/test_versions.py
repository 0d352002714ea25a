"""Processes with different route tables: a reload reaches all, a copy waits for who knows its destination, a rename
loses nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from hub.app.running_hub import RunningHub
from hub.core.errors import Unroutable
from hub.core.message import Message
from hub.core.ports import Arrival, BytesBody
from hub.journal.deliveries.decisions import Decisions
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import ROUTES, SiteOnDisk, order


def rename(site: SiteOnDisk) -> None:
    """The destination `erp` is called `sap` from now on."""
    path = site.folder / "config/destinations.yaml"
    path.write_text(path.read_text().replace("erp:\n", "sap:\n", 1))
    site.write("routes/acme.yaml", ROUTES.replace("to: [erp]", "to: [sap]"))


async def effects(hub: RunningHub) -> list[tuple[str, str]]:
    async def query(connection: Any) -> list[tuple[str, str]]:
        rows = await connection.exec_driver_sql("SELECT destination, status FROM effect ORDER BY destination, status")
        return [tuple(row) for row in rows]

    return list(await hub.journal.read(query))


@pytest.mark.rabbitmq
@pytest.mark.postgres
async def test_old_and_new_processes_side_by_side(
    tmp_path: Path, erp: Erp, amqp_vhost: str, empty_database_url: str
) -> None:
    site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=empty_database_url)
    async with site.running() as old:
        rename(site)
        async with site.running() as new:
            for number in range(12):
                await new.intake.take(Arrival("shop", BytesBody(order(str(number))), "", {}))

            async def all_sent() -> bool:
                return await effects(new) == [("sap", "delivered")] * 12

            told = await asyncio.to_thread(site.cli, "doctor", "--json")
            tables = [one for one in json.loads(told.stdout)["findings"] if one["what"] == "tables"]
            assert [one["state"] for one in tables] == ["error"]
            try:
                await eventually(all_sent)
            except TimeoutError:
                raise AssertionError(await effects(new)) from None
            assert sorted(erp.numbers(), key=int) == [str(number) for number in range(12)], "sent once each"
            assert old.site.version != new.site.version
            reloaded = await asyncio.to_thread(site.cli, "reload", "--json")
            assert reloaded.returncode == 0, reloaded.stderr
            processes = json.loads(reloaded.stdout)["processes"]
            assert [one["status"] for one in processes] == ["done", "done"]
            assert old.site.version == new.site.version

            site.write("routes/acme.yaml", "routes: [")
            refused = await asyncio.to_thread(site.cli, "reload", "--json")
            assert refused.returncode == 1
            assert [one["status"] for one in json.loads(refused.stdout)["processes"]] == ["failed", "failed"]


async def test_dead_letters_of_a_renamed_destination_go_to_another(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    erp.script = lambda request: Answer(400)
    async with site.running() as hub:
        site.drop("1.json", order("1"))

        async def dead() -> bool:
            told = await asyncio.to_thread(site.cli, "dead", "list", "--json")
            return json.loads(told.stdout)["count"] == 1

        await eventually(dead)
    rename(site)
    erp.script = lambda request: Answer(201)
    async with site.running() as hub:
        wrong = await asyncio.to_thread(site.cli, "dead", "replay", "--all", "--to", "nowhere")
        assert (wrong.returncode, "there is no destination 'nowhere'; the site has sap" in wrong.stderr) == (1, True)
        told = await asyncio.to_thread(site.cli, "dead", "replay", "--all", "--to", "sap", "--json")
        assert json.loads(told.stdout)["replayed"] == 1, told.stdout

        async def sent() -> bool:
            return await effects(hub) == [("erp", "discarded"), ("sap", "delivered")]

        await eventually(sent)
    assert erp.numbers() == ["1", "1"]
    assert erp.requests[0].key != erp.requests[1].key


async def test_copies_for_a_removed_route_are_told(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write(
        "config/policies.yaml",
        "retry:\n  fast: {delays: [1h], on: [unreachable, timeout, busy, failed]}\nholds:\n  credit_hold: {owner: x,"
        " sla: 4h}\n",
    )
    erp.script = lambda request: Answer(503)
    async with site.running() as hub:
        site.drop("1.json", order("1"))

        async def waits() -> bool:
            return await effects(hub) == [("erp", "retrying")]

        await eventually(waits)
        site.write("routes/acme.yaml", ROUTES.replace("id: orders", "id: others"))
        reloaded = await asyncio.to_thread(site.cli, "reload")
        assert "hub.route.orders.retry.1h holds 1, and its route or source is gone" in reloaded.stdout
        await hub.measure()
        assert b'hub_orphaned_messages{queue="hub.route.orders.retry.1h"} 1.0' in generate_latest(hub.metrics.registry)
        checked = await asyncio.to_thread(site.cli, "check")
        assert "hub.route.orders.retry.1h holds 1" in checked.stdout
        told = await asyncio.to_thread(site.cli, "doctor", "--json")
        orphans = next(one for one in json.loads(told.stdout)["findings"] if one["what"] == "orphans")
        assert orphans["state"] == "error"
        assert "hub.route.orders.retry.1h holds 1" in orphans["text"]


async def is_bound(hub: RunningHub, key: str) -> bool:
    try:
        await hub.broker.publish("shop.events", key, Message(f"probe-{key}", b"no order"))
    except Unroutable:
        return False
    return True


@pytest.mark.rabbitmq
@pytest.mark.postgres
async def test_a_process_with_older_files_takes_no_bindings_from_the_others(
    tmp_path: Path, amqp_vhost: str, empty_database_url: str
) -> None:
    """A host whose files are not there yet starts again: what its neighbors listen to would be lost at the exchange."""
    newer, older = (
        SiteOnDisk(tmp_path / name, amqp=amqp_vhost, journal=empty_database_url) for name in ("newer", "older")
    )
    newer.write("routes/acme.yaml", ROUTES.replace("key: order.placed", "key: order.made"))
    async with newer.running() as new:
        async with older.running() as old:
            assert await is_bound(new, "order.made")
            assert await is_bound(new, "order.placed"), "the older one lives, and serves it"
            await new.reload()
            assert await is_bound(new, "order.placed")
            await old.reload()
            assert await is_bound(new, "order.made")

            async def forget(connection: Any) -> None:
                await connection.exec_driver_sql(f"DELETE FROM process WHERE id = '{old.journal.process}'")

            await new.journal.change(forget)  # as where its heartbeats could not be written
            await new.queues.unbind(new.opened)
            assert not await is_bound(new, "order.placed")
            await old.queues.unbind(old.opened)
            assert await is_bound(new, "order.placed"), "it lives after all, and binds again what it needs"
        await new.reload()
        assert await is_bound(new, "order.made")
        assert not await is_bound(new, "order.placed"), "nobody needs it any more"


async def test_one_hold_whose_route_is_gone_keeps_no_other_from_its_release(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write("config/partners/bolt.yaml", "partner: BOLT\nids: [{qualifier: ZZ, id: BOLT}]\n")
    others = ROUTES + "  - id: others\n    when: {document: order, partner: BOLT}\n    to: [erp]\n"
    site.write("routes/acme.yaml", others)
    erp.script = lambda request: Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')
    async with site.running() as hub:
        site.drop("1.json", order("1", partner="BOLT"))
        site.drop("2.json", order("2"))

        async def held() -> bool:
            return await effects(hub) == [("erp", "held")] * 2

        await eventually(held)
        erp.script = lambda request: Answer(201)
        site.write("routes/acme.yaml", ROUTES)
        await hub.reload()
        holds = await Decisions(hub.journal).holds(("open",))
        ids = [row.id for row in sorted(holds, key=lambda row: row.number)]
        told = await asyncio.to_thread(site.cli, "hold", "release", *ids, "--reason", "paid")
        assert "1 released" in told.stdout
        assert "the route others is not there any more" in told.stdout

        async def sent() -> bool:
            return await effects(hub) == [("erp", "delivered"), ("erp", "held")]

        await eventually(sent)
