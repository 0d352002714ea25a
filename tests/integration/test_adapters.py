"""The file and exchange destinations through a whole hub, and a publisher's headers through its exchange source."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub.app.running_hub import RunningHub
from hub.core.identity import digest, idempotency_key, message_id
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, Topology
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.brokers import Inbox, eventually
from tests.support.site import INBOX, SiteOnDisk, order

DESTINATIONS = """\
folder:
  file: {folder: var/out, name: "{document}_{number}.json"}
approval:
  exchange: {name: orders.approval, key: "{partner}.{number}"}
  retry: fast
"""

ROUTES = (
    INBOX
    + """\
  shop:
    exchange: {name: shop.events, key: order.placed}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [folder, approval]
"""
)


def site_in(folder: Path) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    site.write("config/destinations.yaml", DESTINATIONS)
    site.write("routes/acme.yaml", ROUTES)
    return site


async def bound(hub: RunningHub) -> Inbox:
    queue = Queue("desk.approvals")
    binding = Binding("orders.approval", queue.name, "ACME.#")
    await hub.runtime.broker.declare(Topology((Exchange("orders.approval"),), (queue,), (binding,)))
    inbox = Inbox(ack=True)
    await hub.runtime.broker.consume(queue.name, inbox)
    return inbox


async def effect_becomes(hub: RunningHub, number: str, destination: str, status: str) -> Story:
    found: list[Story] = []

    async def right() -> bool:
        found[:] = await Timeline(hub.journal).trace(number)
        return any(e.destination == destination and e.status == status for s in found for e in s.effects)

    await eventually(right)
    return found[0]


async def test_an_order_goes_to_a_file_and_to_an_exchange(tmp_path: Path) -> None:
    site = site_in(tmp_path)
    async with site.running() as hub:
        inbox = await bound(hub)
        site.drop("a.json", order("1001"))
        message = (await inbox.next()).message
        told = await effect_becomes(hub, "1001", "approval", "delivered")
        await effect_becomes(hub, "1001", "folder", "delivered")
    effect = next(effect for effect in told.effects if effect.destination == "approval")
    assert message.id == effect.key == idempotency_key(told.id, "approval")
    assert message.correlation_id == message_id(digest(order("1001")))
    assert message.content_type == "application/json"
    written = (tmp_path / "var/out/order_1001.json").read_bytes()
    assert json.loads(written)["number"] == "1001"
    assert message.body == written
    assert [path.name for path in (tmp_path / "var/out").iterdir()] == ["order_1001.json"]


async def test_an_exchange_to_which_nothing_is_bound_ends_in_the_dead_letters(tmp_path: Path) -> None:
    site = site_in(tmp_path)
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        decisions = Decisions(hub.journal)

        async def dead() -> bool:
            return await decisions.count_dead(DeadFilter(destination="approval"), hub.runtime.clock()) == 1

        await eventually(dead)
        (letter,) = await decisions.dead_letters(DeadFilter(), hub.runtime.clock())
        told = await effect_becomes(hub, "1001", "folder", "delivered")
        assert "nothing is bound to exchange 'orders.approval' for key 'ACME.1001'" in letter.cause
        approval = next(effect for effect in told.effects if effect.destination == "approval")
        assert approval.attempts == 4
        inbox = await bound(hub)
        assert (await hub.replay.replay(DeadFilter(), "tester"))["replayed"] == 1
        assert (await inbox.next()).message.id == approval.key


async def test_headers_of_a_publisher_do_not_steer_the_hub(tmp_path: Path) -> None:
    site = site_in(tmp_path)
    async with site.running() as hub:
        inbox = await bound(hub)
        evil = {"content_type": {"a": 1}, "correlation_id": ["x"], "hub-route": "other", "hub-hops": "many"}
        message = Message("m1", order("1001"), "application/json", evil, correlation_id="theirs")
        await hub.runtime.broker.publish("shop.events", "order.placed", message)
        assert (await inbox.next()).message.correlation_id == "theirs"
        told = await effect_becomes(hub, "1001", "approval", "delivered")
    assert told.source == "shop"


async def test_what_a_reload_replaces_is_closed(site: SiteOnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.app.live_site.RETIRE_SECONDS", 0.05)
    async with site.running() as hub:
        before = hub.opened.endpoints["erp"]
        session = before._opened()
        site.write("config/endpoints.yaml", f'erp: {{rest: {{base: "{before.options.base}", timeout: 3s}}}}\n')
        await hub.reload()
        assert hub.opened.endpoints["erp"] is not before

        async def closed() -> bool:
            return bool(session.closed)

        await eventually(closed)
        again = hub.opened.endpoints["erp"]
        await hub.reload()
        await asyncio.sleep(0.2)
        assert hub.opened.endpoints["erp"] is again
