"""What a source knows of an arrival beside its bytes: facts, keys, who sent it, and what tells it from others alike."""

from __future__ import annotations

from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.ports import Arrival, BytesBody, Taken
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import SiteOnDisk, order

FACTS = 'region: {from: arrival.region, type: text, default: ""}\n'
ROUTES = """\
format: 1
owner: order-desk
sources:
  shop:
    exchange: {name: shop.events}
    read: {json: order@1}
routes:
  - id: north
    when: {region: north, partner: ACME}
    to: [erp]
"""


@pytest.fixture
def site(site: SiteOnDisk) -> SiteOnDisk:
    site.write("config/facts.yaml", FACTS)
    site.write("routes/acme.yaml", ROUTES)
    return site


def arrival(body: bytes, **more: Any) -> Arrival:
    return Arrival("shop", BytesBody(body), **more)


async def stories(hub: RunningHub, value: str) -> list[Story]:
    return await Timeline(hub.journal).trace(value)


async def delivered(erp: Erp, count: int) -> None:
    async def reached() -> bool:
        return len(erp.requests) >= count

    await eventually(reached)


async def test_facts_and_keys_of_a_source_are_those_of_its_documents(hub: RunningHub, erp: Erp) -> None:
    taken = await hub.intake.take(arrival(order("1"), facts={"region": "north"}, keys=(("ticket", "T-1"),)))
    assert taken == Taken(1)
    await delivered(erp, 1)
    (story,) = await stories(hub, "T-1")
    assert (story.number, story.partner) == ("1", "ACME")


async def test_the_same_bytes_with_another_salt_are_another_message(hub: RunningHub, erp: Erp) -> None:
    facts = {"region": "north"}
    for salt in ("", "", "k1", "k1", "k2"):
        await hub.intake.take(arrival(order("1"), facts=facts, salt=salt))
    await delivered(erp, 3)
    assert len({request.key for request in erp.requests}) == 3
    assert len(await stories(hub, "1")) == 3


async def test_a_step_makes_nobodys_document_another_partners(site: SiteOnDisk, erp: Erp) -> None:
    site.write(
        "routes/acme.yaml",
        ROUTES.replace("read: {json: order@1}", "read: {json: order@1}\n    steps: [{name: swap, map: swap.json.j2}]"),
    )
    site.write("routes/templates/swap.json.j2", '{"number": "{{ document.number }}", "partner": "BOLT", "lines": []}')
    async with site.running() as hub:
        refused = await hub.intake.take(arrival(order("1"), facts={"region": "north"}, partner="ACME"))
        assert (refused.documents, refused.refused) == (0, 1)
        assert refused.cause == "it names the partner BOLT, and ACME has sent it"
        trusted = await hub.intake.take(arrival(order("2"), facts={"region": "north"}))
        assert (trusted.documents, trusted.refused) == (1, 0)


async def test_who_has_sent_it_is_the_partner_and_a_document_that_names_another_is_refused(hub: RunningHub) -> None:
    facts = {"region": "north"}
    refused = await hub.intake.take(arrival(order("1"), facts=facts, partner="BOLT"))
    assert (refused.documents, refused.refused) == (0, 1)
    assert refused.cause == "it names the partner ACME, and BOLT has sent it"
    assert (await hub.intake.take(arrival(order("1"), facts=facts, partner="ACME"))).documents == 1


async def test_what_was_unreadable_is_read_again_with_all_that_its_source_knew(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    body = order("7", partner="OTHER")
    terms = {"facts": {"region": "north"}, "salt": "k", "keys": (("ticket", "T-7"),), "partner": "ACME"}
    assert (await hub.intake.take(arrival(body, **terms))).refused == 1
    before = (await stories(hub, "T-7"))[0].id

    async def kept() -> bool:
        return bool((await stories(hub, "T-7"))[0].dead_letters)

    await eventually(kept)
    (dead,) = (await stories(hub, "T-7"))[0].dead_letters
    result = await hub.replay.replay(DeadFilter(ids=(dead.id,)), "test")
    assert result["replayed"] == 1

    async def again() -> bool:
        return len((await stories(hub, "T-7"))[0].dead_letters) == 2

    await eventually(again)
    (story,) = await stories(hub, "T-7")
    assert story.id == before
    assert "and ACME has sent it" in story.dead_letters[-1].cause


async def test_what_matched_nothing_is_matched_again_with_the_facts_of_its_source(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    await hub.intake.take(arrival(order("8"), facts={"region": "south"}))

    async def kept() -> bool:
        return bool((await stories(hub, "8"))[0].dead_letters)

    await eventually(kept)
    site.write("routes/acme.yaml", ROUTES.replace("region: north", "region: south"))
    await hub.reload()
    (dead,) = (await stories(hub, "8"))[0].dead_letters
    assert (await hub.replay.replay(DeadFilter(ids=(dead.id,)), "test"))["replayed"] == 1
    await delivered(erp, 1)
