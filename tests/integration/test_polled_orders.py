"""A whole hub that asks a shop for its orders: each delivered once, over a restart and a far end that refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.lists import Lists, Question, Reply
from tests.support.site import SiteOnDisk, order

SOURCES = """\
format: 1
owner: order-desk
sources:
  shop:
    rest:
      endpoint: shop
      call: GET /orders?since={cursor}&limit=2
      every: 50ms
      items: /orders
      id: /number
      cursor: {item: /release, start: "0"}
      partner: ACME
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME, source: shop}
    to: [erp]
"""


class Shop:
    """Orders in the order in which they were changed; an inclusive `since`, as many systems have it."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.lists = Lists(self.answer)

    def put(self, number: str, **more: Any) -> None:
        """A new order, or a changed one."""
        self.orders = [each for each in self.orders if each["number"] != number]
        last = int(self.orders[-1]["release"]) if self.orders else 0
        found = json.loads(order(number, **more))
        self.orders.append(found | {"release": str(last + 1)})

    def answer(self, question: Question) -> Reply:
        since, limit = int(question.query["since"]), int(question.query["limit"])
        found = [each for each in self.orders if int(each["release"]) >= since]
        return Reply({"orders": found[:limit]})


@pytest.fixture
async def shop(site: SiteOnDisk) -> AsyncIterator[Shop]:
    made = Shop()
    async with made.lists.serving():
        path = site.folder / "config/endpoints.yaml"
        site.write("config/endpoints.yaml", path.read_text() + f'shop: {{rest: {{base: "{made.lists.url}"}}}}\n')
        site.write("routes/acme.yaml", SOURCES)
        yield made


async def delivered(erp: Erp, numbers: list[str]) -> None:
    async def reached() -> bool:
        return sorted(erp.numbers()) == numbers

    await eventually(reached)


async def asked_twice(shop: Shop) -> None:
    wanted = len(shop.lists.asked) + 2

    async def reached() -> bool:
        return len(shop.lists.asked) >= wanted

    await eventually(reached)


async def test_orders_are_polled_and_delivered_once_over_a_restart(site: SiteOnDisk, shop: Shop, erp: Erp) -> None:
    for number in ("1", "2", "3"):
        shop.put(number)
    async with site.running():
        await delivered(erp, ["1", "2", "3"])
        await asked_twice(shop)
    shop.put("4")
    begun = len(shop.lists.asked)
    async with site.running():
        await delivered(erp, ["1", "2", "3", "4"])
        assert shop.lists.asked[begun].query["since"] == "3"
        shop.put("2", quantity="7")
        await delivered(erp, ["1", "2", "2", "3", "4"])
        await asked_twice(shop)
    assert sorted(erp.numbers()) == ["1", "2", "2", "3", "4"]
    assert len({request.key for request in erp.requests}) == 5


async def test_a_broken_item_lies_with_the_dead_letters_and_a_stranger_is_refused(
    site: SiteOnDisk, shop: Shop, erp: Erp
) -> None:
    shop.put("1")
    shop.put("2", partner="BOLT")
    shop.put("3")
    shop.orders[0]["lines"] = "none"
    async with site.running():
        await delivered(erp, ["3"])

        async def dead() -> bool:
            listed = await asyncio.to_thread(site.cli, "dead", "list", "--source", "shop", "--json")
            return len(json.loads(listed.stdout)) == 2

        await eventually(dead)
