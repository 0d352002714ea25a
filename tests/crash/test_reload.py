"""A signal to one process of a site is a reload of all: two real processes on RabbitMQ and PostgreSQL."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.erp import Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import wait_for
from tests.support.site import ROUTES, SiteOnDisk

pytestmark = [pytest.mark.crash, pytest.mark.rabbitmq, pytest.mark.postgres]


def tables(hub: ForkedHub) -> list[str]:
    """The table that each reload of this process has brought."""
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]
    return [str(line["table"]) for line in lines if line.get("event") == "reloaded"]


def test_a_signal_to_one_process_reloads_all(
    tmp_path: Path, erp: Erp, forks: HubForks, amqp_vhost: str, database_url: str
) -> None:
    site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=database_url)
    hubs = []
    for number in range(2):
        hub = ForkedHub(site, forks)
        hub.name = f"hub-{number}"
        hubs.append(hub)
    try:
        for hub in hubs:
            hub.start()
        for hub in hubs:
            hub.wait_ready()
        site.write("routes/acme.yaml", ROUTES.replace("order-desk", "other-desk"))
        hubs[0].signal(signal.SIGHUP)
        wait_for(lambda: all(tables(hub) for hub in hubs), "a process did not reload")
        first, second = map(tables, hubs)
        assert first == second
        assert first[0] in hubs[1].get("/metrics")[1]
    finally:
        for hub in hubs:
            hub.kill()
