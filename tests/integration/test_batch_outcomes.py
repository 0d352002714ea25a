"""What becomes of a batch becomes of its documents; what the partner says of it, it says of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.journal.deliveries.dead_filter import DeadFilter
from tests.support.answers import GROWN, grown, numbers, open_holds
from tests.support.batch_site import ROUTES, BatchSite, batched_order, transactions
from tests.support.batch_stories import (
    FIRST,
    SECOND,
    THREE,
    acks_become,
    batch_is,
    becomes,
    is_sent,
    let_time_pass,
    said,
)
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.stories import dead_letters


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    return BatchSite(tmp_path, **grown(request))


class TestAway:
    """A batch that can't be delivered is retried, kept and sent again as one."""

    async def test_a_batch_is_retried_under_its_number_and_a_replay_of_a_dead_one_sends_all_of_it(
        self, site: BatchSite
    ) -> None:
        out = site.folder / "var/out"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("in the way")
        async with site.running() as hub:
            site.orders(*THREE)
            (dead,) = await dead_letters(hub, 1, kind="route")
            assert dead.attempts == 4
            await becomes(hub, "batched", *THREE)
            assert len(await said(hub, "1002", "retry")) == 3
            (told,) = await said(hub, "1002", "dead")
            assert told.startswith(f"batch {dead.message_id[:12]}, transaction 000")
            out.unlink()
            assert (await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester"))["replayed"] == 1
            await becomes(hub, "delivered", *THREE)
            assert list(site.sent()) == [FIRST]
            assert len(site.transactions(FIRST)) == 3

    async def test_a_dead_batch_that_is_discarded_ends_its_members(self, site: BatchSite) -> None:
        routes = ROUTES.replace("    to: [acme-out]", "    once: [partner, number]\n    to: [acme-out]")
        site.write("routes/acme.yaml", routes)
        out = site.folder / "var/out"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("in the way")
        async with site.running() as hub:
            site.orders(*THREE)
            (dead,) = await dead_letters(hub, 1, kind="route")
            await hub.replay.discard(DeadFilter(ids=(dead.id,)), "tester", "sent by mail")
            await becomes(hub, "discarded", *THREE)
            assert (await said(hub, "1003", "discarded"))[0].endswith("by tester: sent by mail")
            assert (await numbers(hub))[0].gap
            out.unlink()
            site.drop("1001-corrected.json", batched_order("1001", price="7"))
            await becomes(hub, "batched", "1001-corrected")


class TestHeld:
    """The far end says that a batch is to wait for a decision."""

    @pytest.fixture
    def held(self, tmp_path: Path, erp: Erp) -> BatchSite:
        site = BatchSite(tmp_path)
        site.write("config/endpoints.yaml", f'edi: {{rest: {{base: "{erp.url}"}}}}\n')
        site.write(
            "config/destinations.yaml",
            "acme-out:\n  rest: {endpoint: edi, call: POST /edi}\n  write: {x12: ACME}\n"
            "  replies:\n    - {status: 409, body: {/error/code: CREDIT_HOLD}, hold: credit_hold}\n",
        )
        erp.script = lambda request: Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')
        return site

    async def test_a_release_sends_all_of_it_under_a_new_number(self, held: BatchSite, erp: Erp) -> None:
        async with held.running() as hub:
            held.orders(*THREE)
            (hold,) = await open_holds(hub, 1)
            assert (await said(hub, "1001", "held"))[0].endswith("credit_hold, for finance-ops: " + hold.cause)
            await becomes(hub, "batched", *THREE)
            erp.script = lambda request: Answer(201)
            await hub.replay.release([hold.id], "tester", "paid")
            await becomes(hub, "delivered", *THREE)
            assert (await said(hub, "1001", "released"))[0].endswith("credit_hold released by tester: paid")
            first, second = (transactions(request.body.decode().split("~")) for request in erp.requests)
            assert first == second
            assert [story.gap for story in await numbers(hub)] == [True, False]

    async def test_a_rejection_ends_all_of_it(self, held: BatchSite, erp: Erp) -> None:
        async with held.running() as hub:
            held.orders(*THREE)
            (hold,) = await open_holds(hub, 1)
            await hub.replay.reject([hold.id], "tester", "never")
            await becomes(hub, "rejected", *THREE)
            assert len(erp.requests) == 1


class TestAnswered:
    """What the partner says of a batch, it says of each transaction."""

    async def test_an_accepted_group_accepts_every_member(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            site.answer(1, "A")
            await acks_become(hub, "accepted", "accepted", "accepted")
            assert (await numbers(hub))[0].ack == "accepted"
            (text,) = await said(hub, "1001", "acknowledged")
            assert text.startswith("accepted by ACME's 997 (control number 1, transaction 000")
            await open_holds(hub, 0)

    async def test_a_rejected_member_is_held_alone_and_its_release_sends_no_other_again(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            second = site.transactions(FIRST)[1][5:]
            site.answer(1, "P", [(2, "R")])
            await acks_become(hub, "accepted", "rejected", "accepted")
            story = (await numbers(hub))[0]
            assert (story.ack, story.ack_text) == ("accepted_with_errors", "2 of 3 accepted by 997")
            (hold,) = await open_holds(hub, 1)
            assert (hold.name, hold.owner, hold.number) == ("acknowledgment_rejected", "acme-desk", second)
            assert "transaction 0002: set 850: One or more segments in error (code 5)" in hold.cause
            await becomes(hub, "held", second)
            await hub.replay.release([hold.id], "tester", "mended")
            await becomes(hub, "batched", second)
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", second)
            assert site.transactions(SECOND) == [f"0001 {second}"]
            assert sorted(site.sent()) == [FIRST, SECOND]
            await becomes(hub, "delivered", *THREE)
            site.answer(2, "A", sent=1)
            site.answer(1, "R")

            async def right() -> bool:
                return (await numbers(hub))[1].ack == "accepted"

            await eventually(right)
            await acks_become(hub, "rejected", "rejected", "rejected")
            assert second not in {hold.number for hold in await open_holds(hub, 2)}

    async def test_a_rejected_group_holds_every_member(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            site.answer(1, "R")
            await acks_become(hub, "rejected", "rejected", "rejected")
            holds = await open_holds(hub, 3)
            assert {hold.number for hold in holds} == set(THREE)
            assert (await numbers(hub))[0].ack == "rejected"
            await hub.replay.reject([holds[0].id], "tester", "not wanted")
            await becomes(hub, "rejected", holds[0].number)
            await hub.replay.release([hold.id for hold in holds[1:]], "tester", "")
            await becomes(hub, "batched", *(hold.number for hold in holds[1:]))
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", *(hold.number for hold in holds[1:]))
            assert len(site.transactions(SECOND)) == 2

    async def test_a_part_that_isnt_named_may_be_any(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            site.answer(1, "P", [(1, "A")])
            await acks_become(hub, "accepted", "rejected", "rejected")
            for hold in await open_holds(hub, 2):
                assert "it isn't said which part" in hold.cause

    async def test_silence_is_one_hold_and_a_release_sends_the_same_bytes(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            await let_time_pass(hub, 61.0)
            assert await hub.acknowledgments.check() == 1
            (hold,) = await open_holds(hub, 1)
            assert hold.name == "acknowledgment_overdue"
            assert "has not acknowledged control number 1 in time" in (await said(hub, "1002", "held"))[0]
            before = (site.folder / "var/out" / FIRST).read_bytes()
            (site.folder / "var/out" / FIRST).unlink()
            await hub.replay.release([hold.id], "tester", "")
            await is_sent(site, FIRST)
            assert (site.folder / "var/out" / FIRST).read_bytes() == before
            await becomes(hub, "delivered", *THREE)
            await batch_is(hub, "delivered")
            site.answer(1, "A")
            await acks_become(hub, "accepted", "accepted", "accepted")

    async def test_a_rejection_of_what_is_under_way_ends_the_sending(self, site: BatchSite) -> None:
        """The bytes arrived, our record of it did not."""
        site.write("config/policies.yaml", "retry:\n  fast: {delays: [1h], on: [unreachable, timeout, busy, failed]}\n")
        out = site.folder / "var/out"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("in the way")
        async with site.running() as hub:
            site.orders(*THREE)
            await batch_is(hub, "retrying")
            site.answer(1, "R")
            await open_holds(hub, 3)
            await becomes(hub, "held", *THREE)
            await batch_is(hub, "discarded")
