"""Documents that go together: they wait for each other, leave in one interchange, and each is accepted or held for itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.batches import Batches
from hub.journal.decisions import DeadFilter, Decisions
from hub.journal.interchanges_sent import InterchangesSent, NumberStory
from hub.journal.timeline import Timeline
from tests.support.batch_site import ROUTES, BatchSite, batched_order, transactions
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.stories import dead_letters, status_becomes
from tests.support.x12 import orders_850

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))
FIRST, SECOND = "850_000000001.edi", "850_000000002.edi"
THREE = ("1001", "1002", "1003")


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    if request.param == "embedded":
        return BatchSite(tmp_path)
    amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
    return BatchSite(tmp_path, amqp=amqp, journal=journal)


async def becomes(hub: RunningHub, status: str, *numbers: str) -> None:
    for number in numbers:
        await status_becomes(hub, f"{number}.json", status, "acme-out")


async def let_time_pass(hub: RunningHub, seconds: float) -> None:
    """The hub's clock goes on, nobody waits; what is due then is closed."""
    clock = hub.live.clock
    hub.live.clock = lambda: clock() + seconds
    await hub.batching.check()


async def said(hub: RunningHub, number: str, stage: str) -> list[str]:
    (story,) = await Timeline(hub.journal).trace(f"{number}.json")
    return [event["text"] for event in story.events if event["stage"] == stage]


async def numbers(hub: RunningHub) -> list[NumberStory]:
    """Oldest first."""
    return (await InterchangesSent(hub.journal).stories("ACME"))[::-1]


async def acks_become(hub: RunningHub, *acks: str) -> None:
    """Of the members of the first interchange."""

    async def right() -> bool:
        return [member.ack for member in (await numbers(hub))[0].members] == list(acks)

    await eventually(right)


async def open_holds(hub: RunningHub, count: int) -> list[Any]:
    decisions = Decisions(hub.journal)

    async def right() -> bool:
        return len(await decisions.holds(("open",))) == count

    await eventually(right)
    return await decisions.holds(("open",))


async def is_sent(site: BatchSite, name: str) -> None:
    await eventually(lambda: asyncio.sleep(0, name in site.sent()))


async def batch_is(hub: RunningHub, status: str) -> str:
    """The id of the first batch, once its effect has the status."""

    async def right() -> bool:
        found = await numbers(hub)
        stories = await Timeline(hub.journal).trace(found[0].document_id) if found else []
        return any(effect["status"] == status for story in stories for effect in story.effects)

    await eventually(right)
    return (await numbers(hub))[0].document_id


