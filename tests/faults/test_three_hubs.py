"""Three hubs on one site: bodies below and above each limit, destinations of different speed, and kills."""

from __future__ import annotations

import random
import time

import pytest

from tests.support.laboratory import Laboratory, order_of

pytestmark = [pytest.mark.rabbitmq, pytest.mark.postgres, pytest.mark.crash]

LIMITS = (1 << 16, 1 << 18, 1 << 20)
"""64 KB: bodies in hand; 256 KB: claims as rows; 1 MB: bodies that travel as claims."""

SIZES = [limit + apart for limit in LIMITS for apart in (-1, 0, 1, 300)]


def bodies(prefix: str, each: int = 1) -> list[tuple[str, bytes]]:
    return [(number := f"{prefix}-{size}-{n}", order_of(number, size)) for size in SIZES for n in range(each)]


def test_bodies_around_every_limit_arrive_whichever_hub_takes_them(laboratory: Laboratory) -> None:
    """What a hub gets from the queue refers only to what another one has committed."""
    laboratory.start(3)
    laboratory.publish(bodies("published", 2))
    laboratory.drop(bodies("dropped"))
    laboratory.check()
    assert laboratory.repeated() == 0


@pytest.mark.laboratory
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_kills_of_three_hubs_lose_and_double_nothing(laboratory: Laboratory, seed: int) -> None:
    chance = random.Random(seed)
    laboratory.start(3)
    for kill in range(8):
        laboratory.publish(
            [(f"p{kill}-{n}", order_of(f"p{kill}-{n}", chance.choice([400, *SIZES]))) for n in range(40)]
        )
        laboratory.drop([(f"d{kill}-{n}", order_of(f"d{kill}-{n}", 400)) for n in range(20)])
        time.sleep(chance.uniform(0.05, 0.6))
        laboratory.restart(chance.randrange(3))
    laboratory.check()


@pytest.mark.laboratory
def test_what_a_fast_destination_has_answered_is_not_asked_again_after_a_kill(laboratory: Laboratory) -> None:
    """The slow one of its siblings is still under way when the hub dies: only that is asked again."""
    laboratory.start(1)
    laboratory.publish([(f"p-{n}", order_of(f"p-{n}", 400)) for n in range(50)])
    deadline = time.monotonic() + 60
    while laboratory.effects().get("delivered", 0) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    recorded = laboratory.delivered("fast")
    laboratory.restart(0)
    laboratory.check()
    again = {request.number for request in laboratory.erp.requests if request.path == "/fast" and request.times > 1}
    assert not again & recorded
