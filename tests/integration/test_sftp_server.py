"""The hosted drop box, with real clients: OpenSSH's sftp, and paramiko."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest
import structlog
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.sftp_server import SftpServerSourceOptions
from adapters.sftp_server.source import SftpServerSource
from hub.core.errors import TransientError
from hub.core.plugin import Context
from hub.core.ports import Arrival, Taken
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk, order

PASSWORD = "correct horse battery"


class Takes:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        self.partners: list[Any] = []

    async def __call__(self, arrival: Arrival) -> Taken:
        self.bodies.append(b"".join(arrival.body.chunks()))
        self.names.append(arrival.name)
        self.partners.append(arrival.partner)
        return Taken(0, 1, "bad") if self.bodies[-1] == b"bad" else Taken(1)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.names) >= number

        await eventually(reached)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Client keys `right` and `wrong`."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("right", "wrong"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder


@asynccontextmanager
async def serving(
    site: Path, take: Any, keys: Path, account: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[int]:
    public = (keys / "right.pub").read_text().strip()
    accounts = {
        "acme": {"partner": "ACME", "keys": (public,), "password": PASSWORD, **(account or {})},
        "other": {"password": PASSWORD + "2"},
    }
    wanted = {"listen": "127.0.0.1:0", "accounts": accounts, **options}
    source = SftpServerSource(
        "dropbox", SftpServerSourceOptions.model_validate(wanted), Context(site, log=structlog.get_logger())
    )
    task = asyncio.create_task(source.run(take))

    async def listens() -> bool:
        return source.port != 0 or task.done()

    await eventually(listens)
    try:
        yield source.port
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


class Client:
    """A paramiko client, in a thread of its own for every call."""

    def __init__(self, port: int, user: str = "acme", key: Path | None = None, password: str | None = None) -> None:
        self._port, self._user, self._key, self._password = port, user, key, password
        self.transport: Any = None
        self.sftp: Any = None

    async def __aenter__(self) -> Client:
        await asyncio.to_thread(self._connect)
        return self

    def _connect(self) -> None:
        self.transport = paramiko.Transport(("127.0.0.1", self._port))
        key = paramiko.PKey.from_path(self._key) if self._key else None
        try:
            self.transport.connect(username=self._user, password=self._password, pkey=key)
        except BaseException:
            self.transport.close()
            raise
        self.sftp = paramiko.SFTPClient.from_transport(self.transport)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.transport.close)

    async def put(self, name: str, body: bytes) -> None:
        def write() -> None:
            with self.sftp.open(name, "wb") as file:
                file.write(body)

        await asyncio.to_thread(write)

    async def get(self, name: str) -> bytes:
        def read() -> bytes:
            with self.sftp.open(name, "rb") as file:
                return bytes(file.read())

        return await asyncio.to_thread(read)

    async def do(self, operation: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(getattr(self.sftp, operation), *arguments)


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
    ["/etc/passwd", "../../etc/passwd", "/in/../../../etc/passwd", "/in/a/b", "/x.edi", "/in/a\nb", "/in/a\\b", "/in/" + "x" * 300, "/.taken/acme/x"],
)  # fmt: skip
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

        await eventually(both_put_away)
    assert len(list((tmp_path / "var/dropbox/failed/acme").iterdir())) == 1


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
