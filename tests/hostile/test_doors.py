"""Every door before anybody has logged in: connections that say nothing, passwords that are guessed, bodies that are
too much."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncssh
import pytest
from structlog.testing import capture_logs

from adapters.http import accepting
from adapters.soap.serving import safe_xml
from adapters.soap.serving.names import WSSE
from adapters.soap.serving.safe_xml import UnsafeXml, parsed
from hub.clock.system_clock import SystemClock
from hub.core.network.failures import FailedAccounts
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.certificates import Authority
from tests.support.drop_box import PASSWORD, Client, client_keys
from tests.support.drop_box import serving as drop_box
from tests.support.memory import Growth
from tests.support.soap_calls import ORDER, envelope, fault_of, serving
from tests.support.soap_calls import post as call
from tests.support.web import Takes, http_source

ACME_KEY = "acme-key-0123456789"
BASIC: dict[str, Any] = {"auth": {"basic": {"ACME": {"password": "open:sesame"}}}}
KEYS: dict[str, Any] = {"auth": {"api_key": {"ACME": ACME_KEY}}}
USERS = {"users": {"ACME": {"user": "acme-erp", "password": "open sesame"}}, "digest": False}
HEAD = b"POST /in HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(str(tmp_path / "part.db"), tmp_path / "claims", SystemClock())
    await made.open()
    yield made
    await made.close()


class Silent:
    """Connections of some addresses that never say a word."""

    def __init__(self, port: int, addresses: list[str]) -> None:
        self._port, self._addresses = port, addresses
        self.sockets: list[socket.socket] = []

    async def __aenter__(self) -> Silent:
        for address in self._addresses:
            made = socket.create_connection(("127.0.0.1", self._port), timeout=10, source_address=(address, 0))
            made.setblocking(False)
            self.sockets.append(made)
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for made in self.sockets:
            made.close()

    def ended(self) -> int:
        """How many of them the server has closed."""
        return sum(1 for made in self.sockets if self._is_ended(made))

    @staticmethod
    def _is_ended(made: socket.socket) -> bool:
        try:
            return made.recv(100, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


async def posted(url: str, password: str = "open:sesame", tls: ssl.SSLContext | None = None, **headers: str) -> int:
    credentials = base64.b64encode(f"ACME:{password}".encode()).decode()
    named = {
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as client,
        client.post(url, data=b"{}", headers=named, ssl=tls or True) as reply,
    ):
        return reply.status


async def with_key(url: str, key: str, **headers: str) -> int:
    named = {"Content-Type": "application/json", "X-Api-Key": key, **headers}
    async with aiohttp.ClientSession() as client, client.post(url, data=b"{}", headers=named) as reply:
        return reply.status


async def test_silent_connections_are_counted_before_their_handshake_and_ended(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.server()
    tls = {"certificate": str(certificate), "key": str(key)}
    trusting = ssl.create_default_context(cafile=str(authority.file))
    limits = {"connections": 30, "connections_per_address": 10}
    async with http_source(tmp_path, journal, Takes(), BASIC, tls=tls, **limits) as url:
        url = url.replace("127.0.0.1", "localhost")
        port = urlsplit(url).port or 0
        async with Silent(port, ["127.0.0.2"] * 25) as one_address:
            await eventually(lambda: asyncio.sleep(0, one_address.ended() == 15))
            assert await posted(url, tls=trusting) == 202
        crowd = [f"127.0.0.{number % 6 + 2}" for number in range(60)]
        async with Silent(port, crowd):
            assert await posted(url, tls=trusting) == 202
        monkeypatch.setattr(accepting, "HANDSHAKE_SECONDS", 0.3)
        async with Silent(port, ["127.0.0.9"] * 5) as slow:
            await eventually(lambda: asyncio.sleep(0, slow.ended() == 5))


async def test_an_address_that_guesses_is_shut_out_of_http(tmp_path: Path, journal: Journal) -> None:
    with capture_logs() as lines:
        async with http_source(tmp_path, journal, Takes(), KEYS) as url:
            for _ in range(10):
                assert await with_key(url, "no", Forwarded="for=192.0.2.1") == 401
            assert await with_key(url, ACME_KEY) == 202  # nobody has said whose address that was
            assert [await with_key(url, "no") for _ in range(12)] == [401] * 10 + [429] * 2
            assert await with_key(url, ACME_KEY) == 429
            for _ in range(40):
                await with_key(url, "no", Forwarded="for=192.0.2.1")
    refused = [line for line in lines if line["event"] == "sender_refused"]
    assert len(refused) == 20


async def test_behind_a_trusted_proxy_one_client_is_shut_out_and_the_others_are_not(
    tmp_path: Path, journal: Journal
) -> None:
    async with http_source(tmp_path, journal, Takes(), KEYS, trusted_proxies=["127.0.0.1"]) as url:
        for number in range(10):
            told = {"X-Forwarded-For": f"203.0.113.{number}, 2001:db8::{number}"}
            assert await with_key(url, "no", **told) == 401
        assert await with_key(url, ACME_KEY, **{"X-Forwarded-For": "2001:db8::ffff"}) == 429
        assert await with_key(url, ACME_KEY, **{"X-Forwarded-For": "198.51.100.1"}) == 202


async def test_an_account_is_slowed_down_and_its_partner_gets_in(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float, result: Any = None, real: Any = asyncio.sleep) -> Any:
        slept.append(seconds)
        return await real(0 if seconds >= 0.25 else seconds, result)

    async with http_source(tmp_path, journal, Takes(), BASIC) as url:
        monkeypatch.setattr("adapters.http.source.asyncio.sleep", sleep)
        for _ in range(8):
            assert await posted(url, "guess", Via="1.1 somewhere") == 401
        assert await posted(url) == 202
    assert [seconds for seconds in slept if seconds >= 0.25][-1] == 4.0


async def test_what_stands_beside_a_wrong_password_or_key_makes_the_guess_no_cheaper(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.source.FailedAccounts", lambda clock: accounts)
    accounts = FailedAccounts(lambda: 0.0)
    auth = {**BASIC["auth"], **KEYS["auth"], "hmac": {"secret": {"BOLT": "bolt-secret-0123456789"}}}
    good = signature("bolt-secret-0123456789")
    beside = ({"X-Signature": "x"}, {**good, "X-Signature": "00" * 32}, good, {"X-Api-Key": ACME_KEY})
    takes = Takes()
    async with http_source(tmp_path, journal, takes, {"auth": auth}) as url:
        monkeypatch.setattr("hub.core.network.failures.FIRST_DELAY", 0.001)
        assert await with_key(url, "", **good) == 401
        for headers in beside:
            assert await posted(url, "guess", **headers) == 401
        assert accounts.delay("ACME") > 0
        for headers in (*beside[:3], basic("open:sesame")):
            assert await with_key(url, "guess", **headers) == 401
        status = url.rpartition("/")[0] + "/status/1"
        async with aiohttp.ClientSession() as client, client.get(status, headers={**good, **basic("guess")}) as reply:
            assert reply.status == 401
        assert await posted(url) == 429
    assert takes.arrivals == []


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ACME:{password}".encode()).decode()}


def signature(secret: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    made = hmac.new(secret.encode(), f"{stamp}.{{}}".encode(), "sha256").hexdigest()
    return {"X-Timestamp": stamp, "X-Signature": made}


async def test_a_soap_message_is_read_only_after_its_token(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.core.network.failures.FIRST_DELAY", 0.0)
    takes = Takes()
    async with serving(tmp_path, journal, takes, USERS, reply="one-way", operations=["Notify"]) as url:
        parts = urlsplit(url)
        namespace = "http://schemas.xmlsoap.org/soap/envelope/"
        begin = f'<s:Envelope xmlns:s="{namespace}">'.encode()
        for first, wrong in (
            (begin + b"<s:Body>" + b"<a/>" * 30_000, "does not end within"),
            (begin + b"<s:Header>" + b"<a/>" * 30_000, "does not end within"),
            (begin + b"<s:Header>" + token("guess").encode() + b"</s:Header>" + b" " * 70_000, "could not be authent"),
        ):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            head = (
                f"POST {parts.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: text/xml\r\nContent-Length: 15000000\r\n\r\n"
            )
            writer.write(head.encode() + first)
            async with asyncio.timeout(10):
                answer = await reader.readuntil(b"Envelope>")
            assert wrong.encode() in answer
            writer.close()
        assert [(await call(url, envelope(ORDER, header=token("no"))))[0] for _ in range(10)][-2:] == [500, 429]
    assert takes.arrivals == []


def token(password: str) -> str:
    return (
        f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>acme-erp</w:Username>'
        f"<w:Password>{password}</w:Password></w:UsernameToken></w:Security>"
    )


async def test_soap_elements_are_counted_while_they_are_parsed(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fiftieth of the bound, and of the memory."""
    assert safe_xml.MOST_ELEMENTS == 500_000
    monkeypatch.setattr(safe_xml, "MOST_ELEMENTS", 10_000)
    body = envelope("<a/>" * 500_000)
    with Growth() as growth, pytest.raises(UnsafeXml, match="10000"):
        parsed(body)
    assert growth.most < 12_000_000
    for hostile in (b"<!--" + b"-" * 70_000, b"<a " + b" ".join(b'b%d="1"' % n for n in range(300)) + b"/>"):
        with pytest.raises(UnsafeXml):
            parsed(hostile)
    async with serving(tmp_path, journal, Takes()) as url:
        status, answer = await call(url, envelope("<a/>" * 12_000))
        assert status == 500
        assert "more than" in fault_of(answer)[1]


