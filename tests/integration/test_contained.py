"""Readers that spin, allocate, crash or sleep: they end a worker, never the hub, and their arrivals are quarantined."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.app.logs import make_logger
from hub.app.plugin_discovery import declared_at, discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.console.server import serving
from hub.core.plugin import Plugins
from hub.journal.decisions import DeadFilter, Decisions
from tests.support import hostile_plugin
from tests.support.brokers import LIMIT, eventually
from tests.support.site import INBOX, SiteOnDisk, order

HUB = """\
broker: embedded
console: {listen: "127.0.0.1:0"}
containment: {workers: 4, per_source: 1, processor_time: 1s, wall_clock: 5s, memory: 200MB}
"""
ROUTES = (
    INBOX
    + """\
  strange:
    file: {folder: var/strange, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: hostile
  slow:
    file: {folder: var/slow, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: hostile
  stranger:
    file: {folder: var/stranger, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: {json: order@1}
    steps: [{name: obeys, hostile: }]
routes:
  - {id: orders, when: {document: order}, to: [out]}
"""
)
CAUSES = {
    "spin": "used more than 1 seconds of processor time",
    "exit": "ended its worker with status 3",
    "crash": "was ended by SIGSEGV",
    "sleep": "took more than 5",
}


def hostile_site(folder: Path) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (folder / name).unlink()
    site.write("config/hub.yaml", HUB)
    site.write("config/destinations.yaml", 'out: {file: {folder: var/out, name: "{number}.json"}}\n')
    site.write("routes/acme.yaml", ROUTES)
    return site


@asynccontextmanager
async def running(site: SiteOnDisk) -> AsyncIterator[RunningHub]:
    found = [plugin for kind in discover().by_kind.values() for plugin in kind.values()]
    plugins = Plugins.of([*found, *declared_at(hostile_plugin, hostile_plugin.__name__)])
    folder = SiteFolder(site.folder)
    checked = folder.check(plugins, site.environ)
    assert checked.site is not None, [str(finding) for finding in checked.findings]
    with (site.folder / "hub.log").open("a", buffering=1) as stream:
        hub = RunningHub(folder, checked.site, plugins, make_logger("info", json=True, stream=stream), site.environ)
        try:
            await asyncio.wait_for(hub.start(), LIMIT)
            yield hub
        finally:
            await hub.stop(5.0)


def workers_of(parent: int) -> list[int]:
    """The worker processes that a process has."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "hub.runtime.contained" in line]


async def dead(hub: RunningHub) -> list[Any]:
    return list(await Decisions(hub.journal).dead_letters(DeadFilter(), hub.live.clock()))


def sent(site: SiteOnDisk) -> set[str]:
    return {path.stem for path in (site.folder / "var/out").glob("*.json")}


async def test_what_ends_its_worker_is_quarantined_while_everybody_else_goes_on(tmp_path: Path) -> None:
    site = hostile_site(tmp_path)
    for word in CAUSES:
        site.drop(
            f"{word}.txt", f"before-{word}\n{word} after".encode(), "var/slow" if word == "sleep" else "var/strange"
        )
    site.drop("allocate.txt", b"allocate 1", "var/strange")
    site.drop("grow.txt", b"grow 1", "var/strange")
    site.drop("leave.txt", b"leave 1", "var/strange")
    site.drop("good.txt", b"good-1\ngood-2", "var/strange")
    site.drop("spin.json", order("spin-1"), "var/stranger")
    async with running(site) as hub, serving(hub, "127.0.0.1:0") as url:
        slowest, taken = 0.0, 0

        def ask() -> None:
            with urllib.request.urlopen(f"{url}/health/live", timeout=5) as reply:
                assert reply.status == 200

        while len(await dead(hub)) < len(CAUSES) + 4:
            begun = time.monotonic()
            await asyncio.to_thread(ask)
            slowest = max(slowest, time.monotonic() - begun)
            site.drop(f"{taken}.json", order(f"innocent-{taken}"))
            taken += 1
            await asyncio.sleep(0.1)
        assert slowest < 1.0
        causes = [row.cause for row in await dead(hub)]
        for word, cause in CAUSES.items():
            assert any("quarantined after 2 tries" in one and cause in one for one in causes), (
                f"{word}: {sorted(causes)}"
            )
        assert sum("more memory than it may have" in one for one in causes) == 2
        assert any("SystemExit: 7" in one for one in causes)
        wanted = {f"innocent-{number}" for number in range(taken)} | {"good-1", "good-2"}
        wanted |= {f"before-{word}" for word in CAUSES}

        async def all_sent() -> bool:
            return sent(site) == wanted

        await eventually(all_sent)
    assert not workers_of(os.getpid())
    assert not list((tmp_path / "var").glob("s*/*.txt"))
    async with running(site) as hub:
        site.drop("last.txt", b"last-1", "var/strange")

        async def last() -> bool:
            return "last-1" in sent(site)

        await eventually(last)
        assert len(await dead(hub)) == len(CAUSES) + 4


@pytest.mark.parametrize("word", ["exit"])
async def test_a_reload_changes_what_workers_use(tmp_path: Path, word: str) -> None:
    site = hostile_site(tmp_path)
    async with running(site) as hub:
        site.drop("1.txt", b"first", "var/strange")

        async def first() -> bool:
            return "first" in sent(site)

        await eventually(first)
        workers = hub.pool.process_ids
        site.write("routes/acme.yaml", ROUTES.replace("read: hostile", "read: {hostile: {partner: BOLT}}"))
        await hub.reload()
        site.drop("2.txt", b"second", "var/strange")

        async def second() -> bool:
            return "second" in sent(site)

        await eventually(second)
        assert b'"partner":"BOLT"' in (tmp_path / "var/out/second.json").read_bytes()
        assert hub.pool.process_ids == workers
