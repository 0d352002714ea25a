"""Real hub processes, ended by SIGKILL: nothing is lost, and nothing that was recorded is sent again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crashing_hub import POINTS
from tests.support.erp import Answer, Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.kills import Kills, wait_for
from tests.support.site import SiteOnDisk, order
from tests.support.x12 import orders_850

pytestmark = pytest.mark.crash

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path, erp: Erp) -> SiteOnDisk:
    """`grown` is RabbitMQ with PostgreSQL as the journal."""
    amqp = request.getfixturevalue("amqp_vhost") if request.param != "embedded" else None
    journal = request.getfixturevalue("database_url") if request.param == "grown" else "var/hub.db"
    return SiteOnDisk(tmp_path, erp.url, amqp=amqp, journal=journal)


def drop(site: SiteOnDisk, name: str, count: int = 12) -> set[str]:
    """Orders in files of their own; gives their numbers."""
    numbers = {f"{name}-{n}" for n in range(count)}
    for number in sorted(numbers):
        site.drop(f"{number}.json", order(number))
    return numbers


@pytest.mark.parametrize(
    ("site", "times"),
    [("embedded", 1), pytest.param("rabbitmq", 7, marks=pytest.mark.rabbitmq)],
    indirect=["site"],
)
def test_a_kill_at_each_hand_over_loses_and_repeats_nothing_that_is_recorded(
    site: SiteOnDisk, erp: Erp, forks: HubForks, times: int
) -> None:
    """One hub after the other on the same site, each with new orders beside what the one before has left."""
    kills, numbers = Kills(site, forks, erp), set()
    for point in POINTS:
        numbers |= drop(site, point)
        kills.at(f"{point}:{times}")
    kills.finish(
        (lambda: set(erp.numbers()) == numbers, "an order is lost"),
        (lambda: not list((site.folder / "var/drop/.hub-work").iterdir()), "a file stays in work"),
        (lambda: len(kills.keys()) == len(numbers), "an effect is not recorded"),
    )
    assert len(list((site.folder / "var/drop/done").iterdir())) == len(numbers)


@pytest.mark.parametrize("site", ["embedded", GROWN], indirect=True)
def test_ten_kills_in_a_run_of_a_thousand_documents(site: SiteOnDisk, erp: Erp, forks: HubForks) -> None:
    times, files, each = 10, 10, 100
    numbers = {f"{file}-{n}" for file in range(files) for n in range(each)}
    for file in range(files):
        body = orders_850([f"{file}-{n}" for n in range(each)], file + 1)
        site.drop(f"{file:02d}.edi", body, "var/edi")
    hub, kills = ForkedHub(site, forks), Kills(site, forks, erp)
    try:
        for kill in range(1, times + 1):
            hub.start()
            goal = kill * len(numbers) // (times + 2)
            wait_for(lambda goal=goal: len(set(erp.numbers())) >= goal, f"{len(erp.requests)} of {goal} requests")
            hub.kill()
            kills.note(f"kill {kill}")
    finally:
        hub.kill()
    kills.finish(
        (lambda: set(erp.numbers()) == numbers, "a document is lost"),
        (lambda: len(kills.keys()) == len(numbers), "an effect is not recorded"),
    )


REFUSED = Answer(422, b'{"error": "no"}')
HELD = Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')


@pytest.mark.parametrize(
    ("site", "answer", "status"),
    [
        pytest.param("embedded", REFUSED, "dead", id="embedded-refused"),
        pytest.param("rabbitmq", HELD, "held", id="rabbitmq-held", marks=pytest.mark.rabbitmq),
    ],
    indirect=["site"],
)
def test_a_refusal_or_a_hold_that_is_recorded_is_not_asked_for_again(
    site: SiteOnDisk, erp: Erp, forks: HubForks, answer: Answer, status: str
) -> None:
    erp.script = lambda request: answer
    kills, numbers = Kills(site, forks, erp, status), set()
    for hand_over in ("after_commit:30", "before_ack:6", "after_ack:6"):
        numbers |= drop(site, hand_over.partition(":")[0])
        kills.at(hand_over)
    kills.finish(
        (lambda: set(erp.numbers()) == numbers, "an order is lost"),
        (lambda: len(kills.keys()) == len(numbers), "an outcome is not recorded"),
    )
