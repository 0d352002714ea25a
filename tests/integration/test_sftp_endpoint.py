"""Logging in to a real OpenSSH server: credentials, pinned host keys, servers that stall or go away."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.sftp.connection import Connection, HostKeyChanged, NotLetIn
from adapters.sftp.endpoint import SftpEndpointOptions
from hub.core.errors import TransientError, Withheld
from hub.journal.journal import Journal
from tests.support.listening import Listening
from tests.support.openssh import OpenSsh, account_with_password
from tests.support.proxy import TcpProxy
from tests.support.sftp import Partner, outgoing


def names(connection: Connection) -> list[str]:
    return [entry.name for entry in connection.entries(".")]


async def listed(partner: Partner) -> list[str]:
    try:
        return await partner.endpoint.use(names)
    finally:
        await partner.endpoint.close()


async def test_a_key_lets_in(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    (openssh.home / "a.edi").write_text("a")
    assert await listed(Partner(openssh, tmp_path, journal)) == ["a.edi"]


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
async def test_a_key_with_a_passphrase_lets_in(openssh: OpenSsh, tmp_path: Path, journal: Journal, kind: str) -> None:
    key = openssh.make_key("locked", "open sesame", kind)
    openssh.let_in(key)
    assert await listed(Partner(openssh, tmp_path, journal, key=str(key), passphrase="open sesame")) == []


async def test_a_certificate_lets_in_a_key_that_the_server_has_never_seen(
    openssh: OpenSsh, tmp_path: Path, journal: Journal
) -> None:
    key = openssh.make_key("certified")
    certificate = openssh.certify(key.with_suffix(".pub"))
    moved = certificate.rename(tmp_path / "certificate.pub")
    partner = Partner(openssh, tmp_path, journal, key=str(key))
    with pytest.raises(NotLetIn, match="doesn't accept our key"):
        await listed(partner)
    assert await listed(Partner(openssh, tmp_path, journal, key=str(key), certificate=str(moved))) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make the account that a password belongs to")
async def test_a_password_lets_in_and_a_wrong_one_does_not(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    with account_with_password() as (user, password, home):
        (home / "b.edi").write_text("b")
        right = Partner(openssh, tmp_path, journal, user=user, password=password, key=None)
        wrong = Partner(openssh, tmp_path, journal, user=user, password=password + "x", key=None)
        found = await right.endpoint.use(lambda c: [entry.name for entry in c.entries(str(home))])
        await right.endpoint.close()
        assert "b.edi" in found
        with pytest.raises(NotLetIn) as refused:
            await listed(wrong)
    assert "doesn't accept our password" in str(refused.value)
    assert password not in str(refused.value)


async def test_a_refused_login_is_not_tried_again_at_once(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    """Servers lock accounts that try too often."""
    partner = Partner(openssh, tmp_path, journal, key=str(openssh.make_key("stranger")))
    with pytest.raises(NotLetIn):
        await partner.endpoint.use(names)
    tried = openssh.log.count("Connection from")
    with pytest.raises(TransientError, match="not tried again for") as later:
        await partner.endpoint.use(names)
    assert later.value.retry_after is not None
    assert later.value.retry_after > 10
    assert openssh.log.count("Connection from") == tried
    await partner.endpoint.close()


@pytest.mark.parametrize(
    ("passphrase", "given", "said"),
    [("secret", None, "it needs a passphrase"), ("secret", "wrong", "the passphrase is wrong"), ("", "x", "it has no")],
)
async def test_a_key_that_cannot_be_used_says_why(
    openssh: OpenSsh, tmp_path: Path, journal: Journal, passphrase: str, given: str | None, said: str
) -> None:
    key = openssh.make_key("locked", passphrase)
    with pytest.raises(NotLetIn, match=said):
        await listed(Partner(openssh, tmp_path, journal, key=str(key), passphrase=given))


async def test_a_key_file_that_is_not_there(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    with pytest.raises(NotLetIn, match="No such file"):
        await listed(Partner(openssh, tmp_path, journal, key=str(tmp_path / "none")))


async def test_the_host_key_can_be_pinned_as_a_public_key(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    assert await listed(Partner(openssh, tmp_path, journal, host_key=openssh.public_host_key)) == []


async def test_a_changed_host_key_stops_the_endpoint(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    """Nothing is sent, nobody connects again, also when the right key is back: a person has to look."""
    partner = Partner(openssh, tmp_path, journal)
    kept = openssh.host_key.read_bytes()
    openssh.stop()
    openssh.make_key("host_key")
    openssh.start()
    with capture_logs() as logs, pytest.raises(HostKeyChanged) as changed:
        await partner.endpoint.use(names)
    assert partner.endpoint.login.host_keys[0] in str(changed.value)
    assert openssh.fingerprint in str(changed.value)
    assert [entry["event"] for entry in logs] == ["host_key_changed"]
    assert "Accepted" not in openssh.log
    openssh.stop()
    openssh.host_key.write_bytes(kept)
    openssh.start()
    with pytest.raises(Withheld, match="stopped until it is declared anew"):  # no attempt: the copy waits
        await partner.destination().send(outgoing())
    assert partner.endpoint.stopped == changed.value.text
    await partner.endpoint.close()


async def test_both_keys_may_be_pinned_while_it_changes(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    old = openssh.fingerprint
    openssh.stop()
    openssh.make_key("host_key")
    openssh.start()
    assert await listed(Partner(openssh, tmp_path, journal, host_key=(old, openssh.fingerprint))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"host_key": "MD5:aa:bb"},
        {"host_key": ()},
        {"key": None},
        {"key": None, "password": "x", "passphrase": "y"},
        {"port": 0},
        {"host_key": "any"},
    ],
)
def test_an_endpoint_without_a_pinned_key_or_a_way_in_is_refused(wrong: dict[str, object]) -> None:
    right = {"host": "h", "user": "u", "key": "k", "host_key": "SHA256:" + "A" * 43}
    SftpEndpointOptions.model_validate(right)
    with pytest.raises(ValidationError):
        SftpEndpointOptions.model_validate({**right, **wrong})


async def test_nobody_there(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    partner = Partner(openssh, tmp_path, journal)
    openssh.stop()
    with pytest.raises(TransientError, match="Connection refused") as away:
        await listed(partner)
    assert away.value.kind == "unreachable"


async def test_a_server_that_says_nothing(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with Listening(silent) as server:
        partner = Partner(openssh, tmp_path, journal, port=server.port, connect_timeout="300ms")
        with pytest.raises(TransientError) as nothing:
            await listed(partner)
    assert nothing.value.kind in ("timeout", "unreachable")


async def test_something_that_is_no_ssh_server(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100_000)
        await writer.drain()

    async with Listening(web) as server:
        partner = Partner(openssh, tmp_path, journal, port=server.port)
        with pytest.raises(TransientError, match="no SSH connection"):
            await listed(partner)


async def test_a_server_that_stalls_is_left_after_the_timeout_and_used_again_later(
    openssh: OpenSsh, tmp_path: Path, journal: Journal
) -> None:
    proxy = TcpProxy("127.0.0.1", openssh.port)
    await proxy.start()
    partner = Partner(openssh, tmp_path, journal, port=proxy.port, timeout="500ms")
    assert await partner.endpoint.use(names) == []
    proxy.stall()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    beating = asyncio.create_task(beat())
    with pytest.raises(TransientError) as stalled:
        await partner.endpoint.use(names)
    beating.cancel()
    assert stalled.value.kind == "timeout"
    assert beats > 5, "the event loop was blocked"
    proxy.resume()
    assert await partner.endpoint.use(names) == []
    await partner.endpoint.close()
    await proxy.close()


async def test_a_connection_that_was_cut_is_replaced(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    partner = Partner(openssh, tmp_path, journal)
    assert await partner.endpoint.use(names) == []
    openssh.stop()
    openssh.start()
    with suppress(TransientError):
        await partner.endpoint.use(names)
    await asyncio.sleep(1.2)
    assert await partner.endpoint.use(names) == []
    await partner.endpoint.close()


async def test_one_connection_serves_many_one_after_the_other(
    openssh: OpenSsh, tmp_path: Path, journal: Journal
) -> None:
    partner = Partner(openssh, tmp_path, journal, connections=1)
    assert await asyncio.gather(*(partner.endpoint.use(names) for _ in range(20))) == [[]] * 20
    assert openssh.log.count("Accepted publickey") == 1
    await partner.endpoint.close()


async def test_who_is_cancelled_leaves_no_thread_behind(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    proxy = TcpProxy("127.0.0.1", openssh.port)
    await proxy.start()
    partner = Partner(openssh, tmp_path, journal, port=proxy.port, timeout="60s", connections=1)
    await partner.endpoint.use(names)
    proxy.stall()
    task = asyncio.create_task(partner.endpoint.use(names))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    proxy.resume()
    assert await partner.endpoint.use(names) == []
    await partner.endpoint.close()
    await proxy.close()
