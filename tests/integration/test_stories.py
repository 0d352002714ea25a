"""What a person reads: the trace with both acknowledgments, the bytes that were sent, lineage, the batch that is
due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.answers import GROWN, ack_becomes, grown, newest, story_of
from tests.support.batch_site import ROUTES, BatchSite, batched_order
from tests.support.brokers import eventually
from tests.support.stories import status_becomes
from tests.support.x12 import orders_850

FIRST = "850_000000001.edi"


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    """ACME takes orders one by one."""
    made = BatchSite(tmp_path, **grown(request))
    made.agrees(None)
    return made


def traced(site: BatchSite, value: str, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.cli("trace", value, "--json", *options).stdout)["messages"]
    return found


async def sent(hub: RunningHub, number: str = "1001") -> None:
    await status_becomes(hub, f"{number}.json", "delivered", "acme-out")


def keeps_orders(site: BatchSite) -> None:
    """Orders stay in the house: only what answers them goes to the partner."""
    site.write("routes/acme.yaml", ROUTES.replace("to: [acme-out]", "to: [desk]", 1))
    text = (site.folder / "config/destinations.yaml").read_text()
    site.write("config/destinations.yaml", text + "desk: {file: {folder: var/desk}}\n")


class TestTrace:
    """`hub trace`."""

    async def test_an_order_that_came_in_names_the_997_that_we_sent_for_it(self, site: BatchSite) -> None:
        keeps_orders(site)
        async with site.running() as hub:
            site.drop("in.edi", orders_850(["77", "78"], control=31), "var/partner")

            async def answered() -> bool:
                found = await Timeline(hub.journal).trace("77")
                return [answer.status for story in found for answer in story.answers] == ["delivered"]

            await eventually(answered)
            (answer,) = (await one(hub, "77")).answers
            assert (answer.set, answer.control_number, answer.destination) == ("997", "000000001", "acme-out")
            assert answer.message == (await one(hub, "000000001")).id
            assert "answered with 997 000000001 to acme-out: delivered" in site.cli("trace", "78").stdout
            assert traced(site, "77")[0]["answers"][0]["message"] == answer.message

    async def test_what_we_sent_names_the_997_that_came_back(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await sent(hub)
            site.answer(1, "A", sent=1)
            await ack_becomes(hub, "accepted")
            answer = await story_of(hub, "997-1.edi")
            said = f"accepted by ACME's 997 (control number 1) (message {answer.id[:12]})"
            assert said in site.cli("trace", "1001").stdout

    async def test_lineage_names_the_bytes_of_the_file_that_came_in(self, site: BatchSite) -> None:
        keeps_orders(site)
        raw = orders_850(["77", "78"], newline="\n")
        async with site.running() as hub:
            site.drop("in.edi", raw, "var/partner")

            async def taken() -> bool:
                return (site.folder / "var/out/997_000000001.edi").exists()

            await eventually(taken)
            (story,) = [one for one in traced(site, "78", "--lineage") if one["number"] == "78"]
            origins = {origin["field"]: origin for origin in story["lineage"]}
            assert origins["number"]["where"] == "BEG03"
            assert origins["lines[0].price"]["where"] == "PO104"
            for origin in story["lineage"]:
                assert raw[origin["start"] : origin["end"]].decode() == origin["text"], origin
            second = raw.index(b"ST*850*0002")
            assert min(origin["start"] for origin in story["lineage"]) > second
            shown = site.cli("trace", "78", "--lineage").stdout
            start = raw.index(b"78", second)
            (line,) = [line for line in shown.splitlines() if line.split()[:1] == ["number"]]
            assert line.split() == ["number", "78", "BEG03", "2", f"{start}-{start + 2}"]
            assert hub.started

    async def test_a_document_without_a_file_of_x12_has_no_lineage(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await sent(hub)
            assert traced(site, "1001", "--lineage")[0]["lineage"] == []

    async def test_a_document_that_waits_says_when_it_goes_at_the_latest(self, site: BatchSite) -> None:
        site.agrees("{max: 3, wait: 5m}")
        async with site.running() as hub:
            site.orders("1001")
            await status_becomes(hub, "1001.json", "batched", "acme-out")
            (event,) = [event for event in traced(site, "1001")[0]["events"] if event["stage"] == "batched"]
            assert event["detail"]["due_at"] == event["at"] + 300.0
            assert "waits for a batch: at most 3 documents, 300s, goes at " in site.cli("trace", "1001").stdout


async def one(hub: RunningHub, value: str) -> Story:
    """The story of the one document of that number."""
    (found,) = await Timeline(hub.journal).trace(value)
    return found


class TestSent:
    """`hub sent`."""

    async def test_prints_the_bytes_that_the_destination_has(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await sent(hub)
            written = (site.folder / "var/out" / FIRST).read_bytes()
            assert site.cli("sent", "1001", "--to", "acme-out").stdout.encode() == written
            assert site.cli("sent", "000000001").stdout.encode() == written
            told = json.loads(site.cli("sent", "1001", "--json").stdout)
            (one,) = told["sent"]
            assert (one["status"], one["set"], one["control_number"]) == ("delivered", "850", "000000001")
            assert (await newest(hub)).document_id == one["document_id"]

    async def test_of_a_member_it_is_the_interchange_that_it_went_in(self, site: BatchSite) -> None:
        site.agrees("{max: 3, wait: 5m}")
        async with site.running() as hub:
            site.orders("1001", "1002", "1003")
            await sent(hub, "1002")
            written = (site.folder / "var/out" / FIRST).read_bytes()
            assert site.cli("sent", "1002").stdout.encode() == written
            (one,) = json.loads(site.cli("sent", "1002", "--json").stdout)["sent"]
            assert one["transaction"] in ("0001", "0002", "0003")
            assert one["batch"] == (await newest(hub)).document_id

    async def test_what_has_no_bytes_or_is_not_known_is_said(self, site: BatchSite) -> None:
        site.agrees("{max: 3, wait: 5m}")
        async with site.running() as hub:
            site.orders("1001")
            await status_becomes(hub, "1001.json", "batched", "acme-out")
            done = site.cli("sent", "1001")
            assert (done.returncode, done.stdout) == (1, "")
            assert "acme-out has no bytes of '1001' yet: it is batched" in done.stderr
            assert "nothing of 'nonsense' goes anywhere" in site.cli("sent", "nonsense").stderr

    async def test_a_value_that_names_several_asks_which(self, site: BatchSite) -> None:
        async with site.running() as hub:
            site.orders("1001")
            await sent(hub)
            site.drop("other.json", batched_order("1001", price="7"))
            await status_becomes(hub, "other.json", "delivered", "acme-out")
            done = site.cli("sent", "1001")
            assert (done.returncode, done.stdout) == (1, "")
            assert "'1001' names 2 different bodies" in done.stderr
            assert done.stderr.count("order 1001 -> acme-out: delivered") == 2


async def test_a_partly_rejected_batch_is_among_what_was_rejected(site: BatchSite) -> None:
    site.agrees("{max: 3, wait: 5m}")
    async with site.running() as hub:
        site.orders("1001", "1002", "1003")
        await sent(hub)
        second = site.transactions(FIRST)[1][5:]
        site.answer(1, "P", [(2, "R")])
        await ack_becomes(hub, "accepted_with_errors")
        shown = site.cli("partner", "acks", "ACME", "--status", "rejected").stdout
        assert "batch of 3" in shown
        assert f"    0002  order {second}: rejected" in shown
        assert "0001" not in shown.replace("000000001", "")
        assert site.cli("partner", "acks", "ACME", "--status", "overdue").stdout.startswith("ACME was sent nothing")
