"""Answers that come before we have recorded what they answer, answers to what never left, answers to another group."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.interchanges.interchanges_sent import InterchangesSent
from hub.journal.timeline import Timeline
from tests.support.answers import GROWN, ack_becomes, grown, newest, open_holds, said
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.partner_site import PartnerSite, acknowledgment
from tests.support.site import order
from tests.support.stories import dead_letters, status_becomes


class SlowPartner:
    """Has what it is sent at once, and answers the request only when it may. The first `refusals` are answered by
    503."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.refusals = 0
        self.waiting = 0

    def __call__(self, request: Request) -> Answer:
        if self.refusals:
            self.refusals -= 1
            return Answer(503)
        self.waiting += 1
        self.may_answer.wait(30)
        return Answer(201)


@pytest.fixture
def partner(erp: Erp) -> Iterator[SlowPartner]:
    erp.script = made = SlowPartner()
    yield made
    made.may_answer.set()


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path, erp: Erp) -> PartnerSite:
    made = PartnerSite(tmp_path, **grown(request))
    made.write("config/endpoints.yaml", f'edi: {{rest: {{base: "{erp.url}", timeout: 30s}}}}\n')
    made.write(
        "config/destinations.yaml",
        "acme-out:\n  rest: {endpoint: edi, call: POST /edi}\n"
        "  write: {numbered: {partner: ACME, within: 60.0}}\n  retry: fast\n",
    )
    return made


async def has_it(partner: SlowPartner) -> None:
    async def right() -> bool:
        return partner.waiting > 0

    await eventually(right)


async def is_refused_for_now(site: PartnerSite) -> None:
    """The source was told to offer the answer again."""

    async def right() -> bool:
        return "file_not_taken" in (site.folder / "hub.log").read_text()

    await eventually(right)


async def effect(hub: RunningHub) -> tuple[str, int]:
    """Status and generation of the order."""
    (story,) = await Timeline(hub.journal).trace("1001.json")
    return story.effects[0].status, story.effects[0].generation


class TestBeforeOurRecord:
    """The partner has it, we don't know that yet."""

    async def test_an_acceptance_waits_for_the_record_and_then_counts(
        self, site: PartnerSite, partner: SlowPartner
    ) -> None:
        async with site.running() as hub:
            site.drop("1001.json", order("1001"))
            await has_it(partner)
            site.answer("997.json", acknowledgment(1))
            await is_refused_for_now(site)
            assert (await newest(hub)).ack == "none"
            partner.may_answer.set()
            story = await ack_becomes(hub, "accepted")
            assert story.sent_at is not None
            assert await effect(hub) == ("delivered", 1)
            assert await Decisions(hub.journal).count_dead(DeadFilter(), hub.runtime.clock()) == 0

    async def test_a_rejection_ends_as_one_hold(self, site: PartnerSite, partner: SlowPartner) -> None:
        async with site.running() as hub:
            site.drop("1001.json", order("1001"))
            await has_it(partner)
            site.answer("997.json", acknowledgment(1, "R"))
            await is_refused_for_now(site)
            assert await Decisions(hub.journal).holds(("open",)) == []
            partner.may_answer.set()
            await ack_becomes(hub, "rejected")
            (hold,) = await open_holds(hub, 1)
            assert hold.name == "acknowledgment_rejected"
            assert await effect(hub) == ("held", 1)

    async def test_a_rejection_during_a_later_attempt_is_not_overwritten_by_its_delivery(
        self, site: PartnerSite, partner: SlowPartner
    ) -> None:
        """The first attempt had arrived, whatever its reply said."""
        partner.refusals = 1
        async with site.running() as hub:
            site.drop("1001.json", order("1001"))
            await has_it(partner)
            site.answer("997.json", acknowledgment(1, "R"))
            await open_holds(hub, 1)
            partner.may_answer.set()

            async def recorded() -> bool:
                return (await newest(hub)).sent_at is not None

            await eventually(recorded)
            assert await effect(hub) == ("held", 1)
            assert (await newest(hub)).ack == "rejected"
            (hold,) = await open_holds(hub, 1)
            done = await hub.replay.release([hold.id], "tester", "mended")
            assert done["released"] == 1
            await status_becomes(hub, "1001.json", "delivered", "acme-out")
            assert await effect(hub) == ("delivered", 2)


async def test_a_number_whose_document_was_never_written_settles_nothing(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    site.writes(within="60.0", refuse='"1001"')
    async with site.running() as hub:
        site.drop("1001.json", order("1001"))
        await dead_letters(hub, 1, kind="route")
        site.answer("997.json", acknowledgment(1))
        (dead,) = await dead_letters(hub, 1, kind="unmatched")
        assert dead.cause == "ACME acknowledges control number 1, which it was never sent: its document is dead"
        assert (await newest(hub)).ack == "none"


async def test_an_answer_to_a_group_of_another_kind_settles_nothing_and_says_which_was_sent(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    async with site.running() as hub:
        site.drop("1001.json", order("1001"))
        await status_becomes(hub, "1001.json", "delivered", "acme-out")
        site.answer("invoices.json", acknowledgment(1, "R", group_code="IN"))
        (dead,) = await dead_letters(hub, 1, kind="unmatched")
        assert dead.cause == (
            "ACME acknowledges a group IN with control number 1; it was sent a group PO under this number (850)"
        )
        assert (await newest(hub)).ack == "awaiting"
        assert await Decisions(hub.journal).holds(("open",)) == []
        assert await said(hub, "1001.json", "acknowledged") == []
        site.answer("orders.json", acknowledgment(1))
        await ack_becomes(hub, "accepted")
        assert [story.ack for story in await InterchangesSent(hub.journal).stories("ACME")] == ["accepted"]
