"""The hosted drop box: what is taken of what real clients upload, OpenSSH's sftp and paramiko."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from structlog.testing import capture_logs

from adapters.sftp_server.upload import Upload
from hub.core.errors import TransientError
from hub.core.ports import Arrival, Taken
from tests.support.brokers import eventually
from tests.support.drop_box import PASSWORD, Client, Takes, client_keys, serving
from tests.support.site import SiteOnDisk, order


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return client_keys(tmp_path / "keys")


async def test_a_file_is_taken_when_its_handle_closes(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys) as port, Client(port, key=keys / "right") as client:
        assert sorted(await client.do("listdir", "/")) == ["in", "out"]
        await client.put("/in/orders.edi", b"ISA*00~")
        assert await client.do("listdir", "/in") == []
        await take.count(1)
    assert (take.names, take.bodies, take.partners) == (["orders.edi"], [b"ISA*00~"], ["ACME"])
    assert not list((tmp_path / "var/dropbox/.taken/acme").iterdir())


async def test_openssh_as_the_client(tmp_path: Path, keys: Path) -> None:
    """`put` as partners do it: with an upload of several megabytes, times kept, and a rename."""
    take, body = Takes(), os.urandom(5_000_000)
    (tmp_path / "big.edi").write_bytes(body)
    async with serving(tmp_path, take, keys) as port:
        script = f"cd in\nput -p {tmp_path}/big.edi\nput {tmp_path}/big.edi x.tmp\nrename x.tmp renamed.edi\nls -l\n"
        command = [
            shutil.which("sftp") or "sftp", "-q", "-b", "-", "-P", str(port), "-i", str(keys / "right"),
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "acme@127.0.0.1",
        ]  # fmt: skip
        done = await asyncio.to_thread(
            subprocess.run, command, input=script, text=True, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        await take.count(2)
    assert sorted(take.names) == ["big.edi", "renamed.edi"]
    assert take.bodies == [body, body]


@pytest.mark.parametrize("temporary", ["x.edi.tmp", "x.edi.part", ".x.edi", "x.edi.filepart"])
async def test_a_temporary_name_waits_for_its_rename(tmp_path: Path, keys: Path, temporary: str) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys) as port, Client(port, key=keys / "right") as client:
        await client.put(f"/in/{temporary}", b"whole")
        await asyncio.sleep(0.2)
        assert not take.names
        await client.do("rename", f"/in/{temporary}", "/in/x.edi")
        await take.count(1)
    assert take.names == ["x.edi"]


async def test_an_upload_that_breaks_off_is_not_taken(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys) as port:
        async with Client(port, key=keys / "right") as client:
            file = await client.do("open", "/in/half.edi", "wb")
            await asyncio.to_thread(file.write, b"x" * 100_000)
            await asyncio.to_thread(file.flush)
            client.transport.sock.shutdown(socket.SHUT_RDWR)
            await asyncio.sleep(0.5)
        assert not take.names
        async with Client(port, key=keys / "right") as client:
            await client.put("/in/half.edi", b"whole")
            await take.count(1)
    assert take.bodies == [b"whole"]


async def test_an_upload_whose_channel_ends_is_not_taken(tmp_path: Path, keys: Path) -> None:
    """So does a client that is killed: its ssh still says good-bye, and the file was never closed."""
    take = Takes()
    async with serving(tmp_path, take, keys) as port, Client(port, key=keys / "right") as client:
        file = await client.do("open", "/in/half.edi", "wb")
        await asyncio.to_thread(file.write, b"x" * 100_000)
        await asyncio.to_thread(file.flush)
        await asyncio.to_thread(client.sftp.get_channel().shutdown_write)
        await asyncio.sleep(0.5)
        async with Client(port, key=keys / "right") as again:
            await again.put("/in/half.edi", b"whole")
            await take.count(1)
    assert take.bodies == [b"whole"]


async def test_two_that_write_one_name_are_never_mixed(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys) as port, Client(port, key=keys / "right") as client:
        first = await client.do("open", "/in/a.edi", "wb")
        await asyncio.to_thread(first.write, b"first, " * 10)
        await asyncio.to_thread(first.flush)
        with pytest.raises(OSError, match="still being written"):
            await client.do("rename", "/in/a.edi", "/in/b.edi")
        await client.put("/in/a.edi", b"second")
        await take.count(1)
        await asyncio.to_thread(first.write, b"and more")
        await asyncio.to_thread(first.close)  # paramiko says nothing of a refusal here
        await asyncio.sleep(0.2)
    assert take.bodies == [b"second"]


async def test_what_a_crash_left_claimed_is_offered_again(tmp_path: Path, keys: Path) -> None:
    reached = asyncio.Event()

    async def never_ends(arrival: Arrival) -> Taken:
        reached.set()
        await asyncio.Event().wait()
        return Taken(1)

    async with serving(tmp_path, never_ends, keys) as port, Client(port, key=keys / "right") as client:
        await client.put("/in/a~b.edi", b"kept")
        await asyncio.wait_for(reached.wait(), 20)
    take = Takes()
    async with serving(tmp_path, take, keys):
        await take.count(1)
    assert (take.names, take.bodies) == (["a~b.edi"], [b"kept"])


async def test_a_file_that_was_not_taken_comes_again_and_an_unreadable_one_is_kept(tmp_path: Path, keys: Path) -> None:
    tries = 0
    take = Takes()

    async def moody(arrival: Arrival) -> Taken:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise TransientError("the journal is away", "unreachable")
        return await take(arrival)

    async with serving(tmp_path, moody, keys, keep=True) as port, Client(port, key=keys / "right") as client:
        await client.put("/in/a.edi", b"bad")
        await take.count(1)
        await client.put("/in/b.edi", b"good")
        await take.count(2)

        async def both_put_away() -> bool:
            return len(list((tmp_path / "var/dropbox").glob("[df]*/acme/*"))) == 2

        async def both_settled() -> bool:
            return sorted(take.settled) == ["a.edi", "b.edi"]

        await eventually(both_put_away)
        await eventually(both_settled)
    assert len(list((tmp_path / "var/dropbox/failed/acme").iterdir())) == 1


async def test_from_the_drop_box_through_a_whole_hub(tmp_path: Path, keys: Path) -> None:
    public = (keys / "right.pub").read_text().strip()
    site = SiteOnDisk(tmp_path / "site")
    site.write(
        "routes/acme.yaml",
        "format: 1\nowner: order-desk\nsources:\n  dropbox:\n    sftp_server:\n      listen: 127.0.0.1:0\n"
        f"      accounts: {{acme: {{partner: ACME, keys: ['{public}']}}}}\n    read: {{json: order@1}}\n"
        "destinations:\n  out:\n    file: {folder: var/out, name: '{partner}_{number}.json'}\n"
        "routes:\n  - {id: orders, when: {document: order, partner: ACME}, to: [out]}\n",
    )
    async with site.running() as hub:
        source: Any = hub.opened.sources["dropbox"]

        async def listens() -> bool:
            return bool(source.port)

        await eventually(listens)
        async with Client(source.port, key=keys / "right") as client:
            await client.put("/in/one.json", order("1", partner=""))
            await client.put("/in/two.json", order("2"))
            await client.put("/in/of-another.json", order("3", partner="BETA"))

            async def all_three() -> bool:
                refused = list((site.folder / "var/dropbox/failed/acme").glob("of-another.json*"))
                return len(list((site.folder / "var/out").glob("*.json"))) == 2 and len(refused) == 1

            await eventually(all_three)
    assert sorted(path.name for path in (site.folder / "var/out").iterdir()) == ["ACME_1.json", "ACME_2.json"]


async def test_what_is_confirmed_is_what_is_taken_when_two_sessions_write_one_name(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk takes its time to sync the first file; the second session begins to write meanwhile."""
    sync = os.fsync

    def slow(handle: int) -> None:
        time.sleep(0.15)
        sync(handle)

    take, confirmed = Takes(), list[bytes]()

    async def put(body: bytes, port: int, after: float) -> None:
        login = {"username": "acme", "password": PASSWORD, "known_hosts": None}
        async with asyncssh.connect("127.0.0.1", port, **login) as session, session.start_sftp_client() as client:
            file = await client.open("/in/same.edi", "wb")
            await file.write(body)
            await asyncio.sleep(after)
            with suppress(asyncssh.SFTPError):
                await file.close()
                confirmed.append(body)

    monkeypatch.setattr(os, "fsync", slow)
    async with serving(tmp_path, take, keys) as port:
        for pause in (0.1, 0.25, 0.4):
            begun = asyncio.create_task(put(f"first {pause}".encode(), port, 0.1))
            await asyncio.sleep(pause)
            await put(f"second {pause}".encode(), port, 0.3)
            await begun
        assert len(confirmed) >= 3
        await take.count(len(confirmed))
    assert sorted(take.bodies) == sorted(confirmed)


