"""Real hub processes, ended by SIGKILL while batches are made and sent: each document goes in one interchange, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.batch_site import BatchSite
from tests.support.crashing_hub import BATCH_POINTS
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import killed, wait_for

pytestmark = pytest.mark.crash
GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))
HAND_OVERS = (
    *(f"{point}:1" for point in BATCH_POINTS),
    "batch_sent:2",
    "before_ack:2",
    "after_commit:20",
    "after_ack:5",
)


@pytest.fixture(params=[GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BatchSite:
    """`grown` is RabbitMQ with PostgreSQL as the journal."""
    amqp = request.getfixturevalue("amqp_vhost") if request.param != "embedded" else None
    journal = request.getfixturevalue("database_url") if request.param == "grown" else "var/hub.db"
    made = BatchSite(tmp_path, amqp=amqp, journal=journal)
    made.agrees("{max: 3, wait: 1s}")
    return made


def taken(site: BatchSite) -> list[str]:
    """The orders that have left, one entry for each time."""
    return sorted(line[5:] for name in site.sent() for line in site.transactions(name))


def awaited(site: BatchSite) -> list[str]:
    """The orders whose sending is recorded."""
    told = json.loads(site.cli("partner", "numbers", "ACME", "--limit", "1000", "--json").stdout)["numbers"]
    assert sorted(one["control_number"] for one in told) == list(range(1, len(told) + 1))
    return sorted(member["number"] for one in told if one["ack"] == "awaiting" for member in one["members"])


def test_a_kill_at_each_hand_over_of_a_batch_loses_and_repeats_nothing(site: BatchSite, forks: HubForks) -> None:
    wanted: list[str] = []
    before: dict[str, bytes] = {}
    for step, hand_over in enumerate(HAND_OVERS):
        orders = [f"{1000 + 100 * step + n}" for n in range(8)]
        site.orders(*orders)
        wanted += orders
        killed(site, forks, hand_over)
        found = {name: (site.folder / "var/out" / name).read_bytes() for name in site.sent()}
        assert before.items() <= found.items(), f"written again after {hand_over}"
        before = found
    hub = ForkedHub(site, forks)
    hub.start()
    try:
        wait_for(lambda: set(taken(site)) == set(wanted), "an order is lost")
        wait_for(lambda: awaited(site) == wanted, "a sending is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert taken(site) == wanted
    assert all((site.folder / "var/out" / name).read_bytes() == body for name, body in before.items())
