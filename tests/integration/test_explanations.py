"""What explains a decision is in the journal: the facts with their types, and all that reading the same bytes again needs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.message import Message
from hub.core.ports import Arrival, BytesBody
from hub.journal.deliveries.decisions import DeadFilter
from hub.journal.timeline import Story, Timeline
from hub.runtime.intake.arrival_again import arrival_again
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

ROUTES = """\
format: 1
owner: order-desk
sources:
  shop:
    exchange: {name: shop.events, key: order.placed, facts: {region: header.x-region}}
    read: {json: order@1}
    steps:
      - {name: tests, filter: "number != 'FILTERED'"}
  mapped:
    exchange: {name: shop.events, key: order.mapped}
    read: {json: {document: order@1, map: mapped.json.j2}}
routes:
  - {id: north, when: {region: north, partner: ACME}, to: [{send: erp, if: "total >= 10000"}]}
  - {id: mapped, when: {source: mapped}, to: [erp]}
"""


@pytest.fixture
def site(site: SiteOnDisk) -> SiteOnDisk:
    site.write("config/facts.yaml", 'region: {from: arrival.region, type: text, default: ""}\n')
    site.write("routes/acme.yaml", ROUTES)
    site.write(
        "routes/templates/mapped.json.j2",
        '{"number": "{{ body.number }}", "partner": "{{ headers[\'x-partner\'] }}", "lines": []}',
    )
    return site


async def the_story(hub: RunningHub, value: str) -> Story:
    (story,) = await Timeline(hub.journal).trace(value)
    return story


def facts_of(story: Story) -> list[dict[str, Any]]:
    return [event["detail"]["facts"] for event in story.events if "facts" in event.get("detail", {})]


async def test_what_was_matched_unmatched_or_filtered_has_its_facts_with_their_types(hub: RunningHub, erp: Erp) -> None:
    for number, price in (("1", "5000"), ("2", "4999.99"), ("FILTERED", "1")):
        taken = await hub.intake.take(
            Arrival("shop", BytesBody(order(number, price=price, quantity="2")), facts={"region": "north"})
        )
        assert taken.documents == 1
    await status_becomes(hub, "1", "delivered")
    for number, total in (("1", Decimal("10000")), ("2", Decimal("9999.98")), ("FILTERED", Decimal(2))):
        (facts,) = facts_of(await the_story(hub, number))
        assert (facts["total"], type(facts["total"])) == (total, Decimal)
        assert (facts["region"], facts["test"], facts["set"], facts["source"]) == ("north", False, None, "shop")
        matches = hub.runtime.snapshot.table.match(facts)
        assert [match.destinations for match in matches] == [("erp",) if number == "1" else ()]


TERMS: list[dict[str, Any]] = [
    {},
    {"salt": "login|k1", "partner": "ACME", "facts": {"region": "north", "big": True, "price": Decimal("1.50")}},
    {"headers": {"content_type": "application/json", "x-n": 3, "x-raw": b"\x00\xff", "x-list": [1, {"a": None}]}},
    {"headers": {"x-long": "x" * 20_000}},
]


async def test_what_came_is_read_again_to_the_same_ids_and_facts(hub: RunningHub) -> None:
    for number, terms in enumerate(TERMS):
        await hub.intake.take(Arrival("shop", BytesBody(order(f"N{number}")), f"f{number}.json", **terms))
        before = await the_story(hub, f"N{number}")
        again = await arrival_again(hub.journal, before.id)
        assert again is not None
        assert (again.name, again.headers) == (f"f{number}.json", terms.get("headers", {}))
        assert (again.identity, b"".join(again.body.chunks())) == (
            Arrival("shop", BytesBody(b""), **terms).identity,
            order(f"N{number}"),
        )
        await hub.intake.take(again)
        after = await the_story(hub, f"N{number}")
        assert after.id == before.id
        first, second = facts_of(after)
        assert first == second


async def test_a_header_that_lets_somebody_in_is_not_kept(hub: RunningHub) -> None:
    headers = {"Authorization": "Bearer s3cr3t-1", "X-Api-Key": b"s3cr3t-2", "deep": {"token": "s3cr3t-3"}, "x-a": "b"}
    await hub.intake.take(Arrival("shop", BytesBody(order("1")), headers=headers))
    again = await arrival_again(hub.journal, (await the_story(hub, "1")).id)
    assert again is not None
    assert again.headers == {"Authorization": "***", "X-Api-Key": "***", "deep": {"token": "***"}, "x-a": "b"}


async def test_a_message_that_was_unreadable_is_replayed_with_its_headers(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    site.write("routes/templates/mapped.json.j2", "no JSON")
    await hub.reload()
    await hub.broker.publish(
        "shop.events", "order.mapped", Message("m1", b'{"number": "7"}', headers={"x-partner": "ACME"})
    )
    (dead,) = await dead_letters(hub, 1, source="mapped")
    site.write(
        "routes/templates/mapped.json.j2",
        '{"number": "{{ body.number }}", "partner": "{{ headers[\'x-partner\'] }}", "lines": []}',
    )
    await hub.reload()
    assert (await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester"))["replayed"] == 1

    async def sent() -> bool:
        return erp.numbers() == ["7"]

    await eventually(sent)
    assert (await the_story(hub, "7")).partner == "ACME"
