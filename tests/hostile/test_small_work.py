"""Work that begins small and turns out to be much: a worker does it again, and nobody waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from hub.core.errors import MappingError
from hub.core.options.work import IN_PROCESS, WorkBounds
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.mapping.allowance import RenderingAllowance, within
from hub.mapping.site_template import SiteTemplate
from tests.support.brokers import eventually
from tests.support.site import INBOX, SiteOnDisk, order

WORKING = "{% for i in range(document.lines[0].quantity | int) %}{% for j in range(1000) %}{% endfor %}{% endfor %}"
ROUTES = (
    INBOX
    + """\
  mapped:
    file: {folder: var/mapped, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: {json: order@1}
    steps: [{name: works, map: {template: map.json.j2, document: order@1}}]
routes:
  - {id: orders, when: {document: order, partner: ACME}, to: [out]}
"""
)


def site_of(folder: Path) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (folder / name).unlink()
    site.write("config/partners/bolt.yaml", "partner: BOLT\nids: [{qualifier: ZZ, id: BOLT}]\n")
    hub = "broker: embedded\nconsole: {listen: '127.0.0.1:0'}\ntemplates: {steps: 4000000}\n"
    site.write("config/hub.yaml", hub)
    site.write(
        "config/destinations.yaml",
        "out: {file: {folder: var/out, name: '{number}.txt'}, write: {template: out.txt.j2}}\n",
    )
    site.write("routes/templates/out.txt.j2", WORKING + "{{ document.number }} of {{ document.total }}")
    site.write("routes/templates/map.json.j2", WORKING + "{{ document | tojson }}")
    site.write("routes/acme.yaml", ROUTES)
    return site


async def test_templates_that_work_much_and_large_documents_keep_nobody_waiting(tmp_path: Path) -> None:
    """2,500 times 1,000 steps take about half a second; 4,500 times are more than the site allows."""
    site = site_of(tmp_path)
    pauses: list[float] = []
    async with site.running() as hub:
        site.drop("small.json", order("1"), "var/mapped")
        await eventually(lambda: are_out(site, "1"))
        assert hub.pool.process_ids == []
        ticks = asyncio.create_task(tick(pauses))
        site.drop("much.json", order("2", quantity="2500"), "var/mapped")
        site.drop("too-much.json", order("3", quantity="4500"), "var/mapped")
        line = {"number": "1", "quantity": "2", "price": "1", "products": {"VN": "x" * 40}}
        large = json.dumps({"document": "order@1", "number": "4", "partner": "BOLT", "lines": [line] * 15_000})
        site.drop("large.json", large.encode())
        await eventually(lambda: are_out(site, "1", "2"))
        assert hub.pool.process_ids
        await eventually(lambda: rest(hub, 2))
        letters = {row.kind: row for row in await dead(hub)}
        assert "more than 4000000 steps" in letters["source"].cause
        await hub.replay.replay(DeadFilter(ids=(letters["unmatched"].id,)), "somebody")
        ticks.cancel()
        after = {row.kind: row for row in await dead(hub)}
        assert after["unmatched"].id != letters["unmatched"].id
        assert after["unmatched"].number == "4"
        assert max(pauses) < 0.6
    assert (tmp_path / "var/out/2.txt").read_text() == "2 of 23750.00"


async def tick(pauses: list[float]) -> None:
    """Notes for how long the loop lets nobody else go on, in processor time."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.01)
        pauses.append(time.thread_time() - before)


async def are_out(site: SiteOnDisk, *numbers: str) -> bool:
    return {path.stem for path in (site.folder / "var/out").glob("*.txt")} == set(numbers)


async def dead(hub: object) -> list[object]:
    return list(await Decisions(hub.journal).dead_letters(DeadFilter(), hub.runtime.clock()))  # type: ignore[attr-defined]


async def rest(hub: object, count: int) -> bool:
    return len(await dead(hub)) == count


def test_renderings_within_an_allowance_share_it() -> None:
    template = SiteTemplate("t.txt.j2", lambda folder, name: "{% for i in range(n) %}{% endfor %}{{ n }}")
    allowance = RenderingAllowance(WorkBounds(steps=1000, characters=1000))
    with within(allowance):
        assert template.render({"n": 400}) == "400"
        assert template.render({"n": 400}) == "400"
        assert not allowance.spent
        with pytest.raises(MappingError, match=r"t\.txt\.j2: line 1: more than"):
            template.render({"n": 400})
        assert allowance.spent
    assert template.render({"n": 100_000}) == "100000"


def test_a_template_that_passes_the_bounds_of_the_site_spends_no_allowance() -> None:
    """A worker would come no farther."""
    text = "{% for i in range(n) %}{% endfor %}"
    template = SiteTemplate("t.txt.j2", lambda folder, name: text, WorkBounds(steps=100, characters=100))
    allowance = RenderingAllowance(IN_PROCESS)
    with within(allowance), pytest.raises(MappingError, match="more than 100 steps"):
        template.render({"n": 400})
    assert not allowance.spent
