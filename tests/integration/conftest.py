"""A site with an ERP, and a hub on it: on what a fresh checkout has, and on what a cluster has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.app.running_hub import RunningHub
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.context import Context
from hub.journal.journal import Journal
from tests.support.erp import Erp
from tests.support.exchanges import context_on
from tests.support.lists import Lists
from tests.support.migrated import lay_journal
from tests.support.polls import Polls, since
from tests.support.site import SiteOnDisk

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as server:
        yield server


@pytest.fixture(params=["embedded", GROWN])
def site(request: pytest.FixtureRequest, tmp_path: Path, erp: Erp) -> SiteOnDisk:
    if request.param == "embedded":
        return SiteOnDisk(tmp_path, erp.url)
    amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
    return SiteOnDisk(tmp_path, erp.url, amqp=amqp, journal=journal)


@pytest.fixture
async def hub(site: SiteOnDisk) -> AsyncIterator[RunningHub]:
    async with site.running() as running:
        yield running


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """For a part of a hub that remembers something."""
    lay_journal(tmp_path / "part.db")
    made = Journal(str(tmp_path / "part.db"), tmp_path / "claims", SystemClock())
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def broker(amqp_vhost: str) -> AsyncIterator[BrokerLifecycle]:
    """A RabbitMQ of this test's own, opened: for adapters without a hub around them."""
    made = RabbitBroker(amqp_vhost, SystemClock(), name="test")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def context(broker: BrokerLifecycle, journal: Journal, tmp_path: Path) -> Context:
    """What an adapter on it is built with."""
    return context_on(broker, journal, tmp_path)


@pytest.fixture
async def lists() -> AsyncIterator[Lists]:
    async with Lists(since(5)).serving() as serving:
        yield serving


@pytest.fixture
def polls(lists: Lists, journal: Journal) -> Polls:
    return Polls(lists, journal)
