"""`hub backup` under load, `hub restore` elsewhere: whatever the backup knows of ends, and ends once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.app.keeping.backup import Backup
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.cli.shell.output import FOUND
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.ports import free_ports
from tests.support.site import ROUTES, SiteOnDisk, order

PATIENT = "retry:\n  fast: {delays: [" + ", ".join(["1s"] * 20) + "], on: [unreachable, timeout, busy, failed]}\n"
HOLDS = "holds:\n  credit_hold: {owner: finance-ops, sla: 4h}\n"
MANY = 60


async def effects_are(hub: RunningHub, status: str, count: int) -> None:
    async def query(connection: Any) -> int:
        found = await connection.exec_driver_sql(f"SELECT COUNT(*) FROM effect WHERE status='{status}'")
        return int(found.scalar_one())

    async def reached() -> bool:
        return bool(await hub.journal.read(query) == count)

    await eventually(reached)


def rows(path: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(question).fetchall()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


async def test_what_is_restored_is_finished(site: SiteOnDisk, erp: Erp, tmp_path: Path) -> None:
    site.write("config/policies.yaml", PATIENT + HOLDS)
    erp.script = lambda request: Answer(503) if int(request.number) % 3 == 0 else Answer(201)
    taken = tmp_path / "backup"
    backup = Backup(SiteFolder(site.folder), SiteFolder(site.folder).settings(site.environ))
    async with site.running():

        async def drop() -> None:
            for number in range(MANY):
                site.drop(f"{number}.json", order(str(number), price="9.50" if number % 7 else "1" * 8))
                await asyncio.sleep(0)

        async def reached() -> bool:
            return len(erp.requests) > MANY // 4

        dropping = asyncio.create_task(drop())
        await eventually(reached)
        manifest = await backup.make(taken)
        await dropping
    known = {number for (number,) in rows(taken / "hub.db", "SELECT number FROM message")}
    done = {id for (id,) in rows(taken / "hub.db", "SELECT document_id FROM effect WHERE status='delivered'")}
    assert len(known) == manifest.messages > len(done), "nothing was under way: the test proves nothing"
    keys = {request.number: request.key for request in erp.requests}

    with Erp().serving() as other:
        elsewhere = SiteOnDisk(tmp_path / "elsewhere", other.url)
        told = await asyncio.to_thread(elsewhere.cli, "restore", str(taken), "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["messages"] == len(known)
        async with elsewhere.running() as hub:
            await effects_are(hub, "delivered", len(known))
        repeated = {request.number: request.key for request in other.requests}
        assert len(known) - len(done) <= len(repeated)
        assert all(keys.get(number, key) == key for number, key in repeated.items()), (
            "another key for the same document"
        )
        assert len(other.requests) == len(repeated), "sent twice"
        again = await asyncio.to_thread(elsewhere.cli, "restore", str(taken))
        assert again.returncode == FOUND
        assert "is there already" in again.stderr


async def test_a_folder_that_is_no_whole_backup_is_refused(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path / "site", erp.url)
    (tmp_path / "half").mkdir()
    (tmp_path / "half/hub.db").write_bytes(b"")
    told = await asyncio.to_thread(site.cli, "restore", str(tmp_path / "half"))
    assert (told.returncode, "is no backup, or one that was interrupted" in told.stderr) == (FOUND, True)
    told = await asyncio.to_thread(site.cli, "backup", str(tmp_path / "half"))
    assert (told.returncode, "is there already" in told.stderr) == (FOUND, True)


async def test_what_no_queue_holds_is_made_again_from_the_journal(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write(
        "config/policies.yaml", "retry:\n  fast: {delays: [1h], on: [unreachable, timeout, busy, failed]}\n" + HOLDS
    )
    erp.script = lambda request: Answer(503)
    async with site.running() as hub:
        for number in ("1", "2"):
            site.drop(f"{number}.json", order(number))
        await effects_are(hub, "retrying", 2)
    keys = {request.number: request.key for request in erp.requests}
    erp.script = lambda request: Answer(201)
    change(site.folder / "var/broker.db", "DELETE FROM message")
    change(
        site.folder / "var/hub.db",
        "UPDATE effect SET updated_at = updated_at - 3600",
        "UPDATE effect SET status = 'prepared', claimed_by = 'gone' WHERE document_id ="
        " (SELECT id FROM message WHERE number = '1')",
    )
    told = await asyncio.to_thread(site.cli, "doctor", "--json")
    lost = next(one for one in json.loads(told.stdout)["findings"] if one["what"] == "open copies")
    assert (lost["state"], lost["text"][:20]) == ("error", "2 of route orders ha")

    async with site.running() as hub:
        await effects_are(hub, "delivered", 1)
        assert erp.numbers()[2:] == ["1"], "what a dead process left prepared is taken up by itself"
        rebuilt = await asyncio.to_thread(site.cli, "broker", "rebuild", "--json")
        assert json.loads(rebuilt.stdout) == {"published": 1, "batches": 0, "without_route": 0, "left": 0}
        await effects_are(hub, "delivered", 2)
    assert [request.key for request in erp.requests[2:]] == [keys["1"], keys["2"]]


async def test_what_a_drop_box_has_confirmed_and_its_key_are_in_the_backup(tmp_path: Path, erp: Erp) -> None:
    """The intake has not taken the file: it is in no journal, and its partner has forgotten it."""
    (port,) = free_ports(1)
    box = (
        f"  box:\n    sftp_server: {{listen: '127.0.0.1:{port}', accounts: {{ACME: {{password:"
        " '${BOX_PASSWORD}'}}}\n    read: {json: order@1}\n"
    )
    site, other = (SiteOnDisk(tmp_path / name, erp.url) for name in ("site", "other"))
    for each in (site, other):
        each.write("routes/acme.yaml", ROUTES.replace("routes:\n", f"{box}routes:\n", 1))
        each.environ["BOX_PASSWORD"] = "correct horse battery"
    made = site.folder / "var/sftp_server_key"
    async with site.running():

        async def listens() -> bool:
            return made.exists() and made.stat().st_size > 0

        await eventually(listens)
    key = made.read_bytes()
    left = site.folder / "var/dropbox/.taken/ACME"
    (left / f"1.json~{'0' * 32}").write_bytes(order("1"))
    told = await asyncio.to_thread(site.cli, "backup", str(tmp_path / "backup"))
    assert "2 files of sources" in told.stdout, told.stderr
    told = await asyncio.to_thread(other.cli, "restore", str(tmp_path / "backup"))
    assert told.returncode == 0, told.stderr
    assert (other.folder / "var/sftp_server_key").read_bytes() == key
    assert (other.folder / "var/sftp_server_key").stat().st_mode & 0o077 == 0
    async with other.running() as hub:
        await effects_are(hub, "delivered", 1)
    assert erp.numbers() == ["1"]
