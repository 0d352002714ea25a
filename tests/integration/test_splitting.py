"""`split` on the whole way: each part is a message of its own, found by its position, and replayed alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import INBOX, SiteOnDisk
from tests.support.stories import dead_letters, seen

ROUTES = (
    INBOX
    + """\
    steps:
      - {name: by unit, split: lines.unit}
      - {name: worth, validate: {that: {it is worth something: total > LEAST}}}
routes:
  - id: orders
    when: {document: order}
    to: [erp]
"""
)


def body(number: str) -> bytes:
    lines = [{"unit": u, "quantity": q, "price": "1"} for u, q in (("EA", "5"), ("CA", "1"), ("EA", "6"))]
    return json.dumps({"document": "order@1", "number": number, "partner": "ACME", "lines": lines}).encode()


async def test_each_part_goes_its_own_way_and_a_refused_one_is_replayed_alone(site: SiteOnDisk, erp: Erp) -> None:
    site.write("routes/acme.yaml", ROUTES.replace("LEAST", "1"))
    async with site.running() as hub:
        site.drop("a.json", body("1"))
        await eventually(lambda: seen(erp, "/orders", b'"EA"', 1))
        (letter,) = await dead_letters(hub, 1)
        assert letter.cause == "step worth: not so: it is worth something"
        parts = sorted(await Timeline(hub.journal).trace("a.json"), key=lambda story: story.position)
        assert [story.position for story in parts] == ["part-CA", "part-EA"]
        assert [e.text for e in parts[1].events if e.stage == "step"] == ["by unit: part EA, 1 of 2"]
        site.write("routes/acme.yaml", ROUTES.replace("LEAST", "0"))
        await hub.reload()
        done = await hub.replay.replay(DeadFilter(ids=(letter.id,)), "ann")
        assert done["replayed"] == 1
        await eventually(lambda: seen(erp, "/orders", b'"CA"', 1))
        site.drop("again.json", body("1"))  # the same bytes: the same messages
        await eventually(lambda: taken_again(hub))
    assert len(erp.requests) == 2


async def taken_again(hub: object) -> bool:
    return hub.metrics.registry.get_sample_value("hub_arrivals_total", {"source": "inbox"}) == 3.0  # type: ignore[attr-defined]


async def test_a_part_that_isnt_made_any_more_stays_a_dead_letter(site: SiteOnDisk, erp: Erp) -> None:
    site.write("routes/acme.yaml", ROUTES.replace("LEAST", "1"))
    async with site.running() as hub:
        site.drop("a.json", body("1"))
        await eventually(lambda: seen(erp, "/orders", b'"EA"', 1))
        (letter,) = await dead_letters(hub, 1)
        site.write(
            "routes/acme.yaml", ROUTES.replace("LEAST", "0").replace("      - {name: by unit, split: lines.unit}\n", "")
        )
        await hub.reload()
        done = await hub.replay.replay(DeadFilter(ids=(letter.id,)), "ann")
        assert done["skipped"] == {"could not be sent again: there is nothing at part-CA any more": 1}
        assert [row.id for row in await dead_letters(hub, 1)] == [letter.id]
    assert len(erp.requests) == 1


async def test_why_a_part_isnt_made_any_more_is_said(site: SiteOnDisk, erp: Erp) -> None:
    site.write("routes/acme.yaml", ROUTES.replace("LEAST", "1"))
    async with site.running() as hub:
        site.drop("a.json", body("1"))
        (letter,) = await dead_letters(hub, 1)
        first = "      - {name: large, validate: {that: {it is large: total > 1000}}}\n      - {name: by"
        site.write("routes/acme.yaml", ROUTES.replace("LEAST", "0").replace("      - {name: by", first, 1))
        await hub.reload()
        done = await hub.replay.replay(DeadFilter(ids=(letter.id,)), "ann")
        assert done["skipped"] == {"could not be sent again: step large: not so: it is large": 1}


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("document: order}", "document: order}\n    once: [partner, number]", "only the first would go"),
        (
            "      - {name: by unit",
            (
                "      - {name: customer, enrich: {endpoint: erp, call: 'GET /c', set: {contract: /contract}}}\n      -"
                " {name: by unit"
            ),
            "customer may answer otherwise when the same document is read again",
        ),
    ],
)
def test_what_would_lose_a_part_is_named_by_the_check(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    site = SiteOnDisk(tmp_path)
    text = ROUTES.replace("LEAST", "0")
    assert old in text
    site.write("routes/acme.yaml", text.replace(old, new))
    checked = SiteFolder(tmp_path).check(discover(), site.environ)
    assert wrong in "\n".join(str(finding) for finding in checked.errors)


async def test_once_with_the_part_takes_every_part_once(site: SiteOnDisk, erp: Erp) -> None:
    once = "document: order}\n    once: [partner, number, part]"
    site.write("routes/acme.yaml", ROUTES.replace("LEAST", "0").replace("document: order}", once))
    async with site.running() as hub:
        site.drop("a.json", body("1"))
        await eventually(lambda: seen(erp, "/orders", b"number", 2))
        site.drop("b.json", body("1") + b"\n")  # other bytes, the same order
        await eventually(lambda: duplicates(hub, "b.json", 2))
    assert len(erp.requests) == 2


async def duplicates(hub: RunningHub, name: str, count: int) -> bool:
    stories = await Timeline(hub.journal).trace(name)
    return sum(event.stage == "duplicate" for story in stories for event in story.events) == count
