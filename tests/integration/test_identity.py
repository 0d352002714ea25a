"""What makes two arrivals two: their bytes, who has proved to have sent them, the facts they came with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.ports import Arrival, BytesBody
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import SiteOnDisk, order

ANONYMOUS = order("7", partner="")


def arrival(partner: str = "", facts: Mapping[str, Any] | None = None, salt: str = "") -> Arrival:
    return Arrival("inbox", BytesBody(ANONYMOUS), "a.json", facts=facts or {}, salt=salt, partner=partner)


async def partners_of(hub: RunningHub) -> list[str | None]:
    return sorted((story.partner or "") for story in await Timeline(hub.journal).trace("7"))


@pytest.fixture
def open_site(site: SiteOnDisk) -> SiteOnDisk:
    text = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", text.replace("when: {document: order, partner: ACME}", "when: {document: order}"))
    return site


async def test_the_same_bytes_of_two_partners_are_two_messages(open_site: SiteOnDisk, erp: Erp) -> None:
    open_site.write("config/partners/bolt.yaml", 'partner: BOLT\nids: [{qualifier: "ZZ", id: "BOLT"}]\n')
    async with open_site.running() as hub:
        for partner in ("ACME", "BOLT", "ACME"):
            await hub.intake.take(arrival(partner))
        await eventually(lambda: count(erp, 2))
        assert await partners_of(hub) == ["ACME", "BOLT"]
    assert len(erp.requests) == 2


async def count(erp: Erp, wanted: int) -> bool:
    return len(erp.requests) == wanted


async def test_the_same_bytes_with_other_facts_are_two_messages(open_site: SiteOnDisk, erp: Erp) -> None:
    async with open_site.running() as hub:
        for region in ("north", "south", "north"):
            await hub.intake.take(arrival(facts={"region": region}))
        await eventually(lambda: count(erp, 2))
        assert len(await partners_of(hub)) == 2


async def test_without_these_the_same_bytes_are_one_message(open_site: SiteOnDisk, erp: Erp) -> None:
    async with open_site.running() as hub:
        for _ in range(3):
            await hub.intake.take(arrival())
        await eventually(lambda: count(erp, 1))
        assert len(await partners_of(hub)) == 1


@pytest.mark.parametrize(
    "other",
    [
        arrival("ACME"),
        arrival(facts={"a": "1"}),
        arrival(salt="x"),
        arrival("ACME", {"a": "1"}),
        arrival("ACME", salt="x"),
    ],
)
def test_identities_differ(other: Arrival) -> None:
    assert other.identity != arrival().identity == ""
    assert other.identity != arrival("BOLT", {"a": "2"}).identity
