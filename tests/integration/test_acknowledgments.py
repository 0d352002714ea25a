"""What the partner says of what it was sent: recorded on both sides; a rejection or a silence is held for somebody."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.agreement import Agreement, ExpectAck
from hub.core.partners import PartnerDirectory
from hub.core.ports import Arrival, BytesBody
from hub.journal.decisions import DeadFilter, Decisions
from hub.journal.interchanges_sent import InterchangesSent, NumberStory
from hub.journal.timeline import Story, Timeline
from tests.support.brokers import eventually
from tests.support.partner_site import ROUTES, PartnerSite, acknowledgment
from tests.support.site import order
from tests.support.stories import dead_letters, status_becomes

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))

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
    if request.param == "embedded":
        return PartnerSite(tmp_path)
    amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
    return PartnerSite(tmp_path, amqp=amqp, journal=journal)


async def send(hub: RunningHub, site: PartnerSite, number: str = "1001") -> None:
    site.drop(f"{number}.json", order(number))
    await status_becomes(hub, number, "delivered", "acme-out")


async def newest(hub: RunningHub) -> NumberStory:
    return (await InterchangesSent(hub.journal).stories("ACME"))[0]


async def ack_becomes(hub: RunningHub, state: str) -> NumberStory:
    async def right() -> bool:
        return (await newest(hub)).ack == state

    await eventually(right)
    return await newest(hub)


async def story_of(hub: RunningHub, value: str) -> Story:
    """The story of what was sent or came as `value`, a file name."""
    (found,) = [story for story in await Timeline(hub.journal).trace(value) if story.name]
    return found


async def said(hub: RunningHub, value: str, stage: str) -> list[str]:
    return [event["text"] for event in (await story_of(hub, value)).events if event["stage"] == stage]


async def taken(hub: RunningHub, name: str) -> None:
    """The partner's file has been taken in."""

    async def right() -> bool:
        return bool(await Timeline(hub.journal).trace(name))

    await eventually(right)


async def open_holds(hub: RunningHub, count: int) -> list[Any]:
    decisions = Decisions(hub.journal)

    async def right() -> bool:
        return len(await decisions.holds(("open",))) == count

    await eventually(right)
    return await decisions.holds(("open",))


def counted(hub: RunningHub, status: str) -> float:
    return (
        hub.metrics.registry.get_sample_value("hub_acknowledgments_total", {"partner": "ACME", "status": status}) or 0.0
    )


def let_time_pass(hub: RunningHub, seconds: float) -> None:
    """The hub's clock goes on, nobody waits."""
    clock = hub.live.clock
    hub.live.clock = lambda: clock() + seconds


async def test_an_acceptance_is_recorded_on_both_sides_and_needs_no_route(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1))
        story = await ack_becomes(hub, "accepted")
        assert story.ack_message == (await story_of(hub, "997.json")).id
        assert await said(hub, "1001.json", "acknowledged") == ["accepted by ACME's 997 (control number 1)"]
        assert await said(hub, "997.json", "acknowledges") == ["acknowledges order 1001 (control number 1): accepted"]
        assert await Decisions(hub.journal).holds(("open",)) == []
        assert await Decisions(hub.journal).count_dead(DeadFilter(), hub.live.clock()) == 0
        await eventually(lambda: asyncio.sleep(0, counted(hub, "accepted") == 1.0))
        shown = site.cli("partner", "acks", "ACME", "--status", "accepted").stdout
        assert "order 1001 -> acme-out  accepted by 997" in shown


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
        (matched,) = [e for e in (await story_of(hub, "997.json")).events if e["stage"] == "matched"]
        assert list(matched["detail"]["routes"]) == ["acks"]


async def test_a_rejection_is_held_for_the_agreements_owner_and_a_release_sends_it_anew(site: PartnerSite) -> None:
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1, "R", transactions=[BAD_QUANTITY]))
        story = await ack_becomes(hub, "rejected")
        assert story.ack_text is not None
        assert "PO1 at 4: element 2 is too long (code 5), found '1234567890'" in story.ack_text
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
                e["stage"] == "waits" for s in await Timeline(hub.journal).trace("corrected.json") for e in s.events
            )

        await eventually(waits)
        await hub.replay.reject([hold.id], "tester", "wrong price")
        await status_becomes(hub, "corrected.json", "delivered", "acme-out")
        await status_becomes(hub, "1001.json", "rejected", "acme-out")


@pytest.mark.parametrize(
    ("group", "transaction", "expected"),
    [
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
    ],
)
async def test_group_and_transaction_decide_together(
    tmp_path: Path, group: str, transaction: str | None, expected: str
) -> None:
    site = PartnerSite(tmp_path)
    listed = [{"set": "850", "control_number": "0001", "status": transaction}] if transaction else []
    async with site.running() as hub:
        await send(hub, site)
        site.answer("997.json", acknowledgment(1, group, transactions=listed, accepted=0))
        await ack_becomes(hub, expected)
        await open_holds(hub, int(expected == "rejected"))


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
                (event,) = [e for e in story.events if e["stage"] == "matched"]
                assert list(event["detail"]["routes"]) == ["acknowledge-acme"]

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


async def test_an_agreement_that_changes_with_a_reload_is_in_force_at_once(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    async with site.running() as hub:
        await send(hub, site)
        changed = PartnerDirectory([Agreement("ACME", (), expect_ack=ExpectAck(60.0, "new-desk"))])
        hub.live.snapshot = replace(hub.live.snapshot, partners=changed)
        site.answer("997.json", acknowledgment(1, "R"))
        (hold,) = await open_holds(hub, 1)
        assert hold.owner == "new-desk"


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
