"""The hub's own queues heal, and bindings that nobody needs any more go."""

from __future__ import annotations

import pytest

from hub.app.running_hub import RunningHub
from hub.core.errors import Unroutable
from hub.core.message import Message
from hub.core.topology import dead_queue, route_queue, source_dead_queue, source_queue
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, number_seen, status_becomes

EXCHANGE = "shop.events"


async def there(hub: RunningHub, queue: str) -> bool:
    return (await hub.broker.depths([queue]))[queue] is not None


async def test_a_queue_that_somebody_deletes_is_declared_again_and_served(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    for queue in (route_queue("orders"), dead_queue("orders"), source_dead_queue("inbox")):
        assert await hub.broker.delete_queue(queue, if_empty=False)
        await eventually(lambda queue=queue: there(hub, queue))  # type: ignore[misc]
    site.drop("one.json", order("4711"))
    await status_becomes(hub, "4711", "delivered")
    erp.script = lambda request: Answer(422)
    site.drop("two.json", order("4712"))
    site.drop("broken.json", b"no order")
    await dead_letters(hub, 1, route="orders")
    await dead_letters(hub, 1, kind="source")
    assert hub.runtime.own_queues.missing == {}


async def test_a_source_whose_queue_is_deleted_fails_and_comes_back_with_its_binding(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    queue = source_queue("shop")
    await hub.broker.publish(EXCHANGE, "order.placed", Message("m0", order("4710")))
    await eventually(lambda: number_seen(erp, "4710"))
    assert await hub.broker.delete_queue(queue, if_empty=False)

    async def failing() -> bool:
        return queue in str((await hub.readiness())["sources"]["shop"])

    await eventually(failing)
    await eventually(lambda: is_bound(hub, "order.placed"))
    await hub.broker.publish(EXCHANGE, "order.placed", Message("m1", order("4713")))
    await eventually(lambda: number_seen(erp, "4713"))


async def is_bound(hub: RunningHub, key: str) -> bool:
    try:
        await hub.broker.publish(EXCHANGE, key, Message(f"probe-{key}", b"no order"))
    except Unroutable:
        return False
    return True


async def test_what_a_site_binds_no_more_is_unbound_by_a_reload_and_by_a_start(site: SiteOnDisk) -> None:
    async with site.running() as hub:
        routes = (site.folder / "routes/acme.yaml").read_text()
        site.write("routes/acme.yaml", routes.replace("key: order.placed", "key: order.changed"))
        await hub.reload()
        assert await is_bound(hub, "order.changed")
        assert not await is_bound(hub, "order.placed")
    site.write("routes/acme.yaml", routes.replace("key: order.placed", "key: order.moved"))
    async with site.running() as hub:
        assert await is_bound(hub, "order.moved")
        assert not await is_bound(hub, "order.changed")


@pytest.mark.parametrize("gone", ["source", "exchange"])
async def test_the_binding_of_a_source_that_is_gone_goes(site: SiteOnDisk, gone: str) -> None:
    async with site.running() as hub:
        routes = (site.folder / "routes/acme.yaml").read_text()
        shop = routes[routes.index("  shop:") : routes.index("routes:\n")]
        changed = shop.replace(EXCHANGE, "shop.others") if gone == "exchange" else ""
        site.write("routes/acme.yaml", routes.replace(shop, changed))
        await hub.reload()
        assert not await is_bound(hub, "order.placed")
