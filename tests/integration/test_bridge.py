"""Bridges to other brokers by kombu: a real Redis, a server that speaks SQS, folders."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import kombu
import pytest
import redis
import structlog
from moto.server import ThreadedMotoServer
from pydantic import ValidationError
from structlog.testing import capture_logs

import adapters.bridge.endpoint
from adapters.bridge import (
    BridgeDestination,
    BridgeDestinationOptions,
    BridgeEndpoint,
    BridgeEndpointOptions,
    BridgeSource,
    BridgeSourceOptions,
)
from adapters.bridge.source import raw_body
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Arrival, Outgoing, Taken
from tests.support.brokers import eventually
from tests.support.redis import RedisServer
from tests.support.running_source import running_source

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Takes:
    """An intake that remembers, and refuses the first tries when told so."""

    def __init__(self, refuse: int = 0) -> None:
        self.arrivals: list[Arrival] = []
        self.refused = 0
        self._refuse = refuse

    async def __call__(self, arrival: Arrival) -> Taken:
        if self.refused < self._refuse:
            self.refused += 1
            raise TransientError("the journal is away", "unreachable")
        self.arrivals.append(arrival)
        return Taken(1)

    @property
    def bodies(self) -> list[bytes]:
        return sorted(b"".join(arrival.body.chunks()) for arrival in self.arrivals)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.arrivals) >= number

        await eventually(reached)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"sqs://test:test@{host}:{port}/"
    server.stop()


@pytest.fixture(params=["redis", "sqs", "filesystem"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> BridgeEndpoint:
    if request.param == "redis":
        wanted: dict[str, Any] = {"url": request.getfixturevalue("redis_server").url}
    elif request.param == "sqs":
        options = {"region": "us-east-1", "is_secure": False, "polling_interval": 0.1, "wait_time_seconds": 1}
        wanted = {"url": request.getfixturevalue("sqs"), "options": options}
    else:
        folders = {"data_folder_in": "bus", "data_folder_out": "bus", "control_folder": "control"}
        wanted = {"url": "filesystem://", "options": folders}
    return BridgeEndpoint("other", BridgeEndpointOptions.model_validate(wanted), tmp_path)


def destination(endpoint: BridgeEndpoint, **options: Any) -> BridgeDestination:
    wanted = {"endpoint": "other", "queue": "orders", **options}
    return BridgeDestination(BridgeDestinationOptions.model_validate(wanted), endpoint, SystemClock())


@asynccontextmanager
async def taking(endpoint: BridgeEndpoint, take: Any, **options: Any) -> AsyncIterator[None]:
    wanted = BridgeSourceOptions.model_validate({"endpoint": "other", "queue": "orders", **options})
    source = BridgeSource(
        "bridge", wanted, endpoint, Context(Path("/"), log=structlog.get_logger(), clock=SystemClock())
    )
    async with running_source(source, take):
        yield


def outgoing(body: bytes, key: str = "k", **facts: str) -> Outgoing:
    return Outgoing("id", "order@1", key, body, "application/json", facts={"partner": "ACME", **facts})


async def test_what_is_published_is_taken_with_its_headers(endpoint: BridgeEndpoint) -> None:
    out = destination(endpoint, headers={"x-partner": "{partner}"})
    for n in range(5):
        await out.send(outgoing(b'{"n": %d}' % n, f"key-{n}"))
    await out.close()
    take = Takes()
    async with taking(endpoint, take, facts={"who": "header.x-partner"}):
        await take.count(5)
    assert take.bodies == [b'{"n": %d}' % n for n in range(5)]
    assert {arrival.name for arrival in take.arrivals} == {f"key-{n}" for n in range(5)}
    assert {arrival.facts["who"] for arrival in take.arrivals} == {"ACME"}
    assert {arrival.headers["content_type"] for arrival in take.arrivals} == {"application/json"}


async def test_bytes_of_every_kind_go_through(endpoint: BridgeEndpoint) -> None:
    body = os.urandom(50_000)
    out = destination(endpoint)
    await out.send(outgoing(body))
    await out.close()
    take = Takes()
    async with taking(endpoint, take):
        await take.count(1)
    assert take.bodies == [body]


async def test_what_the_intake_cannot_take_comes_again(endpoint: BridgeEndpoint) -> None:
    out = destination(endpoint)
    await out.send(outgoing(b"again"))
    await out.close()
    take = Takes(refuse=2)
    async with taking(endpoint, take):
        await take.count(1)
    assert take.bodies == [b"again"]
    assert take.refused == 2


async def test_a_message_of_another_client_is_taken_as_it_is(redis_server: RedisServer, tmp_path: Path) -> None:
    """Published as a Django or Celery application would, without the hub's client."""
    with kombu.Connection(redis_server.url) as connection, connection.SimpleQueue("orders") as queue:
        queue.put({"order": 1}, headers={"Hub-Route": "evil", "region": "west"})
        queue.put("plain text", serializer="raw", content_type="text/plain", content_encoding="utf-8")
    endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url=redis_server.url), tmp_path)
    take = Takes()
    async with taking(endpoint, take):
        await take.count(2)
    assert take.bodies == [b"plain text", b'{"order": 1}']
    assert not any(name.lower().startswith("hub-") for arrival in take.arrivals for name in arrival.headers)


