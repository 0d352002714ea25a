"""Every destination with the real peer it delivers to, as the contract suite sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog

from hub.app.plugin_discovery import discover
from hub.broker.rabbit import RabbitBroker
from hub.core.message import EMPTY
from hub.core.options.duration import seconds
from hub.core.plugin import Context
from hub.core.ports import Destination, Outgoing
from hub.core.topology import Binding, Exchange, Queue, Topology
from tests.support.brokers import Inbox
from tests.support.erp import Answer, Erp
from tests.support.mail_server import MailServer
from tests.support.openssh import OpenSsh
from tests.support.ports import free_ports
from tests.support.spyne_erp import SpyneErp

PLUGINS = discover()
PATIENCE = "5s"
"""How long an ordinary send may take."""

Arrived = Callable[[], Awaitable[list[tuple[str, bytes]]]]
NETWORKED = ("rest", "soap", "sftp", "exchange", "mail")
KINDS = ("file", *NETWORKED)


class Make(Protocol):
    def __call__(self, port: int, patience: str = PATIENCE) -> Destination: ...


@dataclass
class Peer:
    """One far end. `make(port)` is a destination that looks for it at that port of the loopback, and gives up after its
    `patience`. `arrived` gives what it has: by what it knows a repetition, and the bytes. `fails` makes it answer with
    something that may change."""

    port: int
    make: Make
    arrived: Arrived
    fails: Callable[[], None]
    body: bytes = b'{"number": "1"}'
    content_type: str = "application/json"
    recognises: bool = False
    """It knows a file that it has already: a repetition leaves no second one."""
    without_facts: bool = False
    """Nothing about it is made of facts: it can only be refused for its bytes."""
    endpoints: list[Any] = field(default_factory=list)

    def outgoing(self, key: str = "k1", **facts: str) -> Outgoing:
        known = {"number": "1", "document": "order", **facts}
        return Outgoing("id", "order@1", key, self.body, self.content_type, correlation_id="c", facts=known)

    async def close(self) -> None:
        for endpoint in self.endpoints:
            if (close := getattr(endpoint, "close", None)) is not None:
                await close()


def built(kind: str, options: dict[str, Any], context: Context) -> Destination:
    plugin = PLUGINS.find("destination", kind)
    assert plugin is not None
    made: Destination = plugin.build("out", plugin.options.model_validate(options), context)
    return made


class Reaching:
    """Makes destinations of one kind, each with an endpoint of its own, which `endpoints` remembers."""

    def __init__(self, kind: str, endpoint: str, site: Path, options: dict[str, Any]) -> None:
        self._kind, self._endpoint, self._site, self._options = kind, endpoint, site, options
        self.endpoints: list[Any] = []

    def __call__(self, patience: str = PATIENCE, more: Mapping[str, Any] = EMPTY, **endpoint: Any) -> Destination:
        """`more` are options of the destination."""
        plugin = PLUGINS.find("endpoint", self._endpoint)
        assert plugin is not None
        context = Context(
            self._site,
            log=structlog.get_logger(),
            connect=lambda url, name: RabbitBroker(url, name=name, timeout=seconds(patience)),
        )
        made = plugin.build("peer", plugin.options.model_validate(endpoint), context)
        self.endpoints.append(made)
        return built(
            self._kind,
            {"endpoint": "peer", **self._options, **more},
            Context(self._site, endpoint=lambda name: made, log=structlog.get_logger()),
        )


@asynccontextmanager
async def peer(kind: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Peer]:
    async with AsyncExitStack() as stack:
        made = await PEERS[kind](stack, request, folder)
        stack.push_async_callback(made.close)
        yield made


async def rest(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    erp = stack.enter_context(Erp().serving())
    reach = Reaching("rest", "rest", folder, {"call": "POST /orders/{number}"})

    async def arrived() -> list[tuple[str, bytes]]:
        return [(one.key, one.body) for one in erp.requests]

    def fails() -> None:
        erp.script = lambda asked: Answer(503)

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return reach(base=f"http://127.0.0.1:{port}", timeout=patience, connect_timeout=patience)

    return Peer(urlsplit(erp.url).port or 0, make, arrived, fails, endpoints=reach.endpoints)


async def soap(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    erp = stack.enter_context(SpyneErp().serving())
    erp.contract(folder)
    reach = Reaching("soap", "soap", folder, {"operation": "create_order"})

    async def arrived() -> list[tuple[str, bytes]]:
        return [(one.key, f'{{"number": "{one.number}"}}'.encode()) for one in erp.calls]

    def fails() -> None:
        def script(call: object) -> str:
            raise RuntimeError("a bug over there")

        erp.script = script

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return reach(wsdl="erp.wsdl", address=f"http://127.0.0.1:{port}", timeout=patience, connect_timeout=patience)

    return Peer(urlsplit(erp.url).port or 0, make, arrived, fails, without_facts=True, endpoints=reach.endpoints)


async def file(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    async def arrived() -> list[tuple[str, bytes]]:
        return contents(folder / "out")

    def fails() -> None:
        (folder / "out").write_bytes(b"a file where the folder should be")

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return built("file", {"folder": "out", "name": "{number}.json"}, Context(folder))

    return Peer(0, make, arrived, fails, recognises=True)


async def sftp(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    server: OpenSsh = request.getfixturevalue("openssh")
    place = server.home / "in"
    place.mkdir()
    reach = Reaching("sftp", "sftp", folder, {"folder": "in", "name": "{number}.json"})

    async def arrived() -> list[tuple[str, bytes]]:
        return contents(place)

    def make(port: int, patience: str = PATIENCE) -> Destination:
        login = {"user": server.user, "key": str(server.key), "host_key": server.fingerprint}
        return reach(host="127.0.0.1", port=port, timeout=patience, connect_timeout=patience, **login)

    return Peer(server.port, make, arrived, place.rmdir, recognises=True, endpoints=reach.endpoints)


async def exchange(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    url, name = str(request.getfixturevalue("amqp_url")), f"orders.{request.getfixturevalue('unique')}"
    broker = RabbitBroker(url, name="peer")
    await broker.open()
    stack.push_async_callback(broker.close)
    bound = Topology((Exchange(name),), (Queue(name),), (Binding(name, name, "#"),))
    await broker.declare(bound)
    inbox = Inbox(ack=True)
    await broker.consume(name, inbox)
    stack.push_async_callback(broker.delete_queue, name, if_empty=False)
    reach = Reaching("exchange", "amqp", folder, {"name": name, "key": "{number}"})

    async def arrived() -> list[tuple[str, bytes]]:
        await asyncio.sleep(0.2)
        return [(one.message.id, one.message.body) for one in inbox.all]

    def make(port: int, patience: str = PATIENCE) -> Destination:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{port}"
        return reach(patience, {"timeout": patience}, url=urlunsplit(parts._replace(netloc=place)))

    return Peer(urlsplit(url).port or 5672, make, arrived, lambda: None, endpoints=reach.endpoints)


async def mail(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    (port,) = free_ports(1)
    server = stack.enter_context(MailServer(port=port).serving())
    options = {"from": "hub@ours.example", "to": ("desk@ours.example",), "subject": "Order {number}"}
    reach = Reaching("mail", "mail", folder, options)

    async def arrived() -> list[tuple[str, bytes]]:
        return [(str(one["Message-ID"]), next(one.iter_attachments()).get_content()) for one in server.taken]

    def fails() -> None:
        server.after = lambda: "451 later"

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return reach(host="127.0.0.1", port=port, tls="never", timeout=patience, whole_timeout=patience)

    return Peer(port, make, arrived, fails, endpoints=reach.endpoints)


PEERS = {"rest": rest, "soap": soap, "file": file, "sftp": sftp, "exchange": exchange, "mail": mail}


def contents(folder: Path) -> list[tuple[str, bytes]]:
    """What whoever takes the files sees: a hidden name is a file that isn't whole yet."""
    files = sorted(folder.glob("[!.]*")) if folder.is_dir() else []
    return [(path.name, path.read_bytes()) for path in files]
