"""Every destination with the real peer it delivers to, as the contract suite sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.plugin import EndpointPlugin
from hub.core.ports import Destination
from hub.core.topology import Binding, Exchange, Queue, Topology
from tests.support.addresses_seen import (
    SECRET,
    Seen,
    seen_by_consumer,
    seen_by_kombu,
    seen_by_mail,
    seen_by_rest,
    seen_by_soap,
    seen_in,
)
from tests.support.brokers import Inbox
from tests.support.destination_peer import PATIENCE, PLUGINS, Peer, Reaching, built
from tests.support.erp import Answer, Erp
from tests.support.mail_server import MailServer
from tests.support.moto_store import moto_bucket
from tests.support.openssh import OpenSsh
from tests.support.ports import free_ports
from tests.support.spyne_erp import SpyneErp

KIND = frozenset({"kind"})
NETWORKED = ("rest", "soap", "sftp", "exchange", "mail")
KINDS = ("file", *NETWORKED)
ADDRESSED = (*KINDS, "store", "bridge")
"""All that have addresses. Stores and bridges have contract suites of their own beside these."""


@asynccontextmanager
async def peer(kind: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Peer]:
    async with AsyncExitStack() as stack:
        made = await PEERS[kind](stack, request, folder)
        stack.push_async_callback(made.close)
        yield made


async def rest(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    erp = stack.enter_context(Erp().serving())
    options = {
        "call": f"POST /orders/{{number}}?a=1&sig={SECRET}",
        "query": {"region": "{document}", "api_key": SECRET},
        "headers": {"X-Of": "{document}", "X-Functions-Key": SECRET},
    }
    reach = Reaching("rest", "rest", folder, options)

    async def seen() -> list[Seen]:
        return seen_by_rest(erp)

    async def arrived() -> list[tuple[str, bytes]]:
        return [(one.key, one.body) for one in erp.requests]

    def fails() -> None:
        erp.script = lambda asked: Answer(503)

    def make(port: int, patience: str = PATIENCE) -> Destination:
        waits = {"timeout": patience, "connect_timeout": patience}
        return reach(base=f"http://127.0.0.1:{port}", auth={"bearer": SECRET}, **waits)

    return Peer(urlsplit(erp.url).port or 0, make, arrived, fails, seen, KIND, endpoints=reach.endpoints)


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
        address = f"http://127.0.0.1:{port}/?a=1&token={SECRET}"
        return reach(wsdl="erp.wsdl", address=address, timeout=patience, connect_timeout=patience)

    async def seen() -> list[Seen]:
        return seen_by_soap(erp)

    port = urlsplit(erp.url).port or 0
    return Peer(port, make, arrived, fails, seen, KIND, without_facts=True, endpoints=reach.endpoints)


async def file(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    async def arrived() -> list[tuple[str, bytes]]:
        return contents(folder / "out")

    def fails() -> None:
        (folder / "out").write_bytes(b"a file where the folder should be")

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return built("file", {"folder": "out", "name": "{number}.json"}, Context(folder, clock=SystemClock()))

    async def seen() -> list[Seen]:
        return [
            {"name": one["name"], "folder": one["folder"], "target": one["path"]} for one in seen_in(folder / "out")
        ]

    return Peer(0, make, arrived, fails, seen, KIND | {"store", "credentials"}, recognises=True)


async def store(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    bucket = stack.enter_context(moto_bucket())
    wanted = {"url": "s3://acme/edi", "options": {"key": "k", "secret": SECRET, "endpoint_url": bucket.url}}

    async def seen() -> list[Seen]:
        keys = await asyncio.to_thread(bucket.keys, "edi/")
        return [{"folder": key.split("/")[1], "name": key.split("/")[2], "target": f"peer:{key[4:]}"} for key in keys]

    def make(port: int, patience: str = PATIENCE) -> Destination:
        plugin = PLUGINS.find(EndpointPlugin, "store")
        assert plugin is not None
        made = plugin.build("peer", plugin.options.model_validate(wanted), Context(folder, clock=SystemClock()))
        options = {"store": "peer", "folder": "out", "name": "{number}.json"}
        return built("file", options, Context(folder, endpoint=lambda name: made, clock=SystemClock()))

    return Peer(0, make, nothing, lambda: None, seen, KIND | {"store", "credentials"})


async def bridge(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    options = {"data_folder_in": "bus", "data_folder_out": "bus", "control_folder": "control"}
    headers = {"of": "{document}", "token": SECRET}
    reach = Reaching("bridge", "bridge", folder, {"queue": "orders.{number}", "headers": headers})

    async def seen() -> list[Seen]:
        places = {name: str(folder / place) for name, place in options.items()}
        return await asyncio.to_thread(seen_by_kombu, places, "orders.1")

    def make(port: int, patience: str = PATIENCE) -> Destination:
        return reach(url="filesystem://", options=options)

    return Peer(0, make, nothing, lambda: None, seen, KIND | {"endpoint"}, endpoints=reach.endpoints)


async def sftp(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    server: OpenSsh = request.getfixturevalue("openssh")
    place = server.home / "in"
    place.mkdir()
    reach = Reaching("sftp", "sftp", folder, {"folder": "in", "name": "{number}.json"})

    async def seen() -> list[Seen]:
        return [
            {"name": one["name"], "path": one["path"], "target": f"127.0.0.1:{one['path']}"} for one in seen_in(place)
        ]

    async def arrived() -> list[tuple[str, bytes]]:
        return contents(place)

    def make(port: int, patience: str = PATIENCE) -> Destination:
        login = {"user": server.user, "key": str(server.key), "host_key": server.fingerprint}
        return reach(host="127.0.0.1", port=port, timeout=patience, connect_timeout=patience, **login)

    unseen = KIND | {"host", "port", "temporary", "marker", "credentials"}
    return Peer(server.port, make, arrived, place.rmdir, seen, unseen, recognises=True, endpoints=reach.endpoints)


async def exchange(stack: AsyncExitStack, request: pytest.FixtureRequest, folder: Path) -> Peer:
    url, name = str(request.getfixturevalue("amqp_url")), f"orders.{request.getfixturevalue('unique')}"
    broker = RabbitBroker(url, SystemClock(), name="peer")
    await broker.open()
    stack.push_async_callback(broker.close)
    bound = Topology((Exchange(name),), (Queue(name),), (Binding(name, name, "#"),))
    await broker.declare(bound)
    inbox = Inbox(ack=True)
    await broker.consume(name, inbox)
    stack.push_async_callback(broker.delete_queue, name, if_empty=False)
    headers = {"of": "{document}", "token": SECRET}
    reach = Reaching("exchange", "amqp", folder, {"name": name, "key": "{number}", "headers": headers})

    async def seen() -> list[Seen]:
        return seen_by_consumer([await inbox.next()])

    async def arrived() -> list[tuple[str, bytes]]:
        await asyncio.sleep(0.2)
        return [(one.message.id, one.message.body) for one in inbox.all]

    def make(port: int, patience: str = PATIENCE) -> Destination:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{port}"
        return reach(patience, {"timeout": patience}, url=urlunsplit(parts._replace(netloc=place)))

    port, unseen = urlsplit(url).port or 5672, KIND | {"endpoint", "mandatory"}
    return Peer(port, make, arrived, lambda: None, seen, unseen, endpoints=reach.endpoints)


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

    async def seen() -> list[Seen]:
        return seen_by_mail(server)

    return Peer(port, make, arrived, fails, seen, KIND | {"credentials"}, endpoints=reach.endpoints)


PEERS = {
    "rest": rest,
    "soap": soap,
    "file": file,
    "sftp": sftp,
    "exchange": exchange,
    "mail": mail,
    "store": store,
    "bridge": bridge,
}


async def nothing() -> list[tuple[str, bytes]]:
    """Of those of which only addresses are looked at."""
    return []


def contents(folder: Path) -> list[tuple[str, bytes]]:
    """What whoever takes the files sees: a hidden name is a file that isn't whole yet."""
    files = sorted(folder.glob("[!.]*")) if folder.is_dir() else []
    return [(path.name, path.read_bytes()) for path in files]
