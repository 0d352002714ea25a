"""Answers that are kept for a while."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.enrich.answer_cache import AnswerCache


class Oracle:
    """Counts its questions, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def answer(self) -> int:
        self.asked += 1
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return self.asked


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_answer_is_kept_for_its_age_and_no_longer() -> None:
    clock, oracle = Clock(), Oracle()
    cache = AnswerCache[int](10.0, clock)
    assert [await cache.get("q", oracle.answer) for _ in range(3)] == [1, 1, 1]
    clock.now = 10.0
    assert await cache.get("q", oracle.answer) == 2


async def test_without_an_age_only_what_is_asked_at_once_is_asked_once() -> None:
    oracle = Oracle()
    cache = AnswerCache[int](0.0, clock=time.monotonic)
    oracle.open.clear()
    waiting = [asyncio.create_task(cache.get("q", oracle.answer)) for _ in range(5)]
    await asyncio.sleep(0)
    oracle.open.set()
    assert await asyncio.gather(*waiting) == [1] * 5
    assert await cache.get("q", oracle.answer) == 2


async def test_an_error_is_not_kept() -> None:
    oracle = Oracle()
    cache = AnswerCache[int](10.0, clock=time.monotonic)
    oracle.error = ValueError("away")
    with pytest.raises(ValueError, match="away"):
        await cache.get("q", oracle.answer)
    oracle.error = None
    assert await cache.get("q", oracle.answer) == 2


async def test_who_gives_up_spoils_it_for_nobody() -> None:
    oracle = Oracle()
    cache = AnswerCache[int](10.0, clock=time.monotonic)
    oracle.open.clear()
    first, second = (asyncio.create_task(cache.get("q", oracle.answer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    oracle.open.set()
    assert await second == 1


async def test_what_was_asked_for_least_lately_goes_first() -> None:
    oracle = Oracle()
    cache = AnswerCache[int](10.0, most=2, clock=time.monotonic)
    for question in ("a", "b", "a", "c"):
        await cache.get(question, oracle.answer)
    assert oracle.asked == 3
    assert await cache.get("a", oracle.answer) == 1
    assert await cache.get("b", oracle.answer) == 4