async def test_silent_connections_keep_nobody_out_of_the_drop_box(tmp_path: Path) -> None:
    keys = client_keys(tmp_path / "keys")
    crowd = [f"127.0.0.{number % 12 + 2}" for number in range(120)]
    async with (
        drop_box(tmp_path, Takes(), keys, logins_at_once=60) as port,
        Silent(port, crowd),
        Client(port, key=keys / "right") as client,
        Client(port, password=PASSWORD) as second,
    ):
        assert await client.do("listdir", "/in") == []
        assert await second.do("listdir", "/in") == []


async def test_the_drop_box_offers_no_sha1_and_makes_no_key_for_a_stranger(tmp_path: Path) -> None:
    keys = client_keys(tmp_path / "keys")
    async with drop_box(tmp_path, Takes(), keys) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            writer.write(b"SSH-2.0-nobody\r\n")
            await reader.readline()
            offered = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
    names = offered.decode("latin-1")
    assert "curve25519-sha256" in names
    for weak in (
        "sha1",
        "rsa2048",
        "rsa1024",
        "group-exchange",
        "md5",
        "-96",
        "cbc",
        "arcfour",
        "umac-64",
        "ssh-dss",
        "ssh-rsa,",
    ):
        assert weak not in names


@pytest.mark.parametrize("window", [1 << 21, 1 << 30])
async def test_a_session_that_takes_no_answers_gets_no_more_of_them(tmp_path: Path, window: int) -> None:
    """The second window is so wide that only the system's buffers are full."""
    keys = client_keys(tmp_path / "keys")
    async with drop_box(tmp_path, Takes(), keys) as port, Client(port, key=keys / "right") as other:
        (tmp_path / "var/dropbox/acme/out/large.edi").write_bytes(b"x" * (1 << 20))
        (tmp_path / "var/dropbox/acme/in/waits.tmp").write_bytes(b"half of an order")
        for name in ("/in/waits.tmp", "/in/../in/waits.tmp"):
            with pytest.raises(OSError, match="can't be read back"):
                await other.get(name)
        async with asyncssh.connect(
            "127.0.0.1", port, username="acme", client_keys=[str(keys / "right")], known_hosts=None
        ) as connection:
            process = await connection.create_process(subsystem="sftp", encoding=None, window=window)
            process.stdin.write(packet(1, number(3)))
            await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(4), "big"))
            process.stdin.write(packet(3, number(1), text(b"/out/large.edi"), number(1), number(0)))
            answer = await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(4), "big"))
            handle = answer[9:]
            if window > 1 << 21:
                connection._transport.pause_reading()  # type: ignore[union-attr]
            with Growth() as growth:
                for id in range(800):
                    process.stdin.write(packet(5, number(id), text(handle), number(0), number(0), number(1 << 20)))
                for _ in range(20):
                    assert await other.do("listdir", "/out") == ["large.edi"]
                await asyncio.sleep(0.3)
            connection.abort()
    assert growth.most < 60_000_000


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def text(value: bytes) -> bytes:
    return number(len(value)) + value


def packet(kind: int, *parts: bytes) -> bytes:
    """Of SFTP, version 3."""
    return text(bytes([kind]) + b"".join(parts))
