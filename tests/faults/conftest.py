"""A laboratory on RabbitMQ and PostgreSQL for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import hub_forks
from tests.support.erp import Answer, Erp, Request
from tests.support.laboratory import SPEEDS, Laboratory, equip
from tests.support.site import SiteOnDisk


@pytest.fixture
def erp() -> Iterator[Erp]:
    def script(request: Request) -> Answer:
        return Answer(201, hang=SPEEDS[request.path.strip("/")])

    with Erp(script).serving() as server:
        yield server


@pytest.fixture
def laboratory(tmp_path: Path, erp: Erp, amqp_vhost: str, database_url: str) -> Iterator[Laboratory]:
    site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=database_url)
    equip(site, erp)
    made = Laboratory(site, erp, hub_forks.forks())
    yield made
    made.close()
