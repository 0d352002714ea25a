"""What a partner is sent has a control number: one for each document and destination, kept through everything, its gaps
explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.interchanges.interchanges_sent import InterchangesSent, NumberStory
from tests.support.brokers import eventually
from tests.support.partner_site import PartnerSite
from tests.support.site import order
from tests.support.stories import dead_letters, status_becomes

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> PartnerSite:
    if request.param == "embedded":
        return PartnerSite(tmp_path)
    amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
    return PartnerSite(tmp_path, amqp=amqp, journal=journal)


async def numbers(hub: RunningHub) -> list[NumberStory]:
    return await InterchangesSent(hub.journal).stories("ACME")


def cli_json(site: PartnerSite, *arguments: str) -> Any:
    done = site.cli(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_each_document_has_a_number_of_its_own_which_names_the_file(site: PartnerSite) -> None:
    async with site.running() as hub:
        for n in range(5):
            site.drop(f"{n}.json", order(f"10{n}"))
        for n in range(5):
            await status_becomes(hub, f"10{n}", "delivered", "acme-out")
        sent = site.sent()
        assert sorted(sent) == [f"850_{n:09d}.json" for n in range(1, 6)]
        assert {body["number"] for body in sent.values()} == {f"10{n}" for n in range(5)}
        for story in await numbers(hub):
            assert sent[f"850_{story.control_number:09d}.json"]["number"] == story.number
            assert (story.transaction_set, story.ack, story.gap) == ("850", "awaiting", False)
        again = await status_becomes(hub, "000000003", "delivered", "acme-out")
        assert again.number == sent["850_000000003.json"]["number"]


async def test_a_file_that_is_dropped_again_takes_no_number(site: PartnerSite) -> None:
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        await status_becomes(hub, "1001", "delivered", "acme-out")
        site.drop("again.json", order("1001"))
        site.drop("b.json", order("1002"))
        await status_becomes(hub, "1002", "delivered", "acme-out")

        async def repeated() -> bool:
            found = await status_becomes(hub, "1001", "delivered", "acme-out")
            return any(event.stage == "repeated" for event in found.events)

        await eventually(repeated)
        assert sorted(site.sent()) == ["850_000000001.json", "850_000000002.json"]
        assert len(await numbers(hub)) == 2


async def test_every_retry_sends_the_same_number_under_the_same_name(site: PartnerSite) -> None:
    site.write("var/out", "in the way")
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        await status_becomes(hub, "1001", "retrying", "acme-out")
        (site.folder / "var/out").unlink()
        await status_becomes(hub, "1001", "delivered", "acme-out")
        assert list(site.sent()) == ["850_000000001.json"]


async def test_after_a_restart_a_replay_sends_the_bytes_that_were_made_under_the_name_that_they_had(
    site: PartnerSite,
) -> None:
    site.write("var/out", "in the way")
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        (dead,) = await dead_letters(hub, 1, route="orders")
    (site.folder / "var/out").unlink()
    async with site.running() as hub:
        await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester")
        await status_becomes(hub, "1001", "delivered", "acme-out")
        assert list(site.sent()) == ["850_000000001.json"]
        (story,) = await numbers(hub)
        assert (story.ack, story.sent_at is not None) == ("awaiting", True)


async def test_a_document_that_the_writer_refuses_leaves_a_gap_with_its_cause_and_a_replay_takes_a_new_number(
    site: PartnerSite,
) -> None:
    site.writes(refuse='"1001"')
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        (dead,) = await dead_letters(hub, 1, route="orders")
        (story,) = await numbers(hub)
        assert (story.gap, story.control_number) == (True, 1)
        assert "1001 has no buyer" in story.why
    site.writes()
    async with site.running() as hub:
        await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester")
        await status_becomes(hub, "1001", "delivered", "acme-out")
        assert list(site.sent()) == ["850_000000002.json"]
        second, first = await numbers(hub)
        assert (second.control_number, second.gap, second.ack) == (2, False, "none")
        assert first.gap
        assert first.why.endswith("1001 has no buyer; sent anew under another number")


async def test_when_the_numbers_are_used_up_a_document_is_dead_with_that_cause(site: PartnerSite) -> None:
    async with site.running() as hub:
        assert site.cli("partner", "numbers", "ACME", "--next", "999999999").returncode == 0
        site.drop("a.json", order("1001"))
        await status_becomes(hub, "1001", "delivered", "acme-out")
        site.drop("b.json", order("1002"))
        (dead,) = await dead_letters(hub, 1, route="orders")
        assert "the control numbers of ACME are used up" in dead.cause


async def test_the_commands_show_the_numbers_their_gaps_and_who_set_them(tmp_path: Path) -> None:
    site = PartnerSite(tmp_path)
    empty = site.cli("partner", "numbers", "ACME")
    assert (empty.returncode, "the next one is 1" in empty.stdout) == (0, True)
    assert "owes nothing" in site.cli("partner", "acks", "ACME").stdout
    assert cli_json(site, "partner", "numbers", "ACME")["numbers"] == []
    assert cli_json(site, "partner", "numbers", "ACME", "--next", "5000")["after"] == 5000
    site.writes(refuse='"1002"', within="60.0")
    async with site.running() as hub:
        site.drop("a.json", order("1001"))
        await status_becomes(hub, "1001", "delivered", "acme-out")
        site.drop("b.json", order("1002"))
        await dead_letters(hub, 1, route="orders")
    shown = site.cli("partner", "numbers", "ACME").stdout
    assert "order 1001 -> acme-out" in shown
    assert "order 1002 -> acme-out: dead: " in shown
    assert "has no buyer" in shown
    assert "set the next number to 5000; before it was 1" in shown
    found = cli_json(site, "partner", "numbers", "ACME")
    assert [(one["control_number"], one["gap"]) for one in found["numbers"]] == [(5001, True), (5000, False)]
    assert (found["next"], found["seeds"][0]["before"]) == (5002, 1)
    (ack,) = cli_json(site, "partner", "acks", "ACME")["acks"]
    assert (ack["number"], ack["ack"]) == ("1001", "awaiting")
    assert "due in" in site.cli("partner", "acks", "ACME").stdout
    refused = site.cli("partner", "numbers", "ACME", "--next", "5001")
    assert (refused.returncode, "used the control numbers up to 5001" in refused.stderr) == (1, True)
    assert site.cli("partner", "acks", "ACME", "--status", "late").returncode == 2
