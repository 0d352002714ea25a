"""Direct hand-over in a running hub: two routes, equal messages, a slow far end, a reload and a stop during a send, a
cut connection."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.app.running_hub import RunningHub
from hub.core.message import Message
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.proxy import TcpProxy
from tests.support.site import SiteOnDisk, order
from tests.support.stories import status_becomes, story

ROUTES = """\
format: 1
owner: order-desk
sources:
  shop:
    exchange: {name: shop.events, key: order.placed}
    read: {json: order@1}
routes:
"""
ORDERS = "  - {id: orders, when: {document: order}, to: [erp]}\n"


def hanging(seconds: float) -> Callable[[Request], Answer]:
    return lambda request: Answer(hang=seconds)


async def publish(hub: RunningHub, *numbers: str) -> None:
    for number in numbers:
        await hub.broker.publish("shop.events", "order.placed", Message(f"m-{number}", order(number)))


async def handed(hub: RunningHub) -> int:
    return int(sum(count.value for count in hub.metrics.handed_over.numbers.values()))


async def asked(erp: Erp, count: int) -> bool:
    return len(erp.requests) >= count


@pytest.fixture
def shop(site: SiteOnDisk) -> SiteOnDisk:
    """One route from the shop's exchange, with patience for a slow ERP."""
    endpoints = (site.folder / "config/endpoints.yaml").read_text().replace("timeout: 2s", "timeout: 20s")
    site.write("config/endpoints.yaml", endpoints)
    site.write("routes/acme.yaml", ROUTES + ORDERS)
    return site


async def test_two_routes_to_one_destination_and_equal_messages_send_once(shop: SiteOnDisk, erp: Erp) -> None:
    shop.write("routes/acme.yaml", ROUTES + ORDERS + "  - {id: copies, when: {document: order}, to: [erp]}\n")
    async with shop.running() as hub:
        await publish(hub, "1001", "1001", "1002")
        for number in ("1001", "1002"):
            found = await status_becomes(hub, number, "delivered")
            assert len(found.effects) == 1

        async def idle() -> bool:
            queues = ("hub.source.shop", "hub.route.orders", "hub.route.copies")
            return not any((await hub.broker.depths(queues)).values()) and not any(
                worker.in_work for worker in hub.workers.by_route.values()
            )

        await eventually(idle)
        assert sorted(erp.numbers()) == ["1001", "1002"]
        assert await handed(hub) == 2


async def test_a_slow_far_end_keeps_no_other_waiting_and_its_copies_go_to_the_queue(shop: SiteOnDisk, erp: Erp) -> None:
    """The endpoint takes ten requests at once: what has no place there, or comes once it is known as slow, goes to its
    queue."""
    destinations = (shop.folder / "config/destinations.yaml").read_text()
    endpoints = (shop.folder / "config/endpoints.yaml").read_text()
    with Erp(hanging(1.0)).serving() as slow:
        shop.write(
            "config/endpoints.yaml",
            f'{endpoints}wms: {{rest: {{base: "{slow.url}", timeout: 20s, connections: 10}}}}\n',
        )
        shop.write("config/destinations.yaml", f"{destinations}wms:\n  rest: {{endpoint: wms, call: POST /orders}}\n")
        shop.write("routes/acme.yaml", ROUTES + ORDERS + "  - {id: slow, when: {document: order}, to: [wms]}\n")
        numbers = [f"{n}" for n in range(2001, 2041)]
        async with shop.running() as hub:
            await publish(hub, *numbers)
            await eventually(lambda: asked(erp, len(numbers)))
            assert len(slow.requests) <= 20  # the fast one has all while the slow one still works on the first
            for number in numbers:
                await status_becomes(hub, number, "delivered", "wms")
            assert sorted(slow.numbers()) == sorted(erp.numbers()) == numbers
            by_route = {name[0]: count.value for name, count in hub.metrics.handed_over.numbers.items()}
            assert by_route.get("slow", 0) <= 10


