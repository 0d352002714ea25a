"""The hosted drop box: who is let in, and what is denied to those that are."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.sftp_server import SftpServerSourceOptions
from hub.core.errors import TransientError
from tests.support.drop_box import PASSWORD, Client, Takes, client_keys, serving


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return client_keys(tmp_path / "keys")


async def test_who_is_let_in(tmp_path: Path, keys: Path) -> None:
    async with serving(tmp_path, Takes(), keys) as port:
        async with Client(port, password=PASSWORD) as client:
            assert await client.do("listdir", "/in") == []
        for wrong in (
            {"key": keys / "wrong"},
            {"password": PASSWORD + "2"},
            {"user": "nobody", "password": PASSWORD},
            {"user": "other", "key": keys / "right"},
            {"user": "../acme", "password": PASSWORD},
        ):
            with pytest.raises(paramiko.AuthenticationException):
                async with Client(port, **wrong):
                    pass


async def test_an_address_that_guesses_is_shut_out(tmp_path: Path, keys: Path) -> None:
    async with serving(tmp_path, Takes(), keys) as port:
        for _ in range(10):
            with suppress(paramiko.SSHException, EOFError, OSError):
                async with Client(port, password="guess guess"):
                    pass
        with pytest.raises((paramiko.SSHException, EOFError, OSError)) as shut:
            async with Client(port, password=PASSWORD):
                pass
        assert not isinstance(shut.value, paramiko.AuthenticationException)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "/in/../../../etc/passwd",
        "/in/a/b",
        "/x.edi",
        "/in/a\nb",
        "/in/a\\b",
        "/in/" + "x" * 300,
        "/.taken/acme/x",
    ],
)
async def test_nothing_outside_can_be_written_or_read(tmp_path: Path, keys: Path, path: str) -> None:
    before = Path("/etc/passwd").read_bytes()
    async with serving(tmp_path, Takes(), keys) as port, Client(port, key=keys / "right") as client:
        with pytest.raises(OSError):
            await client.put(path, b"evil")
        with pytest.raises(OSError):
            await client.do("open", path, "rb")
    assert Path("/etc/passwd").read_bytes() == before
    left = [found for found in (tmp_path / "var").rglob("*") if found.is_file() and found.name != "sftp_server_key"]
    assert left == []


async def test_what_is_not_for_partners(tmp_path: Path, keys: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    async with serving(tmp_path, Takes(), keys) as port, Client(port, key=keys / "right") as client:
        (tmp_path / "var/dropbox/acme/out/link.edi").symlink_to(secret)
        (tmp_path / "var/dropbox/acme/out/ready.edi").write_bytes(b"for you")
        for operation, arguments in (
            ("symlink", ("/etc/passwd", "/in/link")),
            ("mkdir", ("/in/folder",)),
            ("rmdir", ("/out",)),
            ("readlink", ("/out/link.edi",)),
            ("rename", ("/out/ready.edi", "/in/x.edi")),
            ("rename", ("/in/none.tmp", "/in/none.edi")),
            ("open", ("/out/new.edi", "wb")),
            ("open", ("/out/link.edi", "rb")),
            ("open", ("/in/x.edi", "ab")),
        ):
            with pytest.raises(OSError):
                await client.do(operation, *arguments)
        assert await client.get("/out/ready.edi") == b"for you"
        await client.do("remove", "/out/ready.edi")
        before = (tmp_path / "var/dropbox/acme/in").stat().st_mode
        async with (
            asyncssh.connect(
                "127.0.0.1", port, username="acme", client_keys=[str(keys / "right")], known_hosts=None
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            await sftp.setstat("/in", asyncssh.SFTPAttrs(permissions=0o40000), follow_symlinks=False)
        assert (tmp_path / "var/dropbox/acme/in").stat().st_mode == before
        session = await asyncio.to_thread(client.transport.open_session)
        with pytest.raises(paramiko.SSHException):
            await asyncio.to_thread(session.exec_command, "id")
        with pytest.raises(paramiko.SSHException):
            await asyncio.to_thread(
                client.transport.open_channel, "direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 1)
            )


async def test_quota_size_and_rate(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    limits = {"largest": 1000, "quota": 3000, "per_minute": 8}
    async with serving(tmp_path, take, keys, limits) as port, Client(port, key=keys / "right") as client:
        with pytest.raises(OSError, match="1000 bytes"):
            await client.put("/in/large.edi", b"x" * 1001)
        await client.put("/in/right.edi", b"x" * 1000)
        await take.count(1)
        for n in range(3):
            await client.put(f"/in/{n}.tmp", b"x" * 1000)
        with pytest.raises(OSError, match="quota"):
            await client.put("/in/more.edi", b"x")
        for n in range(3):
            await client.do("remove", f"/in/{n}.tmp")
        with suppress(OSError):
            for n in range(9):
                await client.put(f"/in/{n}.tmp", b"")
        with pytest.raises(OSError, match="within a minute"):
            await client.put("/in/late.edi", b"x")
    assert take.names == ["right.edi"]


async def test_the_quota_holds_wherever_a_file_is_written(tmp_path: Path, keys: Path) -> None:
    """Several files at once, and offsets that no ordinary client uses."""
    take = Takes()
    limits = {"largest": 100_000, "quota": 120_000}
    async with serving(tmp_path, take, keys, limits) as port, Client(port, key=keys / "right") as client:
        files = [await client.do("open", f"/in/{n}.tmp", "wb") for n in range(4)]

        def write() -> None:
            for file in files:
                file.seek(1)
                for _ in range(9):
                    file.write(b"x" * 10_000)
                    file.flush()

        with pytest.raises(OSError, match="quota"):
            await asyncio.to_thread(write)
        used = sum(path.stat().st_size for path in (tmp_path / "var/dropbox/acme/in").iterdir())
        assert used <= 160_000


async def test_the_host_key_is_made_once_and_stays(tmp_path: Path, keys: Path) -> None:
    shown = []
    for _ in range(2):
        async with serving(tmp_path, Takes(), keys) as port, Client(port, key=keys / "right") as client:
            shown.append(client.transport.get_remote_server_key().fingerprint)
    assert shown[0] == shown[1]
    assert (tmp_path / "var/sftp_server_key").stat().st_mode & 0o077 == 0


async def test_a_port_that_is_taken_is_said(tmp_path: Path, keys: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        with capture_logs(), pytest.raises(TransientError, match="can't listen"):
            async with serving(tmp_path, Takes(), keys, listen=listen):
                await asyncio.sleep(1)


async def test_garbage_and_silence_harm_nobody(tmp_path: Path, keys: Path) -> None:
    take = Takes()
    async with serving(tmp_path, take, keys, login_timeout="1s", connections=5) as port:
        for payload in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(100_000), b"SSH-2.0-x\r\n" + b"\0" * 5000):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(payload)
            with suppress(OSError):
                await writer.drain()
            writer.close()
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        await asyncio.sleep(2.5)
        async with Client(port, key=keys / "right") as client:
            await client.put("/in/a.edi", b"x")
            await take.count(1)
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"accounts": {}},
        {"accounts": {"acme": {}}},
        {"accounts": {"../acme": {"password": PASSWORD}}},
        {"accounts": {"acme": {"keys": ("garbage",)}}},
        {"accounts": {"acme": {"password": "short"}}},
        {"listen": "2222"},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    right = {"accounts": {"acme": {"password": PASSWORD}}}
    SftpServerSourceOptions.model_validate(right)
    with pytest.raises(ValidationError):
        SftpServerSourceOptions.model_validate({**right, **wrong})