async def test_a_stop_gives_back_what_is_in_work(redis_server: RedisServer, tmp_path: Path) -> None:
    endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url=redis_server.url), tmp_path)
    out = destination(endpoint)
    await out.send(outgoing(b"in work"))
    await out.close()
    begun = asyncio.Event()

    async def never_ends(arrival: Arrival) -> Taken:
        begun.set()
        await asyncio.Event().wait()
        return Taken(1)

    async with taking(endpoint, never_ends):
        await asyncio.wait_for(begun.wait(), 20)
    take = Takes()
    async with taking(endpoint, take):
        await take.count(1)
    assert take.bodies == [b"in work"]


async def test_a_redis_that_is_away_is_unreachable_and_comes_back(redis_server: RedisServer, tmp_path: Path) -> None:
    endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url=redis_server.url, connect_timeout=1.0), tmp_path)
    out = destination(endpoint)
    await out.send(outgoing(b"1"))
    redis_server.stop()
    with pytest.raises(TransientError, match="endpoint other") as away:
        await out.send(outgoing(b"2"))
    assert away.value.kind == "unreachable"
    with pytest.raises(TransientError):
        async with taking(endpoint, Takes()):
            await asyncio.sleep(3)
    redis_server.start()
    await out.send(outgoing(b"2"))
    await out.close()
    take = Takes()
    async with taking(endpoint, take):
        await take.count(2)
    assert take.bodies == [b"1", b"2"]


async def test_many_sources_leave_the_threads_to_the_others(tmp_path: Path) -> None:
    options = {"data_folder_in": "bus", "data_folder_out": "bus", "control_folder": "control"}
    wanted = BridgeEndpointOptions.model_validate({"url": "filesystem://", "options": options})
    endpoint = BridgeEndpoint("other", wanted, tmp_path)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(2))
    async with taking(endpoint, Takes(), queue="a"), taking(endpoint, Takes(), queue="b"):
        await asyncio.sleep(0.3)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"


async def test_a_redis_that_never_answers_stops_neither_a_send_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.bridge.endpoint, "SILENCE", 0.5)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url=url, connect_timeout=1), tmp_path)
        one = destination(endpoint)
        with pytest.raises(TransientError):
            await asyncio.wait_for(one.send(outgoing(b"x")), 20)
        await asyncio.wait_for(one.close(), 20)


async def test_a_take_that_breaks_is_said_and_the_message_comes_again(endpoint: BridgeEndpoint) -> None:
    tries: list[float] = []

    async def take(arrival: Arrival) -> Taken:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) == 1:
            raise ValueError("odd")
        return Taken(1)

    one = destination(endpoint)
    await one.send(outgoing(b"x"))
    await one.close()
    with capture_logs() as logs:
        async with taking(endpoint, take):

            async def twice() -> bool:
                return len(tries) == 2

            await eventually(twice)
    assert [entry["error"] for entry in logs if entry["event"] == "message_not_taken"] == ["ValueError: odd"]
    assert tries[1] - tries[0] > 0.5


