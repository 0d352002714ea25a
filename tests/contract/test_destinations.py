"""What every destination keeps to, each with the real peer it delivers to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from hub.core.errors import EndpointError, RejectedError, TransientError
from hub.core.ports import Addressing, Receipt
from tests.support.addresses_seen import SECRET
from tests.support.brokers import LIMIT
from tests.support.destination_peer import Peer
from tests.support.destination_peers import ADDRESSED, KINDS, NETWORKED, peer
from tests.support.listening import Listening
from tests.support.ports import free_ports

HASTY = "700ms"
"""How long those are waited for that say nothing."""

GARBAGE = b"\x00\xff garbage \r\n\r\n" * 20


def marked(kinds: tuple[str, ...]) -> list[object]:
    return [pytest.param(kind, marks=pytest.mark.rabbitmq if kind == "exchange" else ()) for kind in kinds]


@pytest.fixture
async def far_end(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Peer]:
    async with peer(request.param, request, tmp_path) as made:
        yield made


addressed = pytest.mark.parametrize("far_end", marked(ADDRESSED), indirect=True)
every = pytest.mark.parametrize("far_end", marked(KINDS), indirect=True)
over_a_network = pytest.mark.parametrize("far_end", marked(NETWORKED), indirect=True)


@asynccontextmanager
async def listener(said: bytes | None) -> AsyncIterator[int]:
    """A server that says something senseless to everybody who comes, or nothing at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if said is None:
            await reader.read()
        else:
            writer.write(said)

    async with Listening(serve) as server:
        yield server.port


async def failure(far_end: Peer, port: int) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await asyncio.wait_for(far_end.make(port, HASTY).send(far_end.outgoing()), LIMIT)
    return caught.value


@every
async def test_what_is_sent_arrives_byte_for_byte(far_end: Peer) -> None:
    receipt = await far_end.make(far_end.port).send(far_end.outgoing())
    assert isinstance(receipt, Receipt)
    assert [body for _, body in await far_end.arrived()] == [far_end.body]


@every
async def test_the_same_key_twice_can_be_recognised_there(far_end: Peer) -> None:
    destination = far_end.make(far_end.port)
    for _ in range(2):
        await destination.send(far_end.outgoing())
    arrived = await far_end.arrived()
    assert len(arrived) == (1 if far_end.recognises else 2)
    assert len(set(arrived)) == 1


@every
async def test_what_can_never_be_sent_is_a_refusal_and_nothing_leaves(far_end: Peer) -> None:
    outgoing = far_end.outgoing(number="")  # a fact that name, key, path or subject needs
    if far_end.without_facts:
        outgoing = replace(outgoing, body=b"no arguments")
    with pytest.raises(RejectedError):
        await far_end.make(far_end.port).send(outgoing)
    assert await far_end.arrived() == []


@pytest.mark.parametrize("far_end", ["rest", "soap", "sftp", "file", "mail"], indirect=True)
async def test_what_may_change_over_there_is_transient(far_end: Peer) -> None:
    far_end.fails()
    assert isinstance(await failure(far_end, far_end.port), TransientError)


@over_a_network
async def test_a_peer_that_is_away_is_unreachable(far_end: Peer) -> None:
    (port,) = free_ports(1)
    error = await failure(far_end, port)
    assert isinstance(error, TransientError)
    assert error.kind == "unreachable"


@over_a_network
async def test_a_peer_that_says_nothing_is_given_up(far_end: Peer) -> None:
    async with listener(None) as port:
        error = await failure(far_end, port)
    assert isinstance(error, TransientError)
    assert error.kind in ("timeout", "unreachable")


@over_a_network
async def test_a_peer_that_says_garbage_is_transient(far_end: Peer) -> None:
    async with listener(GARBAGE) as port:
        error = await failure(far_end, port)
    assert isinstance(error, TransientError)
    assert error.text.isprintable()
    assert len(error.text) < 1000


@pytest.mark.parametrize("far_end", ["rest", "soap", "mail"], indirect=True)
async def test_a_peer_that_answers_byte_by_byte_is_given_up(far_end: Peer) -> None:
    gone = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(0.1)
        gone.set()

    async with Listening(drip) as server:
        begun = asyncio.get_running_loop().time()
        error = await failure(far_end, server.port)
        await asyncio.wait_for(gone.wait(), LIMIT)
    assert isinstance(error, TransientError)
    assert asyncio.get_running_loop().time() - begun < 15


@every
async def test_many_at_once(far_end: Peer) -> None:
    destination = far_end.make(far_end.port)
    many = [far_end.outgoing(f"k{n}", number=str(n)) for n in range(10)]
    await asyncio.gather(*(destination.send(one) for one in many))
    arrived = await far_end.arrived()
    assert len({identity for identity, _ in arrived}) == 10


@every
async def test_a_send_that_is_given_up_leaves_the_destination_usable(far_end: Peer) -> None:
    destination = far_end.make(far_end.port)
    task = asyncio.create_task(destination.send(far_end.outgoing()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    await destination.send(far_end.outgoing())
    assert len(set(await far_end.arrived())) == 1


@every
async def test_closing_twice_is_harmless(far_end: Peer) -> None:
    destination = far_end.make(far_end.port)
    await destination.send(far_end.outgoing())
    for _ in range(2):
        await destination.close()
        await far_end.close()


@addressed
async def test_an_address_is_made_of_the_document_alone(far_end: Peer, tmp_path: Path) -> None:
    """In a thread without an event loop, while the far end counts who comes: nothing is touched."""
    came: list[asyncio.StreamReader] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(reader)

    async with Listening(count) as server:
        destination, outgoing = far_end.make(server.port), far_end.outgoing()
        there = sorted(tmp_path.rglob("*"))
        first, again = [await asyncio.to_thread(destination.address, outgoing) for _ in range(2)]
        assert sorted(tmp_path.rglob("*")) == there
    assert came == []
    assert first == again
    assert first != destination.address(far_end.outgoing("k2", number="2"))
    assert json.loads(json.dumps(first.shown()))["kind"] == first.kind
    with pytest.raises(FrozenInstanceError):
        first.credentials = ()  # type: ignore[misc]


@addressed
async def test_what_is_sent_goes_exactly_to_its_address(far_end: Peer) -> None:
    destination, outgoing = far_end.make(far_end.port), far_end.outgoing()
    if isinstance(destination, Addressing):
        outgoing = replace(outgoing, fixed_address=destination.fix_address(outgoing))
    told = destination.address(outgoing).shown()
    await destination.send(outgoing)
    (seen,) = await far_end.seen()
    assert seen == {name: value for name, value in told.items() if name not in far_end.unseen}
    assert SECRET not in f"{json.dumps(told)} {outgoing.fixed_address}"


@pytest.mark.parametrize("far_end", marked(tuple(kind for kind in ADDRESSED if kind != "soap")), indirect=True)
async def test_facts_that_make_no_address_are_a_refusal(far_end: Peer) -> None:
    with pytest.raises(RejectedError):
        far_end.make(far_end.port).address(far_end.outgoing(number=""))
