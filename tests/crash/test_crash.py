"""Real hub processes, ended by SIGKILL: nothing is lost, and nothing that was recorded is sent again."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from tests.support.crashing_hub import POINTS
from tests.support.erp import Answer, Erp
from tests.support.site import HubProcess, SiteOnDisk, order
from tests.support.x12 import orders_850

pytestmark = pytest.mark.crash
SECONDS = 90.0


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as server:
        yield server


RABBITMQ = pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)
GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))


@pytest.fixture(params=["embedded", RABBITMQ])
def site(request: pytest.FixtureRequest, tmp_path: Path, erp: Erp) -> SiteOnDisk:
    """`grown` is RabbitMQ with PostgreSQL as the journal."""
    amqp = request.getfixturevalue("amqp_vhost") if request.param != "embedded" else None
    journal = request.getfixturevalue("database_url") if request.param == "grown" else "var/hub.db"
    return SiteOnDisk(tmp_path, erp.url, amqp=amqp, journal=journal)


def wait_for(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def delivered_keys(site: SiteOnDisk) -> set[str]:
    return keys_of(site, "delivered")


def keys_of(site: SiteOnDisk, *statuses: str) -> set[str]:
    """The keys of all effects that are committed with one of these, read from the journal of a hub that is dead."""
    if "://" in site.environ["HUB_JOURNAL"]:
        return {key for key, status in asyncio.run(rows_of_postgres(site.environ["HUB_JOURNAL"])) if status in statuses}
    path = site.folder / "var/hub.db"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT key, status FROM effect").fetchall()
        except sqlite3.OperationalError:
            return set()
    return {key for key, status in rows if status in statuses}


async def rows_of_postgres(url: str) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(url)
    try:
        return [(row["key"], row["status"]) for row in await connection.fetch("SELECT key, status FROM effect")]
    except asyncpg.UndefinedTableError:
        return []
    finally:
        await connection.close()


def assert_same_bytes(erp: Erp) -> None:
    bodies: dict[str, set[bytes]] = {}
    for request in erp.requests:
        bodies.setdefault(request.key, set()).add(request.body)
    assert all(len(found) == 1 for found in bodies.values())


@pytest.mark.parametrize("times", [1, 7])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_hand_over_loses_and_repeats_nothing_that_is_recorded(
    site: SiteOnDisk, erp: Erp, point: str, times: int
) -> None:
    numbers = {f"{n}" for n in range(1000, 1012)}
    for number in sorted(numbers):
        site.drop(f"{number}.json", order(number))
    crashing = HubProcess(site, module="tests.support.crashing_hub", environ={"HUB_CRASH": f"{point}:{times}"})
    crashing.start()
    assert crashing.wait_end() == -9, crashing.log.read_text()
    committed, before = delivered_keys(site), len(erp.requests)
    hub = HubProcess(site)
    try:
        hub.start()
        hub.wait_ready()
        wait_for(lambda: set(erp.numbers()) == numbers, f"{numbers - set(erp.numbers())} are lost")
        wait_for(lambda: not list((site.folder / "var/drop/.hub-work").iterdir()), "a file stays in work")
        wait_for(lambda: len(delivered_keys(site)) == len(numbers), "an effect is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert committed.isdisjoint(request.key for request in erp.requests[before:])
    assert max(request.times for request in erp.requests) <= 2
    assert_same_bytes(erp)
    assert len(list((site.folder / "var/drop/done").iterdir())) == len(numbers)


@pytest.mark.parametrize("site", ["embedded", RABBITMQ, GROWN], indirect=True)
def test_ten_kills_in_a_run_of_two_thousand_documents(site: SiteOnDisk, erp: Erp) -> None:
    kills, files, each = 10, 20, 100
    numbers = {f"{file}-{n}" for file in range(files) for n in range(each)}
    for file in range(files):
        body = orders_850([f"{file}-{n}" for n in range(each)], file + 1)
        site.drop(f"{file:02d}.edi", body, "var/edi")
    hub = HubProcess(site)
    committed: list[tuple[int, set[str]]] = []
    uncommitted = 0
    try:
        for kill in range(1, kills + 1):
            hub.start()
            goal = kill * len(numbers) // (kills + 2)
            wait_for(lambda goal=goal: len(set(erp.numbers())) >= goal, f"{len(erp.requests)} of {goal} requests")
            hub.kill()
            time.sleep(0.2)  # what the dead process had written to its sockets arrives
            keys = delivered_keys(site)
            committed.append((len(erp.requests), keys))
            uncommitted += len({request.key for request in erp.requests} - keys)
        hub.start()
        wait_for(lambda: set(erp.numbers()) == numbers, f"{len(numbers - set(erp.numbers()))} are lost")
        wait_for(lambda: len(delivered_keys(site)) == len(numbers), "an effect is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert set(erp.numbers()) == numbers
    for index, keys in committed:
        assert keys.isdisjoint(request.key for request in erp.requests[index:])
    assert len(erp.requests) - len(numbers) <= uncommitted
    assert_same_bytes(erp)
    print(
        f"{len(numbers)} documents, {kills} kills, {len(erp.requests) - len(numbers)} repeats ({uncommitted} uncommitted)"
    )


REFUSED = Answer(422, b'{"error": "no"}')
HELD = Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')


@pytest.mark.parametrize("point", ["after_commit:30", "before_ack:6", "after_ack:6"])
@pytest.mark.parametrize(("answer", "status"), [(REFUSED, "dead"), (HELD, "held")], ids=["refused", "held"])
def test_a_refusal_or_a_hold_that_is_recorded_is_not_asked_for_again(
    site: SiteOnDisk, erp: Erp, point: str, answer: Answer, status: str
) -> None:
    erp.script = lambda request: answer
    numbers = {f"{n}" for n in range(1000, 1012)}
    for number in sorted(numbers):
        site.drop(f"{number}.json", order(number))
    crashing = HubProcess(site, module="tests.support.crashing_hub", environ={"HUB_CRASH": point})
    crashing.start()
    assert crashing.wait_end() == -9, crashing.log.read_text()
    recorded, before = keys_of(site, status), len(erp.requests)
    hub = HubProcess(site)
    try:
        hub.start()
        hub.wait_ready()
        wait_for(lambda: set(erp.numbers()) == numbers, f"{numbers - set(erp.numbers())} are lost")
        wait_for(lambda: len(keys_of(site, status)) == len(numbers), "an outcome is not recorded")
        assert hub.stop() == 0
    finally:
        hub.kill()
    assert recorded.isdisjoint(request.key for request in erp.requests[before:])
    assert_same_bytes(erp)
