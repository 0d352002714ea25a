"""What the partner says of what it was sent is matched to it, and recorded on both sides."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.core.ports import Arrival, BytesBody
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.interchanges.interchanges_sent import InterchangesSent
from hub.journal.timeline import Timeline
from tests.support.answers import (
    GROWN,
    ack_becomes,
    counted,
    grown,
    newest,
    open_holds,
    said,
    story_of,
    taken,
)
from tests.support.brokers import eventually
from tests.support.partner_site import ROUTES, PartnerSite, acknowledgment, send
from tests.support.stories import dead_letters, status_becomes


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> PartnerSite:
    return PartnerSite(tmp_path, **grown(request))


async def test_an_acceptance_is_recorded_on_both_sides_and_needs_no_route(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1))
        story = await ack_becomes(hub, "accepted")
        assert story.ack_message == (await story_of(hub, "997.json")).id
        assert await said(hub, "1001.json", "acknowledged") == ["accepted by ACME's 997 (control number 1)"]
        assert await said(hub, "997.json", "acknowledges") == ["acknowledges order 1001 (control number 1): accepted"]
        assert await Decisions(hub.journal).holds(("open",)) == []
        assert await Decisions(hub.journal).count_dead(DeadFilter(), hub.runtime.clock()) == 0
        await eventually(lambda: asyncio.sleep(0, counted(hub, "accepted") == 1.0))
        shown = site.cli("partner", "acks", "ACME", "--status", "accepted").stdout
        assert "order 1001 -> acme-out  accepted by 997" in shown


async def test_the_steps_of_a_source_are_for_documents_and_not_for_acknowledgments(site: PartnerSite) -> None:
    text = (site.folder / "routes/acme.yaml").read_text()
    steps = "    read: envelopes\n    steps: [{name: orders, filter: \"document == 'order'\"}]\n"
    site.write("routes/acme.yaml", text.replace("    read: envelopes\n", steps))
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1))
        await ack_becomes(hub, "accepted")


async def test_a_control_number_with_leading_zeros_is_the_same_number(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment("000000001", "E"))
        await ack_becomes(hub, "accepted_with_errors")


async def test_a_route_that_asks_for_acknowledgments_gets_its_copy_as_well(site: PartnerSite) -> None:
    site.write(
        "config/destinations.yaml",
        (site.folder / "config/destinations.yaml").read_text() + "desk: {file: {folder: var/desk}}\n",
    )
    asks = "  - id: acks\n    when: {document: functional_acknowledgment, partner: ACME}\n    to: [desk]\n"
    everything = "  - id: everything\n    when: {partner: ACME}\n    to: [desk]\n"
    site.write("routes/acme.yaml", ROUTES + asks + everything)
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1))
        await ack_becomes(hub, "accepted")
        await status_becomes(hub, "997.json", "delivered", "desk")
        (matched,) = [e for e in (await story_of(hub, "997.json")).events if e.stage == "matched"]
        assert list(matched.detail["routes"]) == ["acks"]


async def test_group_and_transaction_decide_together(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    rejected = 0
    async with site.running() as hub:
        for number, (group, transaction, expected) in enumerate(DECIDED, 1):
            listed = [{"set": "850", "control_number": "0001", "status": transaction}] if transaction else []
            await send(hub, site, str(1000 + number))
            site.answer(f"{number}.json", acknowledgment(number, group, transactions=listed, accepted=0))
            await ack_becomes(hub, expected)
            rejected += expected == "rejected"
            await open_holds(hub, rejected)


DECIDED = (
    ("P", "R", "rejected"),
    ("P", "A", "accepted"),
    ("P", "E", "accepted_with_errors"),
    ("P", None, "accepted_with_errors"),
    ("A", None, "accepted"),
    ("E", "E", "accepted_with_errors"),
    ("M", None, "rejected"),
    ("W", None, "rejected"),
    ("X", None, "rejected"),
    ("R", "A", "rejected"),
)
"""What the group says, what the transaction, and what it means for us."""


async def test_a_repetition_changes_nothing_and_a_later_rejection_overrules(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("first.json", acknowledgment(1))
        first = await ack_becomes(hub, "accepted")
        site.answer("again.json", acknowledgment(1), {"envelope": {}, "refuse": "not this"})
        await taken(hub, "again.json")
        await eventually(lambda: asyncio.sleep(0, counted(hub, "repeated") == 1.0))
        assert await newest(hub) == first
        assert len(await said(hub, "1001.json", "acknowledged")) == 1
        site.answer("rejects.json", acknowledgment(1, "R"))
        await ack_becomes(hub, "rejected")
        (hold,) = await open_holds(hub, 1)
        site.answer("accepts.json", acknowledgment(1, included=7))
        await eventually(lambda: asyncio.sleep(0, counted(hub, "repeated") == 2.0))
        assert (await newest(hub)).ack == "rejected"
        assert (await open_holds(hub, 1))[0].id == hold.id
        assert (await said(hub, "1001.json", "acknowledged"))[2:] == [
            "accepted by ACME's 997 (control number 1); it was rejected already, nothing changes"
        ]


@pytest.mark.parametrize(
    ("number", "cause"),
    [("77", "control number 77, which it was never sent"), ("0A7", "control number '0A7', which is none of ours")],
)
async def test_an_acknowledgment_of_what_was_never_sent_is_unmatched_with_that_cause(
    tmp_path: Path, number: str, cause: str
) -> None:
    site = PartnerSite(tmp_path)
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(number))
        (dead,) = await dead_letters(hub, 1, kind="unmatched")
        assert cause in dead.cause
        assert (await newest(hub)).ack == "awaiting"


async def test_an_unmatched_acknowledgment_matches_when_it_is_replayed_after_the_sending(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    async with site.running() as hub:
        site.answer("997.json", acknowledgment(1))
        (dead,) = await dead_letters(hub, 1, kind="unmatched")
        await send(hub, site)
        assert (await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester"))["replayed"] == 1
        await ack_becomes(hub, "accepted")


def outbound(number: str = "17", **envelope: Any) -> Any:
    """A line with an acknowledgment of ours."""
    line = acknowledgment(number)
    line["envelope"] |= {"direction": "outbound", **envelope}
    return line


class TestOutbound:
    """Acknowledgments that we send."""

    async def test_take_the_route_that_asks_for_them_and_answer_nothing_of_ours(self, site: PartnerSite) -> None:
        synthesised = (
            "  - id: acknowledge-acme\n"
            "    when: {document: functional_acknowledgment, partner: ACME, direction: outbound, test: [true, false]}\n"
            "    to: [acme-out]\n"
        )
        catch_all = "  - id: everything\n    when: {partner: ACME, test: [true, false]}\n    to: [acme-out]\n"
        inbound = "  - id: acks\n    when: {document: functional_acknowledgment, partner: ACME}\n    to: [acme-out]\n"
        site.write("routes/acme.yaml", ROUTES + synthesised + catch_all + inbound)
        async with site.running() as hub:
            await send(hub, site)
            site.answer("orders.json", outbound("1"), outbound("2", test=True))

            async def answered() -> bool:
                return len(site.sent()) == 3

            await eventually(answered)
            for story in await Timeline(hub.journal).trace("orders.json"):
                (event,) = [e for e in story.events if e.stage == "matched"]
                assert list(event.detail["routes"]) == ["acknowledge-acme"]

            async def recorded() -> bool:
                return [s.ack for s in await InterchangesSent(hub.journal).stories("ACME")] == ["awaiting"] * 3

            await eventually(recorded)

    async def test_without_a_route_are_unmatched_with_a_cause_that_says_what_is_missing(
        self, site: PartnerSite
    ) -> None:
        catch_all = (
            "  - id: everything\n    when: {partner: ACME, document: functional_acknowledgment}\n    to: [acme-out]\n"
        )
        site.write("routes/acme.yaml", ROUTES + catch_all)
        async with site.running() as hub:
            site.answer("orders.json", outbound("1"))
            (dead,) = await dead_letters(hub, 1, kind="unmatched")
            assert dead.cause.endswith("nearest: everything wants its `when` to name direction")
            assert site.sent() == {}

    async def test_dont_make_a_refused_file_look_well(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            refused = {"envelope": {"partner": "ACME"}, "refuse": "no SE"}
            line = json.dumps(refused).encode() + b"\n" + json.dumps(outbound("1")).encode()
            found = await hub.intake.take(Arrival("partner", BytesBody(line), "orders.json"))
            assert (found.documents, found.refused, found.failed) == (0, 1, True)


def interchange_acknowledgment(number: int, status: str, note: str = "000") -> Any:
    """A line of the partner's file: a TA1 for an interchange of ours."""
    document = {"document": "interchange_acknowledgment@1", "number": f"{number:09d}", "status": status, "note": note}
    return {"envelope": {"partner": "ACME", "set": "TA1"}, "document": document}


class TestInterchangeAcknowledgment:
    """A TA1 speaks of the envelope alone."""

    async def test_that_accepts_is_noted_and_the_997_is_still_awaited(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            site.answer("ta1.json", interchange_acknowledgment(1, "A"))
            await eventually(lambda: asyncio.sleep(0, counted(hub, "noted") == 1.0))
            story = await newest(hub)
            assert (story.ack, story.ack_text) == ("awaiting", "taken by TA1")
            assert await said(hub, "1001.json", "acknowledged") == ["taken by ACME's TA1 (control number 1)"]
            site.answer("997.json", acknowledgment(1))
            assert (await ack_becomes(hub, "accepted")).ack_text == "accepted by 997"

    async def test_that_rejects_is_held(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            site.answer("ta1.json", interchange_acknowledgment(1, "R", "021"))
            await ack_becomes(hub, "rejected")
            (hold,) = await open_holds(hub, 1)
            assert hold.cause == "rejected by ACME's TA1 (control number 1): note code 021"
