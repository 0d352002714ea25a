"""A dead letter names its owner, its file, and the place in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from tests.support.answers import GROWN, grown
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes
from tests.support.x12 import orders_850

OTHERS = """\
format: 1
owner: returns-desk
sources:
  returns:
    file: {folder: var/returns, settle: 0s, poll: 50ms}
    read: {json: order@1}
"""


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path, erp: Erp) -> SiteOnDisk:
    made = SiteOnDisk(tmp_path, erp.url, **grown(request))
    made.write("routes/returns.yaml", OTHERS)
    return made


def listed(site: SiteOnDisk, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.cli("dead", "list", "--json", *options).stdout)["dead_letters"]
    return found


async def test_each_kind_has_the_owner_of_the_file_that_its_route_or_source_stands_in(
    site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(400)
    async with site.running() as hub:
        site.drop("refused.json", order("1001"))
        site.drop("unreadable.json", b"{", "var/returns")
        site.drop("stranger.json", order("1002", partner="BOLT"), "var/returns")
        rows = {row.kind: row for row in await dead_letters(hub, 3)}
        assert {kind: row.owner for kind, row in rows.items()} == {
            "route": "order-desk",
            "source": "returns-desk",
            "unmatched": "returns-desk",
        }
        assert {row["kind"] for row in listed(site, "--owner", "returns-desk")} == {"source", "unmatched"}
        assert listed(site, "--owner", "nobody") == []
        assert "for order-desk" in site.cli("dead", "list").stdout
        assert "returns-desk" in site.cli("dead", "show", rows["unmatched"].id).stdout
        done = site.cli("dead", "discard", "--owner", "order-desk", "--reason", "by phone", "--dry-run")
        assert "1 would be discarded" in done.stdout


async def test_a_route_that_is_gone_leaves_its_dead_letters_to_the_owner_of_their_source(
    tmp_path: Path, erp: Erp
) -> None:
    erp.script = lambda request: Answer(503)
    site = SiteOnDisk(tmp_path, erp.url)
    site.write("config/policies.yaml", "retry:\n  fast: {delays: [1s], on: [busy]}\n")
    destinations = (tmp_path / "config/destinations.yaml").read_text()
    site.write("config/destinations.yaml", destinations[: destinations.index("  replies:")])
    async with site.running() as hub:
        site.drop("order.json", order("1001"))
        await status_becomes(hub, "1001", "retrying")
        text = (tmp_path / "routes/acme.yaml").read_text()
        site.write("routes/acme.yaml", text[: text.index("routes:")])
        await hub.reload()
        (dead,) = await dead_letters(hub, 1)
        assert (dead.route, dead.owner) == ("orders", "order-desk")


async def test_a_transaction_that_cant_be_read_is_named_by_file_levels_segment_and_element(site: SiteOnDisk) -> None:
    body = orders_850(["1001", "1002", "1003"]).replace(b"PO1*1*24*EA", b"PO1*1*XX*EA", 2).replace(b"XX", b"24", 1)
    async with site.running() as hub:
        site.drop("acme_17.edi", body, "var/edi")
        await dead_letters(hub, 1, kind="source")
        (row,) = listed(site, "--kind", "source")
        assert (row["file"], row["position"], row["source"]) == ("acme_17.edi", "1.1.2", "edi")
        assert row["place"] == {
            "segment": "PO1",
            "segment_position": 3,
            "element": "PO102",
            "byte": body.index(b"PO1*1*XX"),
        }
        line = site.cli("dead", "list", "--kind", "source").stdout
        assert "acme_17.edi, interchange 1, group 1, transaction 2, segment PO1 at 3, element PO102, byte" in line
        shown = site.cli("dead", "show", row["id"]).stdout
        assert "interchange 1, group 1, transaction 2, segment PO1 at 3" in shown
        assert "acme_17.edi" in shown


async def test_a_cause_says_the_class_of_its_error_once(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    site.write("routes/templates/none.json.j2", "{{ order.nothing }}")
    text = (tmp_path / "config/destinations.yaml").read_text()
    site.write("config/destinations.yaml", text.replace("  retry:", "  write: {template: none.json.j2}\n  retry:"))
    async with site.running() as hub:
        site.drop("order.json", order("1001"))
        (dead,) = await dead_letters(hub, 1, kind="route")
        assert dead.error == "MappingError"
        assert "MappingError" not in dead.cause
        assert site.cli("dead", "list").stdout.count("MappingError") == 1


async def test_a_file_name_neither_steers_the_terminal_nor_looks_like_an_entry(site: SiteOnDisk) -> None:
    async with site.running() as hub:
        site.drop("\x1b[31mred\x07.json", b"{", "var/returns")
        site.drop("a\n4ebf0b6e1e1f  4s  dead\t.json", b"{{", "var/returns")
        await dead_letters(hub, 2)
        *entries, _ = site.cli("dead", "list").stdout.splitlines()
        assert len(entries) == 2
        assert all(line.isprintable() for line in entries)
        assert any(r"a\n4ebf0b6e1e1f  4s  dead\t.json" in line for line in entries)
        assert any(r"\x1b[31mred\x07.json" in line for line in entries)


async def test_an_id_that_begins_several_or_none_decides_nothing_and_says_so(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    async with site.running() as hub:
        for number in range(17):
            site.drop(f"{number}.json", b"{%d" % number)
        rows = await dead_letters(hub, 17)
        first = [row.id[0] for row in rows]
        common = max(first, key=first.count)  # 17 ids and 16 digits
        several = f"{common}: {first.count(common)} dead letters begin so, write more of the id"
        one = rows[0].id

        def skipped(done: dict[str, Any]) -> tuple[int, list[str]]:
            return done.get("discarded", done.get("replayed", 0)), list(done["skipped"])

        wanted = DeadFilter(ids=(common, "zz", "", one[:31]))
        empty = "an empty id names no dead letter"
        done = await hub.replay.discard(wanted, "jo", "")
        assert skipped(done) == (1, [several, "zz: no such dead letter", empty])
        assert skipped(await hub.replay.replay(DeadFilter(ids=(common,)), "jo")) == (0, [several])
        again = await hub.replay.discard(DeadFilter(ids=(one,)), "jo", "")
        assert skipped(again) == (0, [f"{one[:12]}: discarded already"])
        other = await hub.replay.discard(DeadFilter(ids=(rows[1].id,), route="returns"), "jo", "")
        assert skipped(other) == (0, [f"{rows[1].id[:12]}: the other options leave it out"])
        assert await Decisions(hub.journal).count_dead(DeadFilter(), 0) == 16

        unset = site.cli("dead", "discard", "", "--reason", "x")
        assert (unset.returncode, "an id is empty" in unset.stderr) == (2, True)
        assert several in site.cli("dead", "discard", common, "--reason", "x", "--dry-run").stdout
        listed = site.cli("dead", "list", "--source", "inbx", "--owner", "order-desk").stdout
        assert listed == "none of the 16 dead letters fits: none has the source 'inbx' (did you mean inbox?)\n"
        replayed = await asyncio.to_thread(site.cli, "dead", "replay", rows[1].id)
        assert replayed.stdout == "1 replayed\n1 of them is dead again: see hub dead list\n"