async def test_a_file_that_another_session_writes_is_not_renamed(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys) as port:
        async with Client(port, key=keys / "right") as first, Client(port, key=keys / "right") as second:
            file = await first.do("open", "/in/x.tmp", "wb")
            await asyncio.to_thread(file.write, b"half")
            with pytest.raises(OSError, match="still being written"):
                await second.do("rename", "/in/x.tmp", "/in/x.edi")
            await asyncio.to_thread(file.close)
            await second.do("rename", "/in/x.tmp", "/in/x.edi")
        await take.count(1)
    assert take.bodies == [b"half"]


async def test_confirmed_files_of_an_account_that_is_gone_are_told(tmp_path: Path, keys: Path) -> None:
    left = tmp_path / "var/dropbox/.taken/before"
    left.mkdir(parents=True)
    (left / "x.edi~0123").write_bytes(b"ISA*00~")
    with capture_logs() as logs:
        async with serving(tmp_path, Takes(), keys):
            pass
    (told,) = (each for each in logs if each["event"] == "files_of_no_account")
    assert (told["log_level"], told["files"], Path(told["folder"]).name) == ("error", 1, "before")


def test_a_disk_that_takes_a_part_of_a_piece_is_full(tmp_path: Path) -> None:
    """The kernel reports how much it has taken, and an error only where it has taken nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path, largest = tmp_path / "x.edi", 50_000_000
    with path.open("wb") as file:
        upload = Upload(path, file.fileno())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
        try:
            assert upload.write(b"x" * 1000, largest - 1000) == 1000
            with pytest.raises(OSError, match="large"):
                upload.write(b"x" * 1500, largest - 1000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
