"""A hub that dies while a file is being closed at an SFTP server: the next one sends nothing a second time that may
have arrived."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.brokers import eventually
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import killed
from tests.support.sftp_habits import PASSWORD, Habits
from tests.support.site import INBOX, SiteOnDisk, order

pytestmark = pytest.mark.crash


def site_of(folder: Path, habits: Habits, account: str) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    site.environ["PARTNER_PASSWORD"] = PASSWORD
    login = f"host: 127.0.0.1, port: {habits.port}, user: {account}, password: '${{PARTNER_PASSWORD}}'"
    site.write("config/endpoints.yaml", f'partner: {{sftp: {{{login}, host_key: "{habits.fingerprint}"}}}}\n')
    site.write(
        "config/destinations.yaml",
        'erp:\n  sftp: {endpoint: partner, folder: in, name: "{number}.json"}\n  retry: fast\n',
    )
    site.write(
        "routes/acme.yaml",
        f"{INBOX}routes:\n  - {{id: orders, when: {{document: order, partner: ACME}}, to: [erp]}}\n",
    )
    return site


def status(site: SiteOnDisk) -> str:
    with closing(sqlite3.connect(site.folder / "var/hub.db")) as connection:
        row = connection.execute("SELECT status FROM effect").fetchone()
    return str(row[0]) if row is not None else ""


@pytest.mark.parametrize(
    ("account", "point", "ends", "writes", "taken"),
    [
        ("aclose", "sftp_closed", "held", 1, 1),  # the partner has it: a person is asked, nothing is sent
        ("aclose", "sftp_marked", "held", 1, 1),
        ("aclose", "sftp_written", "held", 2, 1),  # the last piece was not there yet: it is sent, for the first time
        ("plain", "sftp_closed", "delivered", 1, 0),  # it stands there whole, and is renamed
        ("plain", "sftp_written", "delivered", 2, 0),
        ("plain", "sftp_marked", "delivered", 1, 0),
    ],
)
async def test_a_kill_around_the_close_of_a_file(
    tmp_path: Path, forks: HubForks, account: str, point: str, ends: str, writes: int, taken: int
) -> None:
    async with Habits(tmp_path / "partner").serving() as habits:
        site = site_of(tmp_path / "site", habits, account)
        site.drop("1.json", order("1"))
        await asyncio.to_thread(killed, site, forks, point)
        hub = ForkedHub(site, forks)
        hub.start()
        try:

            async def ended() -> bool:
                return status(site) == ends

            await eventually(ended)
        finally:
            await asyncio.to_thread(hub.kill)
        whole = [body for _, body in habits.taken if body]
        assert (habits.calls.count("write"), len(whole)) == (writes, taken)
        assert account != "plain" or list(habits.stands("plain")) == ["1.json"]
