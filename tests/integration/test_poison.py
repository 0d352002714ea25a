"""A document that ends the hub's process each time it is sent: it is dead in the end, and its neighbors are
delivered."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.integration.test_contained import hostile_site
from tests.support.hostile_plugin import install
from tests.support.site import INBOX, HubProcess, SiteOnDisk, order
from tests.support.waiting import wait_for


def lines(path: Path) -> Counter[str]:
    return Counter(path.read_text().split()) if path.exists() else Counter()


def test_a_document_that_ends_its_process_is_dead_and_its_neighbors_are_delivered(tmp_path: Path) -> None:
    site = hostile_site(tmp_path / "site")
    site.write("config/destinations.yaml", "out: {hostile: {folder: var/hostile}}\n")
    site.write("routes/acme.yaml", f"{INBOX}routes:\n  - {{id: orders, when: {{document: order}}, to: [out]}}\n")
    environ = install(tmp_path / "lib")
    site.environ.update(environ)
    hub = HubProcess(site)
    begun, sent = tmp_path / "site/var/hostile/begun", tmp_path / "site/var/hostile/sent"
    numbers = ["exit-1", *(f"good-{number}" for number in range(5))]
    for number in numbers:
        site.drop(f"{number}.json", order(number))
    for _ in range(5):
        hub.start()
        wait_for(lambda: not hub.running or dead(site), "the hub neither ended nor gave up")
        if hub.running:
            break
        hub.kill()
    (letter,) = dead(site)
    assert letter["error"] == "poison"
    assert "died during it 3 times" in letter["cause"]
    wait_for(lambda: set(lines(sent)) == set(numbers) - {"exit-1"}, "neighbors are missing")
    assert lines(begun)["exit-1"] == 4
    hub.stop()


def dead(site: SiteOnDisk) -> list[dict[str, str]]:
    found = site.cli("dead", "list", "--json")
    return list(json.loads(found.stdout)["dead_letters"]) if found.returncode == 0 else []
