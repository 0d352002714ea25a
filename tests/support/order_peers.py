"""The other side of each kind of source: where orders come from while hubs are killed."""

from __future__ import annotations

import queue
import socket
import threading
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType

import kombu
import paramiko

from tests.support.kills import rows_of
from tests.support.moto_store import Bucket
from tests.support.openssh import OpenSsh
from tests.support.ports import free_ports
from tests.support.redis import RedisServer
from tests.support.site import SiteOnDisk, order
from tests.support.soap_orders import ACCEPTANCE, ORDERS, write_contract

PASSWORD = "drop it here"
XML_MAP = """{"number": {{ xpath("o:number") | tojson }}, "partner": "ACME",
 "lines": [{"number": "1", "quantity": {{ xpath("o:line/t:quantity") | tojson }}, "unit": "EA", "price": "9.50"}]}
"""


class OrderPeer(ABC):
    """`source` is how the hub finds it, `endpoint` the one that it needs."""

    source: str
    endpoint = ""
    read = "{json: order@1}"
    environ: Mapping[str, str] = MappingProxyType({})
    may_lose = 0
    """Messages that the peer itself loses at each kill of whoever takes them."""
    acknowledges_together = False
    """Whether one acknowledgment may stand for all that was taken."""
    is_handed_over = False
    """Whether its documents may go to their destination without a queue."""

    @abstractmethod
    def feed(self, numbers: Iterable[str]) -> None:
        """Offers these orders; may go on while no hub is there."""

    @abstractmethod
    def empty(self) -> bool:
        """Whether nothing is left to take."""

    def close(self) -> None:
        """Ends what it began."""
        return


