"""The hosted drop box: clients that sit there, come in crowds, or offer every key they have."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest
from structlog.testing import capture_logs

from adapters.sftp_server.door import MOST_CHANNELS
from adapters.sftp_server.jail import MOST_OPEN
from tests.support.brokers import eventually
from tests.support.drop_box import PASSWORD, Client, Takes, client_keys, serving


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = client_keys(tmp_path / "keys")
    for number in range(5):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / f"other-{number}")]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder


async def ended(transport: paramiko.Transport) -> None:
    async def now() -> bool:
        return not transport.is_active()

    await eventually(now)


async def test_a_session_that_does_nothing_is_ended_whatever_it_sends_to_stay_alive(tmp_path: Path, keys: Path) -> None:
    async with (
        serving(tmp_path, Takes(), keys, idle="1s") as port,
        Client(port, key=keys / "right") as idle,
        Client(port, key=keys / "right") as busy,
    ):
        idle.transport.set_keepalive(1)
        working = asyncio.create_task(work(busy))
        await ended(idle.transport)
        assert busy.transport.is_active()
        working.cancel()
        await asyncio.wait({working})
        await ended(busy.transport)


async def work(client: Client) -> None:
    while True:
        await client.do("listdir", "/in")
        await asyncio.sleep(0.1)


async def test_a_session_that_never_opens_sftp_is_ended(tmp_path: Path, keys: Path) -> None:
    async with serving(tmp_path, Takes(), keys, idle="500ms") as port:
        transport = paramiko.Transport(("127.0.0.1", port))
        await asyncio.to_thread(transport.connect, username="acme", password=PASSWORD)
        await ended(transport)
        transport.close()


def sftp(port: int, keys: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """OpenSSH, which offers these keys one after the other."""
    offered = [option for name in names for option in ("-i", str(keys / name))]
    command = [
        shutil.which("sftp") or "sftp",
        "-q",
        "-b",
        "-",
        "-P",
        str(port),
        *offered,
        "-o",
        "IdentitiesOnly=yes",
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "acme@127.0.0.1",
    ]
    return subprocess.run(command, input="ls /in\n", text=True, capture_output=True, timeout=60, check=False)


async def test_keys_that_are_offered_before_the_right_one_count_for_nothing(tmp_path: Path, keys: Path) -> None:
    many = [f"other-{number}" for number in range(5)]
    with capture_logs() as logs:
        async with serving(tmp_path, Takes(), keys) as port:
            for _ in range(4):
                done = await asyncio.to_thread(sftp, port, keys, *many, "right")
                assert done.returncode == 0, done.stderr
            done = await asyncio.to_thread(sftp, port, keys, *many)
            assert done.returncode != 0
            async with Client(port, password=PASSWORD) as client:
                assert await client.do("listdir", "/in") == []
    refused = [line for line in logs if line["event"] == "login_refused"]
    assert [(line["account"], line["how"], line["keys"]) for line in refused] == [("acme", "key", 5)]


async def test_who_comes_again_and_again_with_strange_keys_is_shut_out(tmp_path: Path, keys: Path) -> None:
    async with serving(tmp_path, Takes(), keys) as port:
        for _ in range(10):
            with pytest.raises(paramiko.AuthenticationException):
                async with Client(port, key=keys / "wrong"):
                    pass

        async def shut_out() -> bool:
            """A failure counts once its connection has ended."""
            try:
                async with Client(port, password=PASSWORD):
                    return False
            except (paramiko.SSHException, EOFError, OSError) as error:
                return not isinstance(error, paramiko.AuthenticationException)

        await eventually(shut_out)


async def test_one_address_cannot_fill_the_server_before_it_logs_in(tmp_path: Path, keys: Path) -> None:
    async with (
        serving(tmp_path, Takes(), keys, connections_before_login=2) as port,
        Client(port, key=keys / "right") as inside,
    ):
        crowd = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
        try:
            greetings = [await asyncio.to_thread(one.recv, 100) for one in crowd]
            assert [greeting[:4] for greeting in greetings] == [b"SSH-", b"SSH-", b""]
            assert await inside.do("listdir", "/in") == []
        finally:
            for one in crowd:
                one.close()

        async def again() -> bool:
            try:
                async with Client(port, key=keys / "right") as client:
                    return bool(await client.do("listdir", "/in") == [])
            except (paramiko.SSHException, EOFError, OSError):
                return False

        await eventually(again)


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_session_has_so_much_open_and_no_more(tmp_path: Path, keys: Path) -> None:
    """And another account doesn't notice; what is closed makes room."""
    async with (
        serving(tmp_path, Takes(), keys) as port,
        Client(port, key=keys / "right") as greedy,
        Client(port, user="other", password=PASSWORD + "2") as other,
    ):
        (tmp_path / "var/dropbox/acme/out/x").write_bytes(b"x")
        before = handles()
        files = [await greedy.do("open", "/out/x", "rb") for _ in range(MOST_OPEN)]
        for open_one in (("open", "/out/x", "rb"), ("open", "/in/y", "wb"), ("listdir", "/in")):
            with pytest.raises(OSError, match="too many files"):
                await greedy.do(*open_one)
        assert handles() - before <= MOST_OPEN + 5
        assert await other.do("listdir", "/in") == []
        await asyncio.to_thread(files[0].close)
        assert await greedy.do("listdir", "/out") == ["x"]


async def test_an_account_has_so_much_open_over_all_its_sessions(tmp_path: Path, keys: Path) -> None:
    takes = Takes()
    async with serving(tmp_path, takes, keys) as port, Client(port, key=keys / "right") as last:
        (tmp_path / "var/dropbox/acme/out/x").write_bytes(b"x")
        async with Client(port, key=keys / "right") as one, Client(port, key=keys / "right") as two:
            files = [await client.do("open", "/out/x", "rb") for client in (one, two) for _ in range(MOST_OPEN)]
            assert len(files) == 2 * MOST_OPEN
            with pytest.raises(OSError, match="too many files"):
                await last.put("/in/order.edi", b"ISA")

        async def dropped() -> bool:
            try:
                await last.put("/in/order.edi", b"ISA")
            except OSError:
                return False
            return True

        await eventually(dropped)  # what ended sessions had open is closed
        await takes.count(1)


async def test_a_connection_that_opens_one_channel_after_the_other_is_ended(tmp_path: Path, keys: Path) -> None:
    """Each costs memory, also one that never asks for SFTP."""
    async with serving(tmp_path, Takes(), keys) as port, Client(port, key=keys / "right") as modest:
        transport = paramiko.Transport(("127.0.0.1", port))
        await asyncio.to_thread(transport.connect, username="acme", password=PASSWORD)
        channels = []

        def open_all() -> None:
            for number in range(MOST_CHANNELS + 1):
                channels.append(transport.open_session())
                if number % 2:
                    channels[-1].invoke_subsystem("sftp")

        with suppress(paramiko.SSHException):  # ended meanwhile
            await asyncio.to_thread(open_all)
        await ended(transport)
        assert len(channels) >= MOST_CHANNELS
        assert modest.transport.is_active()
        transport.close()
