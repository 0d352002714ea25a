"""Rate, concurrency and breaker of an endpoint."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.errors import RejectedError, TransientError
from hub.core.limits import LimitOptions
from hub.runtime.limit import Limit


async def fail(limit: Limit, error: Exception) -> None:
    with pytest.raises(type(error)):
        async with limit.turn():
            raise error


async def test_never_more_than_so_many_at_once() -> None:
    limit, now, most = Limit(LimitOptions(concurrent=3)), 0, 0

    async def work() -> None:
        nonlocal now, most
        async with limit.turn():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 3


async def test_requests_begin_with_a_gap() -> None:
    clock = asyncio.get_running_loop().time
    limit, first, begun = Limit(LimitOptions(per_second=100)), clock(), []
    for _ in range(4):
        async with limit.turn():
            begun.append(clock())
    assert all(at - first >= 0.0099 * number for number, at in enumerate(begun))  # the n-th never before its slot


async def test_failures_in_a_row_open_the_breaker_and_one_request_tries_it() -> None:
    limit = Limit(LimitOptions(break_after=2, break_for="50ms"))
    await fail(limit, TransientError("down", "unreachable"))
    await fail(limit, TransientError("down", "timeout"))
    with pytest.raises(TransientError, match="left alone") as open_:
        async with limit.turn():
            pytest.fail("the breaker is open")
    assert open_.value.kind == "busy"
    assert open_.value.retry_after is not None
    await asyncio.sleep(0.06)
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


@pytest.mark.parametrize("error", [RejectedError("no"), TransientError("later", "busy")])
async def test_refusals_and_busy_answers_are_no_failures(error: Exception) -> None:
    limit = Limit(LimitOptions(break_after=1))
    await fail(limit, error)
    async with limit.turn():
        pass