async def test_a_reload_waits_for_no_send_and_cuts_none(shop: SiteOnDisk, erp: Erp) -> None:
    erp.script = hanging(1.0)
    async with shop.running() as hub:
        await publish(hub, "3001")
        await eventually(lambda: asked(erp, 1))
        with Erp().serving() as other:
            endpoints = (shop.folder / "config/endpoints.yaml").read_text().replace(erp.url, other.url)
            shop.write("config/endpoints.yaml", endpoints)
            shop.write("routes/acme.yaml", (ROUTES + ORDERS).replace("order.placed", "order.changed"))
            await hub.reload()
            await status_becomes(hub, "3001", "delivered")
            assert (erp.numbers(), other.numbers()) == (["3001"], [])


async def test_a_stop_after_a_reload_cuts_no_send_at_what_was_replaced(shop: SiteOnDisk, erp: Erp) -> None:
    erp.script = hanging(1.5)
    with Erp().serving() as other:
        async with shop.running() as hub:
            await publish(hub, "3501")
            await eventually(lambda: asked(erp, 1))
            endpoints = (shop.folder / "config/endpoints.yaml").read_text().replace(erp.url, other.url)
            shop.write("config/endpoints.yaml", endpoints)
            await hub.reload()
        async with shop.running() as hub:
            await status_becomes(hub, "3501", "delivered")
        assert (erp.numbers(), other.numbers()) == (["3501"], [])


async def test_a_small_arrival_with_a_large_document_goes_to_the_queue(shop: SiteOnDisk, erp: Erp) -> None:
    """Its body travels as a claim, which is kept with its commit."""
    shop.write(
        "routes/acme.yaml",
        (ROUTES + ORDERS).replace("read: {json: order@1}", "read: {json: order@1}\n    unpack: gzip"),
    )
    body = gzip.compress(order("4501", notes=[{"text": "x" * 1000}] * 1300))
    assert len(body) < 64 * 1024
    async with shop.running() as hub:
        await hub.broker.publish("shop.events", "order.placed", Message("m-4501", body))
        found = await status_becomes(hub, "4501", "delivered")
        assert [effect.attempts for effect in found.effects] == [1]
        assert await handed(hub) == 0


async def test_a_stop_waits_for_a_send(shop: SiteOnDisk, erp: Erp) -> None:
    erp.script = hanging(1.0)
    async with shop.running() as hub:
        await publish(hub, "4001")
        await eventually(lambda: asked(erp, 1))
    async with shop.running() as hub:
        await status_becomes(hub, "4001", "delivered")
        assert erp.numbers() == ["4001"]


@pytest.mark.rabbitmq
async def test_a_connection_that_is_cut_during_a_send_repeats_nothing(
    tmp_path: Path, erp: Erp, amqp_vhost: str
) -> None:
    """The source gets its message again; the copy waits until the send that is under way has ended."""
    parts = urlsplit(amqp_vhost)
    proxy = TcpProxy(parts.hostname or "", parts.port or 5672)
    await proxy.start()
    site = SiteOnDisk(tmp_path, erp.url, amqp=proxy.through(amqp_vhost))
    endpoints = (tmp_path / "config/endpoints.yaml").read_text().replace("timeout: 2s", "timeout: 20s")
    site.write("config/endpoints.yaml", endpoints)
    site.write("routes/acme.yaml", ROUTES + ORDERS)
    erp.script = hanging(3.0)
    async with site.running() as hub:
        await publish(hub, "5001", "5002")
        await eventually(lambda: asked(erp, 2))
        proxy.cut()
        for number in ("5001", "5002"):
            await status_becomes(hub, number, "delivered")

        async def acknowledged() -> bool:
            depths = await hub.broker.depths(("hub.source.shop", "hub.route.orders"))
            return hub.broker.connected and not any(depths.values()) and not hub.workers.by_route["orders"].in_work

        await eventually(acknowledged)
        await asyncio.sleep(1.5)
        assert sorted(erp.numbers()) == ["5001", "5002"]
        assert [event.stage for event in (await story(hub, "5001")).events].count("sent") == 1
    await proxy.close()
