"""docs/guides/growing.md word for word: from the embedded hub to RabbitMQ and PostgreSQL, with everything that was
known and that waited."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.app.keeping.private_files import UMASK
from hub.core.errors import ConfigError
from hub.journal.database.transfer import JournalTransfer
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import ROUTES, SiteOnDisk, order

GUIDE = (Path(__file__).parents[2] / "docs/guides/growing.md").read_text()

ONCE = ROUTES.replace("    to: [erp]", "    once: [partner, number]\n    to: [erp]")

LATER = (
    "retry:\n  fast: {delays: [30s], on: [unreachable, timeout, busy, failed]}\nholds:\n  credit_hold: {owner:"
    " finance-ops, sla: 4h}\n"
)


def commands_of_the_guide() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line.split()[1:] for line in lines if line.startswith("hub ")]


@pytest.fixture
def private() -> Iterator[None]:
    """Files are made as `hub run` makes them."""
    before = os.umask(UMASK)
    yield
    os.umask(before)


@pytest.mark.rabbitmq
@pytest.mark.postgres
@pytest.mark.usefixtures("private")
async def test_the_guide_takes_everything_along(
    tmp_path: Path, erp: Erp, amqp_vhost: str, empty_database_url: str
) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write("routes/acme.yaml", ONCE)
    site.write("config/policies.yaml", LATER)
    away: set[str] = {"3"}
    erp.script = lambda request: Answer(503) if request.number in away else Answer(201)
    async with site.running() as hub:
        for number in ("1", "2", "3"):
            site.drop(f"{number}.json", order(number))
        await until(lambda: len(erp.requests) == 3 and hub.runtime.declared)
        await until_retrying(hub.journal)
    asked = len(erp.requests)

    grown = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=empty_database_url)
    grown.write("routes/acme.yaml", ONCE)
    grown.write("config/policies.yaml", LATER)
    with pytest.raises(ConfigError, match=r"broker\.db still holds 1 messages .*hub\.route\.orders\.retry\.30s 1"):
        async with grown.running():
            pass
    for arguments in commands_of_the_guide():
        done = await asyncio.to_thread(grown.cli, *arguments)
        wrong = [line for line in done.stdout.splitlines() if line.startswith("error")]
        assert done.returncode == 0, (arguments, wrong, done.stderr)
    assert {"journal", "broker"} <= {arguments[0] for arguments in commands_of_the_guide()}

    away.clear()
    async with grown.running() as hub:
        moved = (await hub.broker.depths(["hub.route.orders.retry.30s"]))["hub.route.orders.retry.30s"]
        assert moved == 1, "the copy that waited for its retry is not in the new broker"
        site.drop("1-again.json", order("1"))
        site.drop("other-1.json", order("1", price="9.75"))
        site.drop("4.json", order("4"))
        await until(lambda: len(erp.requests) > asked)
        await until(lambda: not list((tmp_path / "var/drop").glob("*.json")))
        sent = set(erp.numbers()[asked:])
        assert sent == {"4"}, "what had been done was done again"
    told = await asyncio.to_thread(grown.cli, "trace", "1")
    assert "sent" in told.stdout
    refused = await asyncio.to_thread(grown.cli, "journal", "copy")
    assert refused.returncode == 1
    assert "is not empty: its table" in refused.stderr


async def until(check: Callable[[], bool]) -> None:
    async def reached() -> bool:
        return check()

    await eventually(reached)


async def until_retrying(journal: Journal) -> None:
    async def query(connection: AsyncConnection) -> int:
        found = await connection.exec_driver_sql("SELECT COUNT(*) FROM effect WHERE status='retrying'")
        return int(found.scalar_one())

    async def retrying() -> bool:
        return bool(await journal.read(query) == 1)

    await eventually(retrying)


async def test_a_copy_is_whole_or_not_at_all(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    async with site.running():
        site.drop("1.json", order("1"))
        await until(lambda: bool(erp.requests))
        refused = await asyncio.to_thread(site.cli, "journal", "copy", "--to", "var/new.db")
        assert refused.returncode == 1
        assert "belongs to the running process" in refused.stderr
    made = await asyncio.to_thread(site.cli, "journal", "copy", "--to", "var/new.db", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["tables"]["message"] == told["tables"]["effect"] == 1
    assert len(told["checksum"]) == 64
    again = await JournalTransfer(str(tmp_path / "var/new.db"), str(tmp_path / "var/third.db")).run()
    assert again.checksum == told["checksum"]
