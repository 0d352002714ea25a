"""Real hub processes, ended by SIGKILL while batches are made and sent: each document goes in one interchange, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.batch_site import BatchSite
from tests.support.crashing_hub import BATCH_POINTS
from tests.support.site import HubProcess

pytestmark = pytest.mark.crash
SECONDS = 60.0
WANTED = [f"{n}" for n in range(1000, 1008)]
GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    """`grown` is RabbitMQ with PostgreSQL as the journal."""
    amqp = request.getfixturevalue("amqp_vhost") if request.param != "embedded" else None
    journal = request.getfixturevalue("database_url") if request.param == "grown" else "var/hub.db"
    made = BatchSite(tmp_path, amqp=amqp, journal=journal)
    made.agrees("{max: 3, wait: 1s}")
    return made


def wait_for(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def taken(site: BatchSite) -> list[str]:
    """The orders that have left, one entry for each time."""
    return sorted(line[5:] for name in site.sent() for line in site.transactions(name))


def awaited(site: BatchSite) -> list[str]:
    """The orders whose sending is recorded."""
    told = json.loads(site.cli("partner", "numbers", "ACME", "--json").stdout)["numbers"]
    assert sorted(one["control_number"] for one in told) == list(range(1, len(told) + 1))
    return sorted(member["number"] for one in told if one["ack"] == "awaiting" for member in one["members"])


@pytest.mark.parametrize(
    "hand_over", [*(f"{p}:1" for p in BATCH_POINTS), "batch_sent:2", "before_ack:2", "after_commit:20", "after_ack:5"]
)
def test_a_kill_at_a_hand_over_of_a_batch_loses_and_repeats_nothing(site: BatchSite, hand_over: str) -> None:
    site.orders(*WANTED)
    crashing = HubProcess(site, module="tests.support.crashing_hub", environ={"HUB_CRASH": hand_over})
    crashing.start()
    assert crashing.wait_end() == -9, crashing.log.read_text()
    before = {name: (site.folder / "var/out" / name).read_bytes() for name in site.sent()}
    hub = HubProcess(site)
    try:
        hub.start()
        hub.wait_ready()
        wait_for(lambda: set(taken(site)) == set(WANTED), "an order is lost")
        wait_for(lambda: awaited(site) == WANTED, "a sending is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert taken(site) == WANTED
    assert all((site.folder / "var/out" / name).read_bytes() == body for name, body in before.items())
