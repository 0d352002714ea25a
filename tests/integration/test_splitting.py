"""`split` on the whole way: each part is a message of its own, found by its position, and replayed alone."""

from __future__ import annotations

import json

from hub.journal.decisions import DeadFilter
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
        assert [story.position for story in parts] == ["part1", "part2"]
        assert [e["text"] for e in parts[0].events if e["stage"] == "step"] == ["by unit: part 1 of 2"]
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
