"""A hub that dies while it repeats an acknowledgment: each arrival of the same bytes gets one, never two, never
none."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.erp import Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import killed, wait_for
from tests.support.site import SiteOnDisk
from tests.support.x12 import orders_850

pytestmark = pytest.mark.crash

POINTS = ("offered", "publish", "confirm", "before_commit", "after_commit", "taken", "acknowledged")
ACME = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12: {receive: ["850", "997"], acknowledge: {with: "997", repeat: true}}
"""


def count(site: SiteOnDisk, query: str) -> int:
    with closing(sqlite3.connect(site.folder / "var/hub.db")) as connection:
        return int(connection.execute(query).fetchone()[0])


def acknowledged(site: SiteOnDisk) -> Counter[str]:
    """By the group that an acknowledgment is for: how many the partner has."""
    texts = [path.read_text() for path in (site.folder / "var/out").glob("*.edi")]
    return Counter(text.split("AK1*PO*")[1].split("~")[0] for text in texts)


def test_a_kill_at_each_hand_over_of_a_repeat_sends_one(tmp_path: Path, erp: Erp, forks: HubForks) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write("config/partners/acme.yaml", ACME)
    out = 'acme-out:\n  file: {folder: var/out, name: "{set}_{control_number}.edi"}\n  write: {x12: ACME}\n'
    site.write("config/destinations.yaml", (site.folder / "config/destinations.yaml").read_text() + out)
    bodies = {point: orders_850([f"{point}-1"], number) for number, point in enumerate(POINTS, 1)}
    hub = ForkedHub(site, forks)
    hub.start()
    hub.wait_ready()
    for point, body in bodies.items():
        site.drop(f"{point}.edi", body, "var/edi")
    settled = "SELECT count(*) FROM memory WHERE name LIKE 'repeat:%'"
    wait_for(lambda: count(site, settled) == len(POINTS), "the arrivals are not settled")
    wait_for(lambda: sum(acknowledged(site).values()) == len(POINTS), "there are no acknowledgments")
    unfinished = "SELECT count(*) FROM effect WHERE status <> 'delivered'"
    wait_for(lambda: count(site, unfinished) == 0, "they are not recorded")
    hub.kill()
    for point, body in bodies.items():
        site.drop(f"{point}-again.edi", body, "var/edi")
        killed(site, forks, point)
    hub.start()
    twice = {str(number): 2 for number, _ in enumerate(POINTS, 1)}
    wait_for(lambda: acknowledged(site) == twice, "not every arrival got its own")
    wait_for(lambda: not list((site.folder / "var/edi").glob("*.edi")), "a file was not taken")
    wait_for(lambda: count(site, unfinished) == 0, "an effect stays open")
    hub.stop()
    assert acknowledged(site) == twice
