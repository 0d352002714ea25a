"""What the partner rejects, or leaves without a word, is held for somebody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hub.core.agreement import Agreement, ExpectAck
from hub.core.partners import PartnerDirectory
from hub.journal.deliveries.decisions import Decisions
from hub.journal.timeline import Timeline
from tests.support.answers import (
    GROWN,
    ack_becomes,
    grown,
    let_time_pass,
    newest,
    open_holds,
)
from tests.support.brokers import eventually
from tests.support.partner_site import ROUTES, PartnerSite, acknowledgment, send
from tests.support.site import order
from tests.support.stories import status_becomes

BAD_QUANTITY = {
    "set": "850",
    "control_number": "0001",
    "status": "R",
    "codes": ["5"],
    "segments": [
        {
            "segment": "PO1",
            "position": 4,
            "code": "8",
            "elements": [{"position": 2, "code": "5", "value": "1234567890"}],
        }
    ],
}


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> PartnerSite:
    return PartnerSite(tmp_path, **grown(request))


async def test_a_rejection_is_held_for_the_agreements_owner_and_a_release_sends_it_anew(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1, "R", transactions=[BAD_QUANTITY]))
        story = await ack_becomes(hub, "rejected")
        assert story.ack_text is not None
        assert "PO1 at 4: element 2: Data element too long (code 5), found '1234567890'" in story.ack_text
        (hold,) = await open_holds(hub, 1)
        assert (hold.name, hold.owner, hold.destination) == ("acknowledgment_rejected", "acme-desk", "acme-out")
        assert (hold.partner, hold.number) == ("ACME", "1001")
        listed = site.cli("hold", "list").stdout
        assert "acknowledgment_rejected" in listed
        assert "for acme-desk" in listed
        assert "order@1" in site.cli("hold", "show", hold.id[:12]).stdout
        done = await asyncio.to_thread(site.cli, "hold", "release", hold.id, "--reason", "quantity mended")
        assert done.returncode == 0, done.stderr
        await status_becomes(hub, "1001", "delivered", "acme-out")
        first, second = site.sent().values()
        assert (first["control_number"], second["control_number"]) == (1, 2)
        assert first["key"] != second["key"]
        assert (await newest(hub)).ack == "awaiting"
        site.answer("late.json", acknowledgment(1, "R", accepted=0, received=0))
        site.answer("second.json", acknowledgment(2))
        await ack_becomes(hub, "accepted")
        await open_holds(hub, 0)


async def test_what_was_rejected_and_is_given_up_lets_a_corrected_one_pass(site: PartnerSite) -> None:
    site.write(
        "routes/acme.yaml", ROUTES.replace("    to: [acme-out]", "    once: [partner, number]\n    to: [acme-out]")
    )
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1, "R"))
        (hold,) = await open_holds(hub, 1)
        site.drop("corrected.json", order("1001", price="7"))

        async def waits() -> bool:
            return any(
                e.stage == "waits" for s in await Timeline(hub.journal).trace("corrected.json") for e in s.events
            )

        await eventually(waits)
        await hub.replay.reject([hold.id], "tester", "wrong price")
        await status_becomes(hub, "corrected.json", "delivered", "acme-out")
        await status_becomes(hub, "1001.json", "rejected", "acme-out")


class TestSilence:
    """What isn't acknowledged in time."""

    async def test_is_held_once_and_a_release_sends_the_same_bytes_again(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            assert await hub.acknowledgments.check() == 0
            let_time_pass(hub, 61.0)
            assert sum(await asyncio.gather(*(hub.acknowledgments.check() for _ in range(5)))) == 1
            (hold,) = await open_holds(hub, 1)
            assert (hold.name, hold.owner) == ("acknowledgment_overdue", "acme-desk")
            assert (await newest(hub)).ack == "overdue"
            assert hub.metrics.registry.get_sample_value("hub_acknowledgments_overdue") == 1.0
            assert "overdue by" not in site.cli("partner", "acks", "ACME", "--status", "accepted").stdout
            before = (site.folder / "var/out/850_000000001.json").read_bytes()
            (site.folder / "var/out/850_000000001.json").unlink()
            await hub.replay.release([hold.id], "tester", "")
            await eventually(lambda: asyncio.sleep(0, "850_000000001.json" in site.sent()))
            assert (site.folder / "var/out/850_000000001.json").read_bytes() == before
            await ack_becomes(hub, "awaiting")
            let_time_pass(hub, 61.0)
            assert await hub.acknowledgments.check() == 1
            await open_holds(hub, 1)

    async def test_ends_by_itself_when_the_acknowledgment_comes(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            let_time_pass(hub, 61.0)
            await hub.acknowledgments.check()
            await open_holds(hub, 1)
            site.answer("997.json", acknowledgment(1))
            await ack_becomes(hub, "accepted")
            await open_holds(hub, 0)
            (hold,) = await Decisions(hub.journal).holds(())
            assert (hold.status, hold.reason) == ("closed", "acknowledged late")
            assert "acknowledged late" in site.cli("hold", "list", "--all", "--json").stdout
            await hub.acknowledgments.check()
            assert hub.metrics.registry.get_sample_value("hub_acknowledgments_overdue") == 0.0

    async def test_that_ends_with_a_rejection_is_one_hold_the_rejections(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            let_time_pass(hub, 61.0)
            await hub.acknowledgments.check()
            site.answer("997.json", acknowledgment(1, "R"))
            await ack_becomes(hub, "rejected")
            (hold,) = await open_holds(hub, 1)
            assert hold.name == "acknowledgment_rejected"

    async def test_that_is_accepted_as_it_is_leaves_the_document_delivered(self, site: PartnerSite) -> None:
        async with site.running() as hub:
            await send(hub, site)
            let_time_pass(hub, 61.0)
            await hub.acknowledgments.check()
            (hold,) = await open_holds(hub, 1)
            await hub.replay.reject([hold.id], "tester", "they said so by phone")
            await status_becomes(hub, "1001", "delivered", "acme-out")
            assert await hub.acknowledgments.check() == 0
            await open_holds(hub, 0)

    async def test_of_somebody_who_is_asked_for_nothing_is_no_matter(self, site: PartnerSite) -> None:
        site.writes()
        async with site.running() as hub:
            await send(hub, site)
            let_time_pass(hub, 1e6)
            assert await hub.acknowledgments.check() == 0


@pytest.mark.parametrize(
    ("agreement", "policy", "owner"),
    [
        (Agreement("ACME", (), owner="acme-team"), "", "acme-team"),
        (Agreement("ACME", (), expect_ack=ExpectAck(1.0)), "", "edi-desk"),
        (Agreement("ACME", ()), "  acknowledgment_rejected: {owner: policy-desk, sla: 2h}\n", "policy-desk"),
    ],
)
async def test_whose_hold_it_is(tmp_path: Path, agreement: Agreement, policy: str, owner: str) -> None:
    site = PartnerSite(tmp_path)
    site.agreement = agreement
    site.write("config/policies.yaml", (tmp_path / "config/policies.yaml").read_text() + policy)
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1, "R"))
        (hold,) = await open_holds(hub, 1)
        assert hold.owner == owner
        assert (hold.due_at is not None) == bool(policy)


async def test_an_agreement_that_changes_with_a_reload_is_in_force_at_once(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    async with site.running() as hub:
        await send(hub, site)
        changed = PartnerDirectory([Agreement("ACME", (), expect_ack=ExpectAck(60.0, "new-desk"))])
        hub.runtime.snapshot = replace(hub.runtime.snapshot, partners=changed)
        site.answer("997.json", acknowledgment(1, "R"))
        (hold,) = await open_holds(hub, 1)
        assert hold.owner == "new-desk"
