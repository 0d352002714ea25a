"""Hub processes killed at each step of a hand-over, beside another hub that lives: the outcome is that of copies from
the queue."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from tests.support.erp import Answer, Erp, Request
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import Kills
from tests.support.order_peers import QueuePeer
from tests.support.site import SiteOnDisk

pytestmark = [pytest.mark.crash, pytest.mark.rabbitmq, pytest.mark.postgres]

STEPS = (
    "offered:2",
    "before_commit:2",
    "after_commit:2",
    "before_send:2",
    "after_send:2",
    "before_commit:5",
    "taken:2",
)

EACH, MOST = 5, 500
"""Orders that are fed at a time, until the hub that is to die has had its share."""


def refuses_some(request: Request) -> Answer:
    return Answer(422, b'{"error": "no"}') if request.number.endswith("5") else Answer()


@pytest.mark.parametrize("hand_over", ["true", "false"])
def test_a_kill_at_each_step_beside_a_hub_that_lives(
    tmp_path: Path, erp: Erp, forks: HubForks, amqp_vhost: str, database_url: str, hand_over: str
) -> None:
    """Each order comes twice, once by its number; some are refused. Both ways end with the same effects, keys and dead
    letters."""
    erp.script = refuses_some
    site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=database_url)
    settings = (tmp_path / "config/hub.yaml").read_text()
    site.write("config/hub.yaml", f"{settings}hand_over: {hand_over}\n")
    peer = QueuePeer(amqp_vhost)
    site.write(
        "routes/acme.yaml",
        "format: 1\nowner: order-desk\nsources:\n  inbox:\n    exchange: {queue: orders, prefetch: 3}\n    read: {json:"
        " order@1}\nroutes:\n  - {id: orders, when: {document: order, partner: ACME}, once: [number], to: [erp]}\n",
    )
    kills, numbers, other = Kills(site, forks, erp), list[str](), ForkedHub(site, forks)
    other.name = "other"
    peer.feed([])
    try:
        other.start()  # lives, takes its share, and takes over
        for step, point in enumerate(STEPS):
            hub = ForkedHub(site, forks, crash=point)
            hub.start()
            for first in range(1000 * step, 1000 * step + MOST, EACH):
                if not hub.running:
                    break
                fed = [f"{number}" for number in range(first, first + EACH)]
                peer.feed([*fed, *fed])
                numbers += fed
                time.sleep(0.2)
            assert hub.wait_end() == -9, f"{point}: {hub.log.read_text()}"
            kills.note(point)
    finally:
        other.kill()
    refused = {number for number in numbers if number.endswith("5")}
    kills.finish(
        (lambda: set(erp.numbers()) == set(numbers) and peer.empty(), "an order is lost, or left in its queue"),
        (lambda: len(kills.keys()) == len(numbers) - len(refused), "an effect is not recorded"),
    )
    found = asyncio.run(outcomes(database_url))
    assert found == {
        "effect": Counter(delivered=len(numbers) - len(refused), dead=len(refused)),
        "once_key": Counter(done=len(numbers) - len(refused), freed=len(refused)),
        "dead_letter": Counter(dead=len(refused)),
        "waiting": Counter(),
    }


async def outcomes(url: str) -> dict[str, Counter[str]]:
    """How often each status is in force, by table."""
    connection = await asyncpg.connect(url)
    try:
        found = {
            table: Counter(row["status"] for row in await connection.fetch(f"SELECT status FROM {table}"))
            for table in ("effect", "once_key", "dead_letter")
        }
        found["waiting"] = Counter(row["reason"] for row in await connection.fetch("SELECT reason FROM waiting"))
        return found
    finally:
        await connection.close()
