"""What only the embedded broker promises: one owner, a file that survives, a disk that refuses."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError, TransientError
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, Topology
from tests.support.brokers import Inbox, depth_becomes, eventually, numbered

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "broker.db"


@pytest.fixture
async def broker(path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(path, SystemClock())
    await made.open()
    yield made
    await made.close()


async def _killed(path: Path, what: str, lines: int, prefix: str = "") -> set[str]:
    """What a process said before it was killed in the middle of its work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.embedded_victim", str(path), what, prefix,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    said = {(await process.stdout.readline()).decode().strip() for _ in range(lines)}
    process.kill()
    said |= {line.strip() for line in (await process.stdout.read()).decode().splitlines(keepends=True) if "\n" in line}
    await process.wait()
    return said - {""}


async def test_what_was_confirmed_survives_a_kill(path: Path) -> None:
    confirmed: set[str] = set()
    for run in ("a", "b", "c"):
        confirmed |= await _killed(path, "publish", 200, run)
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    inbox = Inbox(ack=True)
    await broker.consume("q", inbox, prefetch=1000)

    async def complete() -> bool:
        return confirmed <= inbox.ids

    await eventually(complete)
    assert len(confirmed) >= 600
    await broker.close()


async def test_what_was_in_flight_at_a_kill_comes_again_and_says_so(path: Path) -> None:
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    await broker.declare(Topology(queues=(Queue("q"),)))
    for message in numbered(range(15)):
        await broker.publish("", "q", message)
    await broker.close()
    assert await _killed(path, "consume", 10) == {str(number) for number in range(10)}
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    inbox = Inbox()
    await broker.consume("q", inbox)
    deliveries = await inbox.take(15)
    assert [delivery.redelivered for delivery in deliveries] == [True] * 10 + [False] * 5
    assert [delivery.message.id for delivery in deliveries] == [str(number) for number in range(15)]
    await broker.close()


async def test_a_second_owner_is_refused_and_told_who_has_it(broker: EmbeddedBroker, path: Path) -> None:
    second = EmbeddedBroker(path, SystemClock())
    with pytest.raises(ConfigError, match=rf"running process {os.getpid()}"):
        await second.open()
    await broker.declare(Topology(queues=(Queue("q"),)))


async def test_the_file_is_free_after_close(broker: EmbeddedBroker, path: Path) -> None:
    await broker.close()
    second = EmbeddedBroker(path, SystemClock())
    await second.open()
    await second.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, None], ids=["other content", "a folder"])
async def test_a_file_that_is_none_of_ours_is_refused(path: Path, content: bytes | None) -> None:
    if content is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    broker = EmbeddedBroker(path, SystemClock())
    with pytest.raises(ConfigError, match="broker\\.db"):
        await broker.open()
    assert not broker.connected
    await broker.close()


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="can't be used"):
        await EmbeddedBroker(tmp_path / "file" / "broker.db", SystemClock()).open()


async def test_the_topology_survives(broker: EmbeddedBroker, path: Path) -> None:
    topology = Topology(
        (Exchange("x", "headers"),),
        (Queue("q", ttl=60, dead_letter="d", delivery_limit=3, max_length=9),),
        (Binding("x", "q", "", (("kind", "order"),)),),
    )
    await broker.declare(topology)
    await broker.close()
    again = EmbeddedBroker(path, SystemClock())
    await again.open()
    await again.declare(topology)
    await again.publish("x", "", Message("m", b"", headers={"kind": "order"}))
    with pytest.raises(ConfigError, match="max_length is 9, not 10"):
        await again.declare(Topology(queues=(Queue("q", ttl=60, dead_letter="d", delivery_limit=3, max_length=10),)))
    await again.close()


async def test_time_goes_on_while_it_is_closed(broker: EmbeddedBroker, path: Path) -> None:
    await broker.declare(Topology(queues=(Queue("q"), Queue("wait", ttl=0.1, dead_letter="q"))))
    await broker.publish("", "wait", Message("m", b""))
    await broker.close()
    again = EmbeddedBroker(path, SystemClock())
    await again.open()
    inbox = Inbox(ack=True)
    await again.consume("q", inbox)
    assert (await inbox.next()).message.id == "m"
    await again.close()


async def test_a_dead_letter_waits_for_its_queue(broker: EmbeddedBroker) -> None:
    await broker.declare(Topology(queues=(Queue("short", ttl=0.05, dead_letter="late"),)))
    await broker.publish("", "short", Message("m", b"body"))
    await depth_becomes(broker, "short", 0)
    await broker.declare(Topology(queues=(Queue("late"),)))
    inbox = Inbox(ack=True)
    await broker.consume("late", inbox)
    assert (await inbox.next()).message.body == b"body"


async def test_a_crashing_consumer_meets_the_delivery_limit(path: Path) -> None:
    """Every delivery that ended with its process counts, as on RabbitMQ."""
    for _ in range(3):
        broker = EmbeddedBroker(path, SystemClock())
        await broker.open()
        await broker.declare(Topology(queues=(Queue("dead"), Queue("q", dead_letter="dead", delivery_limit=2))))
        if (await broker.depths(["q", "dead"])) == {"q": 0, "dead": 0}:
            await broker.publish("", "q", Message("m", b""))
        inbox = Inbox()
        await broker.consume("q", inbox)
        await inbox.next()
        await broker.close()
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    assert await broker.depths(["q", "dead"]) == {"q": 0, "dead": 1}
    await broker.close()


async def test_a_file_that_cannot_be_written_fails_publishes_and_recovers(broker: EmbeddedBroker, path: Path) -> None:
    await broker.declare(Topology(queues=(Queue("q"),)))
    await broker.publish("", "q", Message("before", b""))
    inbox = Inbox()
    await broker.consume("q", inbox)
    delivery = await inbox.next()
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    delivery.ack()
    with pytest.raises(TransientError) as caught:
        await broker.publish("", "q", Message("refused", b""))
    assert caught.value.kind == "unreachable"
    assert not broker.connected
    intruder.execute("ROLLBACK")
    intruder.close()

    async def healthy() -> bool:
        return broker.connected

    await eventually(healthy)
    await broker.publish("", "q", Message("after", b""))
    assert (await inbox.next()).message.id == "after"
    assert [each.message.id for each in inbox.all] == ["before", "after"], "the acknowledgement was not lost"


async def test_a_question_to_a_closed_broker(path: Path) -> None:
    broker = EmbeddedBroker(path, SystemClock())
    with pytest.raises(TransientError):
        await broker.depths(["q"])
    with pytest.raises(TransientError):
        await broker.publish("", "q", Message("m", b""))
