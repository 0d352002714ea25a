"""Documents that end whichever of three hubs sends them: they are dead in the end, and all others are delivered."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.support.hostile_plugin import install
from tests.support.laboratory import Laboratory
from tests.support.site import HubProcess, order

pytestmark = [pytest.mark.rabbitmq, pytest.mark.postgres, pytest.mark.crash, pytest.mark.laboratory]

POISON = ("kill-1", "crash-1")
GOOD = [f"good-{number}" for number in range(20)]


def test_what_ends_three_hubs_in_turn_is_dead_and_no_innocent_is(laboratory: Laboratory, tmp_path: Path) -> None:
    """One ends its process by SIGKILL, one by SIGSEGV. Each may do so four times, for the first crash is not counted;
    five times where it was handed over first, which is no delivery that comes again."""
    site = laboratory.site
    site.write("config/destinations.yaml", "out: {hostile: {folder: var/hostile}}\n")
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes.replace("to: [fast, slow, written]", "to: [out]"))
    for name in ("endpoints", "policies"):
        (site.folder / f"config/{name}.yaml").unlink()
    site.environ.update(install(tmp_path / "lib"))
    for number in range(3):
        hub = HubProcess(site)
        hub.name = f"hub-{number}"
        hub.start()
        laboratory.hubs.append(hub)
    for hub in laboratory.hubs:
        hub.wait_ready()
    laboratory.publish([(number, order(number)) for number in (*GOOD[:10], *POISON, *GOOD[10:])])
    deadline = time.monotonic() + 220
    while len(dead := letters(site.environ["HUB_JOURNAL"])) < 2 or set(lines(site.folder, "sent")) != set(GOOD):
        assert time.monotonic() < deadline, (dead, laboratory.log_tails())
        for hub in laboratory.hubs:
            if not hub.running:
                hub.kill()
                hub.start()
        time.sleep(0.2)
    assert {number for number, _, _ in dead} == set(POISON)
    assert {error for _, error, _ in dead} == {"poison"}
    assert all("died during it 3 times" in cause for _, _, cause in dead)
    assert all(4 <= lines(site.folder, "begun")[number] <= 5 for number in POISON)


def letters(journal: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(journal) as connection:
        rows = connection.execute("SELECT number, error, cause FROM dead_letter").fetchall()
    return [(str(number), str(error), str(cause)) for number, error, cause in rows]


def lines(folder: Path, name: str) -> Counter[str]:
    path = folder / "var/hostile" / name
    return Counter(path.read_text().split()) if path.exists() else Counter()
