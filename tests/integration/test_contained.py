"""Readers that spin, allocate, crash or sleep: they end a worker, never the hub, and their arrivals are quarantined."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import urllib.request
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.console.server import serving
from hub.core.plugins import Plugins, declared
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from tests.support import hostile_plugin
from tests.support.brokers import eventually
from tests.support.hostile_plugin import install
from tests.support.site import INBOX, HubProcess, SiteOnDisk, order
from tests.support.waiting import wait_for

HUB = """\
broker: embedded
console: {listen: "127.0.0.1:0"}
containment: {workers: 4, per_source: 1, processor_time: 100ms, wall_clock: 4s, memory: 200MB}
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
  - {id: orders, when: {document: order, partner: ACME}, to: [out]}
  - {id: written, when: {document: order, partner: BOLT}, to: [written]}
"""
)
WRITTEN = """\
written:
  file: {folder: var/written, name: "{number}.txt"}
  steps: [{name: obeys, hostile: {bounded: true}}]
  write: hostile
"""
CAUSES = {
    "spin": "used more than 0.1 seconds of processor time",
    "exit": "ended its worker with status 3",
    "crash": "was ended by SIGSEGV",
    "sleep": "took more than 4",
}


def hostile_site(folder: Path) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (folder / name).unlink()
    site.write("config/partners/bolt.yaml", "partner: BOLT\nids: [{qualifier: ZZ, id: BOLT}]\n")
    site.write("config/hub.yaml", HUB)
    site.write("config/destinations.yaml", 'out: {file: {folder: var/out, name: "{number}.json"}}\n' + WRITTEN)
    site.write("routes/acme.yaml", ROUTES)
    return site


def running(site: SiteOnDisk) -> AbstractAsyncContextManager[RunningHub]:
    """A hub that has the hostile plug-in beside those that are installed."""
    found = [plugin for kind in discover().by_kind.values() for plugin in kind.values()]
    return site.running(Plugins.of([*found, *declared(hostile_plugin, hostile_plugin.__name__)]))


def workers_of(parent: int) -> list[int]:
    """The worker processes that a process has."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "hub.runtime.contained" in line]


async def dead(hub: RunningHub) -> list[Any]:
    return list(await Decisions(hub.journal).dead_letters(DeadFilter(), hub.runtime.clock()))


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

        await eventually(lambda: is_sent(site, "last-1"))
        assert len(await dead(hub)) == len(CAUSES) + 4


async def test_what_ends_the_worker_that_writes_it_is_poison(tmp_path: Path) -> None:
    site = hostile_site(tmp_path)
    async with running(site) as hub:
        for number in ("good-1", "exit-1", "crash-1", "good-2", "allocate-1"):
            site.drop(f"{number}.json", order(number, partner="BOLT"))

        async def three() -> bool:
            return len(await dead(hub)) == 3

        await eventually(three)
        found = {row.number: row for row in await dead(hub)}
        assert {number: row.error for number, row in found.items()} == {
            "exit-1": "poison",
            "crash-1": "poison",
            "allocate-1": "DecodeError",
        }
        assert "ended its worker with status 3, 2 times" in found["exit-1"].cause
        assert "more memory" in found["allocate-1"].cause

        async def both() -> bool:
            return {path.stem for path in (tmp_path / "var/written").glob("*.txt")} == {"good-1", "good-2"}

        await eventually(both)


async def test_a_reload_changes_what_workers_use(tmp_path: Path) -> None:
    site = hostile_site(tmp_path)
    async with running(site) as hub:
        site.drop("1.txt", b"first", "var/strange")

        await eventually(lambda: is_sent(site, "first"))
        workers = hub.pool.process_ids
        site.write("routes/acme.yaml", ROUTES.replace("read: hostile", "read: {hostile: {partner: BOLT}}"))
        await hub.reload()
        site.drop("2.txt", b"second", "var/strange")

        async def second() -> bool:
            return (tmp_path / "var/written/second.txt").exists()

        await eventually(second)
        assert (tmp_path / "var/written/second.txt").read_bytes() == b"second"
        assert set(workers) <= set(hub.pool.process_ids)


async def is_sent(site: SiteOnDisk, number: str) -> bool:
    return number in sent(site)


def test_no_worker_outlives_a_hub_that_is_killed(tmp_path: Path) -> None:
    site = hostile_site(tmp_path / "site")
    site.environ.update(install(tmp_path / "lib"))
    hub = HubProcess(site)
    site.drop("spin.txt", b"spin 1", "var/strange")
    site.drop("sleep.txt", b"sleep 1", "var/slow")
    hub.start()
    workers = wait_for(lambda: len(found := workers_of(hub.process_id)) == 2 and found, "there are no two workers")
    hub.kill()
    wait_for(lambda: not any(Path(f"/proc/{worker}/fd").exists() for worker in workers), "a worker goes on")


def test_a_small_arrival_that_ended_the_hub_is_read_by_a_worker_then(tmp_path: Path) -> None:
    """Its plug-in says that its work is small, and is wrong."""
    site = hostile_site(tmp_path / "site")
    site.write("routes/acme.yaml", ROUTES.replace("read: hostile", "read: {hostile: {bounded: true}}"))
    site.environ.update(install(tmp_path / "lib"))
    hub = HubProcess(site)
    site.drop("exit.txt", b"exit 1", "var/strange")
    hub.start()
    assert hub.wait_end() == 3
    hub.start()
    site.drop("good.txt", b"good-1", "var/strange")
    wait_for(lambda: "good-1" in sent(site), "the other one was not sent")
    (letter,) = wait_for(lambda: letters(site), "there is no dead letter")
    assert "quarantined after 2 tries" in letter["cause"]
    assert hub.stop() == 0


def letters(site: SiteOnDisk) -> list[dict[str, str]]:
    return list(json.loads(site.cli("dead", "list", "--json").stdout)["dead_letters"])