class TestTogether:
    """When what waits goes."""

    async def test_as_many_as_agreed_go_in_one_interchange_in_the_order_they_came(self, site: BatchSite) -> None:
        async with site.running() as hub:
            for number in THREE:
                site.orders(number)
                await status_becomes(hub, f"{number}.json", "batched" if number != "1003" else "delivered", "acme-out")
            await becomes(hub, "delivered", *THREE)
            assert list(site.sent()) == [FIRST]
            assert site.transactions(FIRST) == ["0001 1001", "0002 1002", "0003 1003"]
            (first,) = await numbers(hub)
            assert [(m.number, m.transaction, m.ack) for m in first.members] == [
                *(("1001", "0001", "none"), ("1002", "0002", "none"), ("1003", "0003", "none"))
            ]
            assert (first.document, first.ack, first.gap) == ("batch@1", "awaiting", False)

    async def test_each_member_can_say_what_became_of_it(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders(*THREE)
            await becomes(hub, "delivered", *THREE)
            batch = (await numbers(hub))[0].document_id
            (position,) = [line[:4] for line in site.transactions(FIRST) if line.endswith("1002")]
            waits, closed = await said(hub, "1002", "batched")
            assert waits == "waits for a batch: at most 3 documents, 300s"
            assert closed == f"batch {batch[:12]}, transaction {position}: a batch of 3 for acme-out"
            (sent,) = await said(hub, "1002", "sent")
            assert sent.startswith(f"in interchange 000000001 as transaction {position}; ")
            found = {story.number for story in await Timeline(hub.journal).trace("000000001")}
            assert found == {*THREE, batch[:12]}
            listed = site.cli("partner", "numbers", "ACME").stdout
            assert f"batch of 3 {batch[:12]} -> acme-out" in listed
            assert f"    {position}  order 1002" in listed
            told = json.loads(site.cli("partner", "numbers", "ACME", "--json").stdout)
            assert [member["transaction"] for member in told["numbers"][0]["members"]] == ["0001", "0002", "0003"]

    async def test_what_has_waited_long_enough_goes_with_those_that_came_since(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
            await let_time_pass(hub, 299.0)
            assert site.sent() == {}
            waiting = "hub_batch_members_waiting"
            assert hub.metrics.registry.get_sample_value(waiting, {"destination": "acme-out"}) == 2.0
            await let_time_pass(hub, 2.0)
            await becomes(hub, "delivered", "1001", "1002")
            assert len(site.transactions(FIRST)) == 2
            await hub.batching.check()
            assert hub.metrics.registry.get_sample_value(waiting, {"destination": "acme-out"}) == 0.0

    async def test_each_kind_goes_in_an_interchange_of_its_own(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            site.invoice("9001")
            site.invoice("9002")
            await becomes(hub, "batched", "1001", "1002", "9001", "9002")
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001", "1002", "9001", "9002")
            assert sorted(name[:3] for name in site.sent()) == ["810", "850"]
            assert {len(site.transactions(name)) for name in site.sent()} == {2}

    async def test_more_than_agreed_go_in_several(self, site: BatchSite) -> None:
        site.agrees("{max: 3, wait: 1h}")
        wanted = [f"{n}" for n in range(1000, 1010)]
        async with site.running() as hub:
            site.orders(*wanted)

            async def right() -> bool:
                return sum(len(site.transactions(name)) for name in site.sent()) == 9

            await eventually(right)
            await let_time_pass(hub, 3601.0)
            await becomes(hub, "delivered", *wanted)
            sizes = sorted(len(site.transactions(name)) for name in site.sent())
            assert sizes == [1, 3, 3, 3]
            taken = [line[5:] for name in site.sent() for line in site.transactions(name)]
            assert sorted(taken) == wanted

    async def test_what_waits_goes_at_once_when_the_partner_takes_no_batches_any_more(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
            site.agrees(None)
            await hub.reload()
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert sorted(len(site.transactions(name)) for name in site.sent()) == [1, 2]

    async def test_what_waits_is_still_there_after_a_stop(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001", "1002")
            await becomes(hub, "batched", "1001", "1002")
        assert site.sent() == {}
        async with site.running() as hub:
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert len(site.transactions(FIRST)) == 3

    async def test_acknowledgments_wait_for_nobody(self, site: BatchSite) -> None:
        async with site.running():
            site.drop("in.edi", orders_850(["77"]), "var/partner")
            await is_sent(site, "997_000000001.edi")


class TestOnce:
    """Nothing waits twice, and nothing spoils the others."""

    async def test_a_document_that_x12_cant_carry_is_its_own_dead_letter(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("bad", purpose=None)
            site.orders("1001", "1002")
            (dead,) = await dead_letters(hub, 1, kind="route")
            assert (dead.error, dead.number) == ("MappingError", "bad")
            assert "purpose" in dead.cause
            site.orders("1003")
            await becomes(hub, "delivered", *THREE)
            assert [story.control_number for story in await numbers(hub)] == [1]

    async def test_the_same_bytes_again_wait_once(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await becomes(hub, "batched", "1001")
            site.drop("again.json", batched_order("1001"))

            async def repeated() -> bool:
                (story,) = await Timeline(hub.journal).trace("1001")
                return any(event["stage"] == "repeated" for event in story.events)

            await eventually(repeated)
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001")
            assert site.transactions(FIRST) == ["0001 1001"]

    async def test_a_once_key_is_held_until_the_batch_has_left(self, site: BatchSite) -> None:
        routes = ROUTES.replace("    to: [acme-out]", "    once: [partner, number]\n    to: [acme-out]")
        site.write("routes/acme.yaml", routes)
        async with site.running() as hub:
            site.orders("1001")
            await becomes(hub, "batched", "1001")
            site.drop("other.json", batched_order("1001", price="7"))

            await eventually(lambda: _some(hub, "other.json", "waits"))
            await let_time_pass(hub, 301.0)
            await becomes(hub, "delivered", "1001")
            await eventually(lambda: _some(hub, "other.json", "duplicate"))
            assert site.transactions(FIRST) == ["0001 1001"]


async def _some(hub: RunningHub, name: str, stage: str) -> bool:
    stories = await Timeline(hub.journal).trace(name)
    return any(event["stage"] == stage for story in stories for event in story.events)


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
            assert "transaction 0002: set 850: segments are in error (code 5)" in hold.cause
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


@pytest.mark.rabbitmq
@pytest.mark.postgres
async def test_two_processes_put_each_document_in_one_batch(tmp_path: Path, amqp_vhost: str, database_url: str) -> None:
    one = BatchSite(tmp_path / "one", amqp=amqp_vhost, journal=database_url)
    two = BatchSite(tmp_path / "two", amqp=amqp_vhost, journal=database_url)
    out = tmp_path / "out"
    for site in (one, two):
        text = (site.folder / "config/destinations.yaml").read_text()
        site.write("config/destinations.yaml", text.replace("var/out", str(out)))
    wanted = [f"{n}" for n in range(1000, 1060)]
    async with one.running() as first, two.running() as second:
        one.orders(*wanted[:30])
        two.orders(*wanted[30:])
        while sum(group.count for group in await Batches(first.journal).waiting()) or len(list(out.glob("*.edi"))) < 20:
            await asyncio.gather(*(hub.batching.check() for hub in (first, second, first, second)))
            await asyncio.sleep(0.05)
        await becomes(first, "delivered", *wanted)
        found = await numbers(first)
    assert [len(story.members) for story in found] == [3] * 20
    assert sorted(m.number or "" for story in found for m in story.members) == wanted
    assert [story.control_number for story in found] == list(range(1, 21))
    assert len(list(out.glob("*.edi"))) == 20
