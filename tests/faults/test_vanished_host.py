"""A host that vanishes with a transaction open: the link of its network namespace goes down, and nobody hears of it
again."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.clock.system_clock import SystemClock
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.journal import Journal
from tests.support.proxy import TcpProxy

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.laboratory,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None, reason="only root makes network namespaces, by iproute2"
    ),
]

HOLDS_A_LOCK = """
import asyncio, sys
import sqlalchemy as sa
from hub.journal import schema
from hub.journal.database.engines import make_engine

async def main():
    async with make_engine(sys.argv[1]).connect() as connection:
        await connection.begin()
        await connection.execute(sa.update(schema.effect).values(text="locked"))
        print("locked", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def namespace() -> Iterator[str]:
    """A host of its own at 10.231.77.2; this one is 10.231.77.1 to it."""
    name, here, there = f"hub{os.getpid()}", f"vh{os.getpid() % 100000}", f"vt{os.getpid() % 100000}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        run("ip", "addr", "add", "10.231.77.1/30", "dev", here)
        run("ip", "link", "set", here, "up")
        run("ip", "-n", name, "addr", "add", "10.231.77.2/30", "dev", there)
        run("ip", "-n", name, "link", "set", there, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        run("ip", "netns", "del", name)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


async def test_the_row_locks_of_a_host_that_vanished_stop_nobody(
    namespace: str, database_url: str, tmp_path: Path
) -> None:
    parts = urlsplit(database_url)
    proxy = TcpProxy(parts.hostname or "", parts.port or 0)
    await proxy.start("10.231.77.1")
    journal = Journal(database_url, tmp_path / "claims", SystemClock())
    await journal.open()
    entry = Entry()
    entry.prepare(effect_prepared("m", "d", "r", "k", 1.0, journal.process))
    await journal.commit(entry)
    there = (
        proxy.through(database_url)
        .replace("127.0.0.1", "10.231.77.1")
        .replace("postgresql://", "postgresql+asyncpg://")
    )
    vanishing = await asyncio.create_subprocess_exec(
        *("ip", "netns", "exec", namespace, sys.executable, "-c", HOLDS_A_LOCK, there), stdout=subprocess.PIPE
    )
    try:
        assert vanishing.stdout is not None
        assert await asyncio.wait_for(vanishing.stdout.readline(), 60) == b"locked\n"
        run("ip", "-n", namespace, "link", "set", "lo", "down")
        run("ip", "link", "set", f"vh{os.getpid() % 100000}", "down")
        entry = Entry()
        entry.prepare(effect_prepared("m", "d", "r", "k", 2.0, journal.process))
        async with asyncio.timeout(90):
            await journal.commit(entry)
    finally:
        vanishing.kill()
        await vanishing.wait()
        await journal.close()
        await proxy.close()
