"""Every kind of source, with the hub killed at each hand-over behind it: nothing is lost, and nothing that was recorded is sent again."""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import kombu
import paramiko
import pytest

from tests.crash.test_crash import assert_same_bytes, delivered_keys, wait_for
from tests.support.erp import Erp
from tests.support.openssh import OpenSsh
from tests.support.ports import free_ports
from tests.support.redis import RedisServer
from tests.support.site import HubProcess, SiteOnDisk, order

pytestmark = [pytest.mark.crash, pytest.mark.filterwarnings("ignore::ResourceWarning")]

NUMBERS = tuple(str(number) for number in range(1000, 1012))
POINTS = ("confirm:3", "after_commit:2", "taken:5")


class Peer(ABC):
    """The other side of a source: where orders come from."""

    source: str
    endpoint = ""
    may_lose = 0
    """Messages that the peer itself loses when whoever takes them is killed."""

    @abstractmethod
    def feed(self) -> None:
        """Offers all orders; may go on while the hub is down."""

    @abstractmethod
    def empty(self) -> bool:
        """Whether nothing is left to take."""

    def close(self) -> None:
        """Ends what it began."""
        return


class SftpPeer(Peer):
    """A partner's OpenSSH server."""

    def __init__(self, server: OpenSsh) -> None:
        self._out = server.home / "out"
        self._out.mkdir()
        self.endpoint = (
            f"partner: {{sftp: {{host: 127.0.0.1, port: {server.port}, user: {server.user}, key: {server.key}, "
            f"host_key: '{server.fingerprint}'}}}}\n"
        )
        self.source = "sftp: {endpoint: partner, folder: out, settle: 0s, poll: 100ms}"

    def feed(self) -> None:
        for number in NUMBERS:
            part = self._out / f".{number}.tmp"
            part.write_bytes(order(number))
            part.rename(self._out / f"{number}.json")

    def empty(self) -> bool:
        done = self._out / "done"
        return done.exists() and len(list(done.iterdir())) == len(NUMBERS)


class DropBoxPeer(Peer):
    """A partner that drops into the hub, and tries again what it was not told that it is there."""

    def __init__(self, folder: Path) -> None:
        self._port = free_ports(1)[0]
        self._box = folder / "var/dropbox"
        self._thread = threading.Thread(target=self._drop)
        self._stopping = threading.Event()
        self.source = (
            f"sftp_server: {{listen: '127.0.0.1:{self._port}', accounts: {{acme: {{partner: ACME, "
            "password: '${DROP_PASSWORD}'}}}"
        )

    def feed(self) -> None:
        self._thread.start()

    def _drop(self) -> None:
        for number in NUMBERS:
            while not self._stopping.is_set():
                with suppress(OSError, EOFError, paramiko.SSHException):
                    self._put(f"/in/{number}.json", order(number))
                    break
                self._stopping.wait(0.1)

    def _put(self, name: str, body: bytes) -> None:
        transport = paramiko.Transport(socket.create_connection(("127.0.0.1", self._port), 5))
        try:
            transport.connect(username="acme", password="drop it here")
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            with client.open(name, "wb") as file:
                file.write(body)
        finally:
            transport.close()

    def empty(self) -> bool:
        return not self._thread.is_alive() and not list((self._box / ".taken/acme").iterdir())

    def close(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(20)


class RedisPeer(Peer):
    """A shop that puts its orders into Redis. kombu takes a message out of its list before it notes it as not acknowledged: who
    is killed between the two has lost that one."""

    may_lose = 1

    def __init__(self, server: RedisServer) -> None:
        self._url = server.url
        options = "{visibility_timeout: 2, unacked_restore_limit: 1000}"
        self.endpoint = f"partner: {{bridge: {{url: '{server.url}', options: {options}}}}}\n"
        self.source = "bridge: {endpoint: partner, queue: orders}"

    def feed(self) -> None:
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            producer = kombu.Producer(channel)
            for number in NUMBERS:
                producer.publish(order(number), routing_key="orders", declare=[kombu.Queue("orders")], content_type="application/json", content_encoding="binary")  # fmt: skip

    def empty(self) -> bool:
        """What nobody has acknowledged stands beside the queue."""
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            return int(channel.client.llen("orders")) + int(channel.client.hlen("unacked")) == 0


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as server:
        yield server


@pytest.fixture(params=["sftp", "sftp_server", "bridge"])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    made: Peer
    if request.param == "sftp":
        made = SftpPeer(request.getfixturevalue("openssh"))
    elif request.param == "bridge":
        made = RedisPeer(request.getfixturevalue("redis_server"))
    else:
        made = DropBoxPeer(tmp_path / "site")
    yield made
    made.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_behind_a_source_loses_nothing_and_repeats_nothing_that_is_recorded(
    tmp_path: Path, peer: Peer, erp: Erp, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROP_PASSWORD", "drop it here")
    site = SiteOnDisk(tmp_path / "site", erp.url)
    endpoints = site.folder / "config/endpoints.yaml"
    endpoints.write_text(endpoints.read_text() + peer.endpoint)
    site.write(
        "routes/acme.yaml",
        f"format: 1\nowner: order-desk\nsources:\n  inbox:\n    {peer.source}\n    read: {{json: order@1}}\n"
        "routes:\n  - {id: orders, when: {document: order, partner: ACME}, to: [erp]}\n",
    )
    peer.feed()
    crashing = HubProcess(site, module="tests.support.crashing_hub", environ={"HUB_CRASH": point})
    crashing.start()
    assert crashing.wait_end() == -9, crashing.log.read_text()
    time.sleep(0.2)  # what the dead process had written to its sockets arrives
    committed, before = delivered_keys(site), len(erp.requests)
    hub = HubProcess(site)
    try:
        hub.start()
        hub.wait_ready()
        wait_for(peer.empty, "something is left at the source")
        least = len(NUMBERS) - peer.may_lose
        wait_for(lambda: len(set(erp.numbers())) >= least, "an order is lost")
        wait_for(lambda: len(delivered_keys(site)) >= least, "an effect is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert committed.isdisjoint(request.key for request in erp.requests[before:])
    assert_same_bytes(erp)
    assert len(set(erp.numbers())) == len(delivered_keys(site))
