"""Rate, concurrency and breaker of an endpoint."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.clock import Clock
from hub.core.errors import RejectedError, TransientError
from hub.core.options.limits import LimitOptions
from hub.runtime.delivery.limit import Limit


async def fail(limit: Limit, error: Exception) -> None:
    with pytest.raises(type(error)):
        async with limit.turn():
            raise error


async def test_never_more_than_so_many_at_once(clock: Clock) -> None:
    limit, now, most = Limit(LimitOptions(concurrent=3), clock), 0, 0

    async def work() -> None:
        nonlocal now, most
        async with limit.turn():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 3


async def test_requests_begin_with_a_gap(clock: Clock) -> None:
    limit, first, begun = Limit(LimitOptions(per_second=100), clock), clock.monotonic(), []
    for _ in range(4):
        async with limit.turn():
            begun.append(clock.monotonic())
    assert all(at - first >= 0.0099 * number for number, at in enumerate(begun))  # the n-th never before its slot


async def test_failures_in_a_row_open_the_breaker_and_one_request_tries_it(clock: Clock) -> None:
    limit = Limit(LimitOptions(break_after=2, break_for="50s"), clock)
    await fail(limit, TransientError("down", "unreachable"))
    await fail(limit, TransientError("down", "timeout"))
    with pytest.raises(TransientError, match="left alone") as open_:
        async with limit.turn():
            pytest.fail("the breaker is open")
    assert open_.value.kind == "busy"
    assert open_.value.retry_after is not None
    await clock.sleep(60.0)
    begun, go = asyncio.Event(), asyncio.Event()

    async def trial() -> None:
        async with limit.turn():
            begun.set()
            await go.wait()

    task = asyncio.create_task(trial())
    await begun.wait()
    with pytest.raises(TransientError, match="left alone"):
        async with limit.turn():
            pytest.fail("only one request tries")
    go.set()
    await task
    async with limit.turn():
        pass


async def test_what_was_begun_before_it_opened_says_nothing_of_how_it_is_now(clock: Clock) -> None:
    limit, go = Limit(LimitOptions(break_after=1, break_for="50s"), clock), asyncio.Event()

    async def slow() -> None:
        async with limit.turn():
            await go.wait()

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    await fail(limit, TransientError("down", "unreachable"))
    go.set()
    await task
    assert limit.state.breaker == "open"
    with pytest.raises(TransientError, match="left alone"):
        async with limit.turn():
            pytest.fail("the breaker is open")


async def test_the_state_is_visible_and_its_changes_are_told(clock: Clock) -> None:
    told: list[tuple[str, str]] = []
    limit = Limit(LimitOptions(concurrent=1, break_after=2, break_for="30s"), clock, lambda *said: told.append(said))
    go = asyncio.Event()

    async def work() -> None:
        async with limit.turn():
            await go.wait()

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await clock.sleep(0.01)
    assert (limit.state.in_use, limit.state.waiting, limit.state.breaker) == (1, 2, "closed")
    go.set()
    await asyncio.gather(*tasks)
    await fail(limit, TransientError("no", "failed"))
    assert limit.state.failures == 1
    await fail(limit, TransientError("gone", "unreachable"))
    assert limit.state.breaker == "open"
    assert 0 < limit.state.left <= 30.0
    await clock.sleep(40.0)
    assert limit.state.breaker == "half_open"
    await fail(limit, TransientError("still gone", "unreachable"))
    assert limit.state.breaker == "open"
    await clock.sleep(40.0)
    await fail(limit, RejectedError("a refusal is an answer"))
    assert limit.state == type(limit.state)()
    assert told == [("open", "2 failures in a row, the last: gone"), ("closed", "it answers again")]


async def test_a_request_that_is_given_up_lets_the_next_one_try(clock: Clock) -> None:
    limit = Limit(LimitOptions(break_after=1, break_for="10s"), clock)
    await fail(limit, TransientError("down", "unreachable"))
    await clock.sleep(20.0)

    async def stuck() -> None:
        async with limit.turn():
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with limit.turn():
        pass
    assert limit.state.breaker == "closed"


@pytest.mark.parametrize("error", [RejectedError("no"), TransientError("later", "busy")])
async def test_refusals_and_busy_answers_are_no_failures(clock: Clock, error: Exception) -> None:
    limit = Limit(LimitOptions(break_after=1), clock)
    await fail(limit, error)
    async with limit.turn():
        pass