@pytest.mark.parametrize(
    ("body", "encoding", "raw"),
    [
        ("é", "utf-8", "é".encode()),
        ("é", "latin-1", b"\xe9"),
        ("é", "ascii", "é".encode()),
        ("é", "no-such", "é".encode()),
        ("é", "binary", "é".encode()),
        ("x", None, b"x"),
        (b"\xff", "binary", b"\xff"),
        (None, "", b""),
    ],
)
def test_a_body_is_never_changed_whatever_its_encoding_is_called(body: Any, encoding: Any, raw: bytes) -> None:
    assert raw_body(body, encoding) == raw


async def test_a_fact_that_is_missing_is_a_refusal(endpoint: BridgeEndpoint) -> None:
    with pytest.raises(RejectedError, match="needs the fact"):
        await destination(endpoint, queue="orders.{region}").send(outgoing(b"x"))


@pytest.mark.parametrize("url", ["amqp://localhost", "memory://", "reddis://localhost", "localhost", "http://x"])
def test_what_is_no_bridge_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        BridgeEndpointOptions(url=url)


@pytest.mark.parametrize("codec", ["application/x-gzip", "application/x-unknown", "7"])
async def test_nobody_unpacks_what_a_sender_says_is_compressed(codec: str, tmp_path: Path) -> None:
    """A body of 64 KB that would be 64 MB stays what it is; and the source goes on."""
    folders = {"data_folder_in": "bus", "data_folder_out": "bus", "control_folder": "control"}
    endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url="filesystem://", options=folders), tmp_path)
    bomb = zlib.compress(bytes(64 << 20))
    with endpoint.connect() as connection, connection.channel() as channel:
        for body in (bomb, b"plain"):
            kombu.Producer(channel).publish(
                body,
                routing_key="orders",
                declare=[kombu.Queue("orders", durable=True)],
                content_encoding="binary",
                content_type="application/json",
                headers={"compression": codec} if body is bomb else {},
            )
    take = Takes()
    async with taking(endpoint, take):
        await take.count(2)
    assert take.bodies == sorted((bomb, b"plain"))
    assert not any("compression" in arrival.headers for arrival in take.arrivals)


async def test_what_stands_in_redis_without_an_envelope_is_taken_as_it_is(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """It is taken from Redis before kombu reads its envelope: it becomes an arrival, so that its reader says what is
    wrong with it."""
    properties = {"delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": "orders"}}
    no_json = [b'{"order": ', b"\xff\xfe\x00", b"[" * 100_000, b'{"__type__": "decimal", "__value__": "x"}']
    no_envelope: list[Any] = [
        [],
        7,
        None,
        {"number": "1"},
        {"body": "!", "properties": {**properties, "body_encoding": "base64"}},
        {"body": "a", "properties": {**properties, "body_encoding": "rot13"}},
        {"body": "a", "properties": []},
        {"body": 10**12, "properties": properties},
        {"body": "a", "headers": [1], "properties": properties},
    ]
    client = redis.Redis(port=redis_server.port)
    for item in (*no_json, *(json.dumps(one).encode() for one in no_envelope)):
        client.lpush("orders", item)
    take = Takes()
    endpoint = BridgeEndpoint("other", BridgeEndpointOptions(url=redis_server.url), tmp_path)
    async with taking(endpoint, take):
        await take.count(len(no_json) + len(no_envelope))
        for body in ("good", "of the same tag"):
            client.lpush("orders", json.dumps({"body": body, "headers": None, "properties": properties}))
        await take.count(len(no_json) + len(no_envelope) + 2)
    assert client.hlen("unacked") == 0
    assert set(no_json) <= set(take.bodies)
    assert {b"good", b"of the same tag"} <= set(take.bodies)
    assert {b'{"number": "1"}', b"[]", b"7", b"null"} <= set(take.bodies)
    client.close()
