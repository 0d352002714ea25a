"""Connections that fall silent under whole hubs: nothing is closed, nothing is answered, until somebody gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import hub_forks
from tests.support.erp import Erp
from tests.support.laboratory import Laboratory, equip, order_of
from tests.support.proxy import TcpProxy
from tests.support.site import SiteOnDisk

pytestmark = [pytest.mark.rabbitmq, pytest.mark.postgres, pytest.mark.laboratory]


@asynccontextmanager
async def behind(url: str) -> AsyncIterator[tuple[TcpProxy, str]]:
    """A proxy in front of a server, and the URL through it."""
    parts = urlsplit(url)
    proxy = TcpProxy(parts.hostname or "", parts.port or 0)
    await proxy.start()
    yield proxy, proxy.through(url)
    await proxy.close()


@pytest.mark.parametrize("what", ["journal", "broker"])
async def test_hubs_outlive_connections_that_fall_silent_and_say_so_meanwhile(
    what: str, tmp_path: Path, erp: Erp, amqp_vhost: str, database_url: str
) -> None:
    async with behind(database_url) as (journal, journal_url), behind(amqp_vhost) as (broker, amqp):
        site = SiteOnDisk(tmp_path, erp.url, amqp=amqp, journal=journal_url)
        equip(site, erp)
        laboratory = Laboratory(site, erp, hub_forks.forks())
        try:
            await asyncio.to_thread(laboratory.start, 2)
            await asyncio.to_thread(laboratory.drop, numbered("before"))
            (journal if what == "journal" else broker).silence()
            await asyncio.to_thread(laboratory.drop, numbered("after"))
            await eventually_within(60, lambda: not laboratory.is_ready(0))
            await eventually_within(60, lambda: laboratory.is_ready(0) and laboratory.is_ready(1))
            site.environ["HUB_JOURNAL"] = database_url
            await asyncio.to_thread(laboratory.check)
        finally:
            await asyncio.to_thread(laboratory.close)


def numbered(prefix: str) -> list[tuple[str, bytes]]:
    return [(f"{prefix}-{n}", order_of(f"{prefix}-{n}", 400)) for n in range(40)]


async def eventually_within(seconds: float, check: Callable[[], bool]) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(check):
            await asyncio.sleep(0.1)
