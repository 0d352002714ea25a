"""An interchange control number that comes again within the agreed days is refused; a resend of what failed is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.agreement import Agreement
from hub.core.ports import Arrival, BytesBody, Taken
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from tests.support.brokers import eventually
from tests.support.clocks import ahead_of
from tests.support.partner_site import PartnerSite
from tests.support.site import order
from tests.support.stories import dead_letters, status_becomes

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))
DAY = 86400.0


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> PartnerSite:
    made = PartnerSite(tmp_path)
    if request.param != "embedded":
        amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
        made = PartnerSite(tmp_path, amqp=amqp, journal=journal)
    made.agreement = Agreement("ACME", (), duplicate_days=30)
    return made


def interchange(control: str, *numbers: str, partner: str = "ACME", price: str = "9.50") -> bytes:
    """One interchange with an order for each number."""
    lines: list[Any] = [{"interchanges": [[partner, control, "1"]]}]
    for n, number in enumerate(numbers, 1):
        document = json.loads(order(number, price=price))
        lines.append({"position": f"1.1.{n}", "envelope": {"partner": partner}, "document": document})
    return b"\n".join(json.dumps(line).encode() for line in lines)


async def take(hub: RunningHub, body: bytes, name: str, **headers: Any) -> Taken:
    return await hub.intake.take(Arrival("partner", BytesBody(body), name, headers))


async def test_the_same_number_with_other_bytes_is_refused_and_says_what_was_taken_before(site: PartnerSite) -> None:
    async with site.running() as hub:
        assert (await take(hub, interchange("000000017", "1001"), "acme_17.edi")).documents == 1
        await status_becomes(hub, "1001", "delivered", "acme-out")
        second = await take(hub, interchange("17", "1002"), "again.edi")
        assert (second.documents, second.refused) == (0, 1)
        assert "a duplicate, taken on " in second.cause
        assert second.cause.endswith(" as acme_17.edi")
        (dead,) = await dead_letters(hub, 1, kind="source")
        assert dead.error == "DecodeError"
        assert (await take(hub, interchange("18", "1003"), "acme_18.edi")).documents == 1


async def test_the_same_bytes_again_are_taken_already_and_no_duplicate(site: PartnerSite) -> None:
    async with site.running() as hub:
        for _ in range(3):
            assert (await take(hub, interchange("17", "1001"), "acme_17.edi")).refused == 0
        await status_becomes(hub, "1001", "delivered", "acme-out")
        assert (await take(hub, interchange("17", "1001"), "acme_17.edi")).refused == 0
        assert len(site.sent()) == 1


async def test_a_duplicate_that_is_dropped_again_is_still_one(site: PartnerSite) -> None:
    async with site.running() as hub:
        await take(hub, interchange("17", "1001"), "acme_17.edi")
        for _ in range(2):
            assert (await take(hub, interchange("17", "1002"), "again.edi")).refused == 1
        assert (await take(hub, interchange("17", "1001"), "acme_17.edi")).refused == 0


async def test_a_resend_of_what_failed_is_taken_and_then_the_first_is_the_duplicate(site: PartnerSite) -> None:
    site.writes(refuse='"1001"')
    async with site.running() as hub:
        first, second = interchange("17", "1001"), interchange("17", "1002")
        await take(hub, first, "acme_17.edi")
        await dead_letters(hub, 1, route="orders")
        assert (await take(hub, second, "mended.edi")).refused == 0
        await status_becomes(hub, "1002", "delivered", "acme-out")
        assert (await take(hub, first, "acme_17.edi")).cause.endswith("as mended.edi")


async def test_what_is_under_way_or_held_may_become_effective(site: PartnerSite) -> None:
    site.write("var/out", "in the way")
    async with site.running() as hub:
        await take(hub, interchange("17", "1001"), "acme_17.edi")
        await status_becomes(hub, "1001", "retrying", "acme-out")
        assert (await take(hub, interchange("17", "1002"), "again.edi")).refused == 1


async def test_one_transaction_that_was_delivered_makes_the_whole_number_taken(site: PartnerSite) -> None:
    site.writes(refuse='"1001"')
    async with site.running() as hub:
        await take(hub, interchange("17", "1001", "1002"), "acme_17.edi")
        await dead_letters(hub, 1, route="orders")
        await status_becomes(hub, "1002", "delivered", "acme-out")
        assert (await take(hub, interchange("17", "1003", "1004"), "again.edi")).refused == 2


async def test_what_was_discarded_is_free_and_a_refused_duplicate_is_taken_when_it_is_replayed(
    site: PartnerSite,
) -> None:
    site.write("var/out", "in the way")
    async with site.running() as hub:
        await take(hub, interchange("17", "1001"), "acme_17.edi")
        await take(hub, interchange("17", "1002"), "again.edi")
        (dead,) = await dead_letters(hub, 1, route="orders")
        await hub.replay.discard(DeadFilter(ids=(dead.id,)), "tester", "wrong file")
        (site.folder / "var/out").unlink()
        await hub.replay.replay(DeadFilter(kind="source"), "tester")
        await status_becomes(hub, "1002", "delivered", "acme-out")


async def test_a_transaction_that_was_refused_while_our_acknowledgment_was_sent_has_taken_nothing(
    site: PartnerSite,
) -> None:
    routes = (site.folder / "routes/acme.yaml").read_text()
    asks = "  - id: answers\n    when: {document: functional_acknowledgment, partner: ACME, direction: outbound}\n"
    site.write("routes/acme.yaml", routes + asks + "    to: [acme-out]\n")
    document: dict[str, Any] = {
        "document": "functional_acknowledgment@1",
        "number": "17",
        "group_code": "PO",
        "status": "R",
    }
    document |= {"included": 1, "received": 1, "accepted": 0}
    lines: list[Any] = [
        {"interchanges": [["ACME", "17", "1"]]},
        {"position": "1.1.1", "envelope": {"partner": "ACME"}, "refuse": "no SE"},
        {"position": "1.1.ack", "envelope": {"partner": "ACME", "direction": "outbound"}, "document": document},
    ]
    async with site.running() as hub:
        await take(hub, b"\n".join(json.dumps(line).encode() for line in lines), "broken.edi")
        await eventually(lambda: asyncio.sleep(0, len(site.sent()) == 1))
        await dead_letters(hub, 1, kind="source")
        assert (await take(hub, interchange("17", "1001"), "mended.edi")).refused == 0


async def test_after_the_agreed_days_the_number_may_come_again(site: PartnerSite) -> None:
    async with site.running() as hub:
        clock = hub.runtime.clock
        await take(hub, interchange("17", "1001"), "acme_17.edi")
        hub.runtime.clock = ahead_of(clock, 29 * DAY)
        assert (await take(hub, interchange("17", "1002"), "early.edi")).refused == 1
        hub.runtime.clock = ahead_of(clock, 31 * DAY)
        assert (await take(hub, interchange("17", "1003"), "late.edi")).refused == 0


async def test_of_many_that_come_at_once_one_is_taken(site: PartnerSite) -> None:
    async with site.running() as hub:
        bodies = [interchange("17", f"10{n:02d}") for n in range(12)]
        found = await asyncio.gather(*(take(hub, body, f"{n}.edi") for n, body in enumerate(bodies)))
        assert sum(taken.documents for taken in found) == 1
        assert sum(taken.refused for taken in found) == 11


async def test_partners_are_told_apart_and_those_without_the_agreement_are_not_asked(site: PartnerSite) -> None:
    async with site.running() as hub:
        await take(hub, interchange("17", "1001"), "a.edi")
        for number in ("1002", "1003"):
            assert (await take(hub, interchange("17", number, partner="BOLT"), f"{number}.edi")).refused == 0
        assert (await take(hub, interchange("17", "1004"), "b.edi")).refused == 1


async def test_a_sender_cannot_name_duplicates(site: PartnerSite) -> None:
    async with site.running() as hub:
        forged = {"hub-duplicate-interchanges": {"1": "never"}}
        assert (await take(hub, interchange("17", "1001"), "a.edi", **forged)).refused == 0
        assert await Decisions(hub.journal).count_dead(DeadFilter(), hub.runtime.clock()) == 0
