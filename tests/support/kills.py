"""A hub that is killed again and again on one site, and what may not happen then."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import asyncpg

from tests.support.erp import Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.site import SiteOnDisk

SECONDS = 90.0


def wait_for(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def killed(site: SiteOnDisk, forks: HubForks, hand_over: str) -> None:
    """Runs a hub until it ends itself at this hand-over."""
    hub = ForkedHub(site, forks, crash=hand_over)
    hub.start()
    code = hub.wait_end()
    assert code == -9, f"{hand_over}: {hub.log.read_text()}"


class Kills:
    """What has been recorded as `status` is never sent again; what is sent again has the same bytes; and of deliveries
    nothing is repeated more often than a kill came between."""

    def __init__(self, site: SiteOnDisk, forks: HubForks, erp: Erp, status: str = "delivered") -> None:
        self._site = site
        self._forks = forks
        self._erp = erp
        self._status = status
        self._recorded: list[tuple[str, int, set[str]]] = []
        self._open = 0

    def at(self, hand_over: str) -> None:
        """A hub runs until it is killed there."""
        killed(self._site, self._forks, hand_over)
        self.note(hand_over)

    def note(self, hand_over: str) -> None:
        """What a dead hub leaves."""
        time.sleep(0.2)  # what it had written to its sockets arrives
        keys = self.keys()
        self._recorded.append((hand_over, len(self._erp.requests), keys))
        self._open += len({request.key for request in self._erp.requests} - keys)

    def keys(self) -> set[str]:
        return keys_of(self._site, self._status)

    def finish(self, *checks: tuple[Callable[[], bool], str]) -> None:
        """A last hub, which nobody kills, brings all to its end."""
        hub = ForkedHub(self._site, self._forks)
        hub.name = "last"
        hub.start()
        try:
            wait_for(lambda: hub.log.exists() and b"hub_started" in hub.log.read_bytes(), "the last hub doesn't start")
            for check, what in checks:
                wait_for(check, what)
            assert hub.stop() == 0
        finally:
            hub.kill()
        self._check()

    def _check(self) -> None:
        requests = self._erp.requests
        bodies: dict[str, set[bytes]] = {}
        for request in requests:
            bodies.setdefault(request.key, set()).add(request.body)
        assert all(len(found) == 1 for found in bodies.values())
        for hand_over, before, keys in self._recorded:
            again = keys & {request.key for request in requests[before:]}
            assert not again, f"sent again after {hand_over}: {again}"
        if self._status == "delivered":
            assert len(requests) - len(bodies) <= self._open


def keys_of(site: SiteOnDisk, *statuses: str) -> set[str]:
    """The keys of all effects that are committed with one of these, read from the journal of a hub that is dead."""
    if "://" in site.environ["HUB_JOURNAL"]:
        return {key for key, status in asyncio.run(rows_of_postgres(site.environ["HUB_JOURNAL"])) if status in statuses}
    return {key for key, status in rows_of(site, "SELECT key, status FROM effect") if status in statuses}


def rows_of(site: SiteOnDisk, query: str) -> list[tuple[str, ...]]:
    """From the SQLite journal of a site; nothing while there is none."""
    path = site.folder / "var/hub.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


async def rows_of_postgres(url: str) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(url)
    try:
        return [(row["key"], row["status"]) for row in await connection.fetch("SELECT key, status FROM effect")]
    except asyncpg.UndefinedTableError:
        return []
    finally:
        await connection.close()