class FilePeer(OrderPeer):
    """Somebody who renames files into a folder."""

    def __init__(self, site: SiteOnDisk) -> None:
        self._site = site
        self.source = "file: {folder: var/drop, settle: 0s, poll: 50ms}"

    def feed(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            self._site.drop(f"{number}.json", order(number))

    def empty(self) -> bool:
        drop = self._site.folder / "var/drop"
        return not list(drop.glob("*.json")) and not list((drop / ".hub-work").iterdir())


class StorePeer(OrderPeer):
    """Somebody who puts objects into a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        options = f"{{key: '${{S3_KEY}}', secret: '${{S3_SECRET}}', endpoint_url: '{bucket.url}'}}"
        self.environ = {"S3_KEY": "k", "S3_SECRET": "s"}
        self.endpoint = f"partner: {{store: {{url: 's3://acme/', options: {options}}}}}\n"
        self.source = "file: {store: partner, folder: out, match: '*.json', settle: 0s, poll: 50ms}"

    def feed(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            self._bucket.put(f"out/{number}.json", order(number))

    def empty(self) -> bool:
        return self._bucket.keys("out/") == self._bucket.keys("out/done/")


class SftpPeer(OrderPeer):
    """A partner's OpenSSH server."""

    def __init__(self, server: OpenSsh) -> None:
        self._out = server.home / "out"
        self._out.mkdir()
        self.endpoint = (
            f"partner: {{sftp: {{host: 127.0.0.1, port: {server.port}, user: {server.user}, key: {server.key}, "
            f"host_key: '{server.fingerprint}'}}}}\n"
        )
        self.source = "sftp: {endpoint: partner, folder: out, settle: 0s, poll: 100ms}"

    def feed(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            part = self._out / f".{number}.tmp"
            part.write_bytes(order(number))
            part.rename(self._out / f"{number}.json")

    def empty(self) -> bool:
        return not list(self._out.glob("*.json")) and not list(self._out.glob(".hub-work*/*"))


class RedisPeer(OrderPeer):
    """A shop that puts its orders into Redis. kombu takes a message out of its list before it notes it as not
    acknowledged: who is killed between the two has lost that one."""

    may_lose = 1

    def __init__(self, server: RedisServer) -> None:
        self._url = server.url
        options = "{visibility_timeout: 2, unacked_restore_limit: 1000}"
        self.endpoint = f"partner: {{bridge: {{url: '{server.url}', options: {options}}}}}\n"
        self.source = "bridge: {endpoint: partner, queue: orders}"

    def feed(self, numbers: Iterable[str]) -> None:
        publish(self._url, kombu.Queue("orders"), numbers)

    def empty(self) -> bool:
        """What nobody has acknowledged stands beside the queue."""
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            return int(channel.client.llen("orders")) + int(channel.client.hlen("unacked")) == 0


class QueuePeer(OrderPeer):
    """A queue on another RabbitMQ than the hub's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.endpoint = "partner: {amqp: {url: '${PEER_URL}'}}\n"
        self.environ = {"PEER_URL": url}
        self.source = "exchange: {endpoint: partner, queue: orders}"
        self.is_handed_over = True

    def feed(self, numbers: Iterable[str]) -> None:
        publish(self._url, kombu.Queue("orders", durable=True), numbers)

    def empty(self) -> bool:
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            return int(channel.queue_declare("orders", passive=True).message_count) == 0


class StreamPeer(OrderPeer):
    """A stream on another RabbitMQ: it is never emptied, and the hub remembers how far it has read."""

    def __init__(self, url: str, site: SiteOnDisk) -> None:
        self._url, self._site, self._fed = url, site, 0
        self.endpoint = "partner: {amqp: {url: '${PEER_URL}'}}\n"
        self.environ = {"PEER_URL": url}
        self.source = "stream: {endpoint: partner, queue: history}"
        self.acknowledges_together = self.is_handed_over = True

    def feed(self, numbers: Iterable[str]) -> None:
        fed = list(numbers)
        stream = kombu.Queue("history", durable=True, queue_arguments={"x-queue-type": "stream"})
        publish(self._url, stream, fed)
        self._fed += len(fed)

    def empty(self) -> bool:
        return rows_of(self._site, "SELECT value FROM memory WHERE name = 'next'") == [(str(self._fed),)]


def publish(url: str, to: kombu.Queue, numbers: Iterable[str]) -> None:
    options = {"confirm_publish": True} if url.startswith("amqp") else {}
    with kombu.Connection(url, transport_options=options) as connection, connection.channel() as channel:
        producer = kombu.Producer(channel)
        for number in numbers:
            producer.publish(
                order(number), routing_key=to.name, declare=[to], content_type="application/json",
                content_encoding="binary", delivery_mode=2,
            )  # fmt: skip


class SendingPeer(OrderPeer):
    """A partner that comes to us, and tries each order again until it hears that it was taken."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self._waiting: queue.Queue[str] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send_all)
        self._thread.start()

    @abstractmethod
    def send(self, number: str) -> None:
        """Raises OSError, EOFError or SSHException unless it was taken."""

    def feed(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            self._waiting.put(number)

    def _send_all(self) -> None:
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                self._send_until_taken(self._waiting.get(timeout=0.1))
                self._waiting.task_done()

    def _send_until_taken(self, number: str) -> None:
        while not self._stopping.is_set():
            with suppress(OSError, EOFError, paramiko.SSHException):
                self.send(number)
                break
            self._stopping.wait(0.05)

    def empty(self) -> bool:
        return not self._waiting.unfinished_tasks

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(20)


class DropBoxPeer(SendingPeer):
    """Who drops into the hub's own SFTP server."""

    def __init__(self, site: SiteOnDisk) -> None:
        super().__init__()
        self._taken = site.folder / "var/dropbox/.taken/acme"
        self.environ = {"DROP_PASSWORD": PASSWORD}
        self.source = (
            f"sftp_server: {{listen: '127.0.0.1:{self.port}', accounts: {{acme: {{partner: ACME, "
            "password: '${DROP_PASSWORD}'}}}"
        )

    def send(self, number: str) -> None:
        transport = paramiko.Transport(socket.create_connection(("127.0.0.1", self.port), 5))
        try:
            transport.connect(username="acme", password=PASSWORD)
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            with client.open(f"/in/{number}.json", "wb") as file:
                file.write(order(number))
        finally:
            transport.close()

    def empty(self) -> bool:
        return super().empty() and not list(self._taken.iterdir())


class HttpPeer(SendingPeer):
    """A shop that posts its orders."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = f"web: {{http: {{listen: '127.0.0.1:{self.port}'}}}}\n"
        self.source = "http: {endpoint: web, path: /orders, auth: none}"

    def send(self, number: str) -> None:
        self._post("/orders", order(number), "application/json")

    def _post(self, path: str, body: bytes, content_type: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Content-Type": content_type})
        urllib.request.urlopen(request, timeout=10).close()


class SoapPeer(HttpPeer):
    """An ERP that calls CreateOrder."""

    read = (
        '{xml: {document: order@1, map: called.json.j2, namespaces: {o: "urn:example:orders", t: "urn:example:types"}}}'
    )

    def __init__(self, site: SiteOnDisk) -> None:
        super().__init__()
        write_contract(site.folder)
        (site.folder / "routes/templates/called.json.j2").write_text(XML_MAP)
        (site.folder / "routes/templates/accepted.xml").write_text(ACCEPTANCE)
        self.source = (
            "soap: {endpoint: web, path: /soap, wsdl: orders.wsdl, operations: [CreateOrder], security: none, "
            "reply: accepted, acceptance: accepted.xml}"
        )

    def send(self, number: str) -> None:
        line = '<line><sku xmlns="urn:example:types">A</sku><quantity xmlns="urn:example:types">2</quantity></line>'
        payload = f'<CreateOrder xmlns="{ORDERS}"><number>{number}</number>{line}</CreateOrder>'
        envelope = (
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{payload}</s:Body></s:Envelope>'
        )
        self._post("/soap", envelope.encode(), "text/xml; charset=utf-8")
