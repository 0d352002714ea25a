"""What every source keeps to, each with the real peer that it takes from. No hub is around it: the intake is the test's
own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import EndpointError, HubError, JournalUnavailable, TransientError
from hub.core.identity import digest, message_id
from hub.core.ports import Arrival, Source, Take, Taken
from hub.journal.journal import Journal
from tests.support.brokers import LIMIT, eventually
from tests.support.calling_peers import DropBoxPeer, HttpPeer, SoapPeer
from tests.support.list_peer import ListPeer
from tests.support.lists import Lists, Reply
from tests.support.moto_store import moto_bucket
from tests.support.proxy import TcpProxy
from tests.support.source_peer import Seat, SourcePeer
from tests.support.source_peers import (
    ClockPeer,
    FilePeer,
    ListeningProxy,
    QueuePeer,
    RedisPeer,
    SftpPeer,
    StorePeer,
    StreamPeer,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # moto's and kombu's

ON_RABBITMQ = ("exchange", "stream")
GOING = ("file", "store", "sftp", "exchange", "stream", "bridge", "sftp_server", "http", "soap", "rest")
KINDS = (*GOING, "schedule")
LOOKS_AGAIN = 0.5
"""Seconds in which each of these sources would have looked again."""


def marked(kinds: tuple[str, ...]) -> list[object]:
    return [pytest.param(kind, marks=pytest.mark.rabbitmq if kind in ON_RABBITMQ else ()) for kind in kinds]


every = pytest.mark.parametrize("peer", marked(KINDS), indirect=True)
that_can_go = pytest.mark.parametrize("peer", marked(GOING), indirect=True)


@pytest.fixture
async def peer(request: pytest.FixtureRequest, tmp_path: Path, unique: str) -> AsyncIterator[SourcePeer]:
    async with AsyncExitStack() as stack:
        journal = Journal(str(tmp_path / "hub.db"), tmp_path / "claims", SystemClock())
        await journal.open()
        stack.push_async_callback(journal.close)
        made = await far_end(request.param, Seat(tmp_path, journal, unique), stack, request)
        stack.push_async_callback(made.close)
        yield made


async def far_end(kind: str, seat: Seat, stack: AsyncExitStack, request: pytest.FixtureRequest) -> SourcePeer:
    async def behind(port: int, made: type[TcpProxy] = TcpProxy) -> Any:
        proxy = made("127.0.0.1", port)
        await proxy.start()
        stack.push_async_callback(proxy.close)
        return proxy

    if kind in ON_RABBITMQ:
        url = str(request.getfixturevalue("amqp_url"))
        broker = RabbitBroker(url, SystemClock(), name="peer")
        await broker.open()
        stack.push_async_callback(broker.close)
        proxy = await behind(urlsplit(url).port or 5672, ListeningProxy)
        return (QueuePeer if kind == "exchange" else StreamPeer)(seat, proxy, broker, url)
    if kind == "store":
        bucket = stack.enter_context(moto_bucket())
        return StorePeer(seat, await behind(urlsplit(bucket.url).port or 0), bucket)
    if kind == "sftp":
        server = request.getfixturevalue("openssh")
        return SftpPeer(seat, await behind(server.port), server)
    if kind == "bridge":
        redis = request.getfixturevalue("redis_server")
        return RedisPeer(seat, await behind(redis.port), redis)
    if kind == "rest":
        lists = await stack.enter_async_context(Lists(lambda question: Reply({})).serving())
        return ListPeer(seat, await behind(urlsplit(lists.url).port or 0), lists)
    plain = {"file": FilePeer, "sftp_server": DropBoxPeer, "http": HttpPeer, "soap": SoapPeer, "schedule": ClockPeer}
    return plain[kind](seat)


class Intake:
    """Takes what it is offered, once `opens` is set. `errors` are raised first, one at each offer."""

    def __init__(self, *errors: HubError) -> None:
        self.offered: list[Arrival] = []
        self.bodies: list[bytes] = []
        self.opens = asyncio.Event()
        self.opens.set()
        self._errors = list(errors)

    async def __call__(self, arrival: Arrival) -> Taken:
        self.offered.append(arrival)
        self.bodies.append(b"".join(arrival.body.chunks()))
        if self._errors:
            raise self._errors.pop(0)
        await self.opens.wait()
        return Taken(1)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.offered) >= number

        await eventually(reached)

    @property
    def identities(self) -> set[str]:
        """By which rule A of the design recognises what was taken before."""
        return {
            message_id(digest(body), (), arrival.salt) for arrival, body in zip(self.offered, self.bodies, strict=True)
        }


async def kept_running(source: Source, take: Take) -> None:
    """As the hub does it: a source that fails for a while is run again."""
    while True:
        with suppress(EndpointError):
            await source.run(take)
        await asyncio.sleep(0.1)


@asynccontextmanager
async def running(source: Source, take: Take) -> AsyncIterator[None]:
    task = asyncio.create_task(kept_running(source, take))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=LIMIT)
        assert task.cancelled()


@every
async def test_it_comes_once_byte_for_byte_and_is_acknowledged_only_after_it_was_taken(peer: SourcePeer) -> None:
    intake = Intake()
    intake.opens.clear()
    await peer.offer()
    async with running(peer.source(), intake):
        await intake.count(1)
        await asyncio.sleep(LOOKS_AGAIN)
        assert not await peer.acknowledged()
        intake.opens.set()
        await eventually(peer.acknowledged)
        await asyncio.sleep(LOOKS_AGAIN)
    (arrival,) = intake.offered
    assert intake.bodies == [peer.body]
    assert (arrival.source, arrival.name, arrival.partner) == (peer.source_name, peer.name, peer.partner)
    assert dict(arrival.facts) == peer.facts


@every
async def test_what_could_not_be_taken_is_offered_again(peer: SourcePeer) -> None:
    intake = Intake(TransientError("the broker is away", "unreachable"), JournalUnavailable("the database is down"))
    await peer.offer()
    async with running(peer.source(), intake):
        await intake.count(3)
        await eventually(peer.acknowledged)
    assert intake.bodies == [peer.body] * 3
    assert len(intake.identities) == 1


@every
async def test_what_was_in_work_when_the_source_was_stopped_is_offered_again(peer: SourcePeer) -> None:
    stopped, intake = asyncio.Event(), Intake()

    async def ends_with_the_hub(arrival: Arrival) -> Taken:
        intake.offered.append(arrival)
        intake.bodies.append(b"".join(arrival.body.chunks()))
        await stopped.wait()
        raise TransientError("the hub stops", "unreachable")

    await peer.offer()
    task = asyncio.create_task(kept_running(peer.source(), ends_with_the_hub))
    await intake.count(1)
    task.cancel()
    stopped.set()
    await asyncio.wait({task}, timeout=LIMIT)
    assert task.cancelled()
    assert not await peer.acknowledged()
    begun = len(intake.offered)
    async with running(peer.source(), intake):
        await intake.count(begun + 1)
        await eventually(peer.acknowledged)
    assert set(intake.bodies) == {peer.body}
    assert len(intake.identities) == 1


@every
async def test_the_same_thing_offered_twice_has_one_identity(peer: SourcePeer) -> None:
    intake = Intake()
    for number in (1, 2):
        await peer.offer()
        async with running(peer.source(), intake):
            await intake.count(number)
            await eventually(peer.acknowledged)
    assert len(intake.offered) == 2
    assert len(intake.identities) == 1


@that_can_go
async def test_a_peer_that_goes_and_comes_back_is_taken_from_again(peer: SourcePeer) -> None:
    intake = Intake()
    await peer.offer()
    async with running(peer.source(), intake):
        await intake.count(1)
        await eventually(peer.acknowledged)
        await peer.goes()
        await asyncio.sleep(LOOKS_AGAIN)
        await peer.comes()
        await peer.offer()
        await intake.count(2)
        await eventually(peer.acknowledged)
    assert set(intake.bodies) == {peer.body}
