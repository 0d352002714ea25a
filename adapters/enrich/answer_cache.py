"""Answers that are kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 10_000
"""Answers that are kept; the one that was asked for least lately goes first."""


class AnswerCache(Generic[T]):
    """By question. What is asked while it is being asked waits for that answer. An error is nobody's answer but theirs
    who waited.

    `age`: seconds for which an answer is kept; 0: it isn't. `clock` gives seconds that never go back."""

    def __init__(self, age: float, clock: Callable[[], float], most: int = MOST) -> None:
        self._age, self._clock, self._most = age, clock, most
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._asking: dict[Hashable, asyncio.Future[T]] = {}

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer. Raises what `ask` raises."""
        kept = self._kept.get(question)
        if kept is not None and self._clock() - kept[0] < self._age:
            self._kept.move_to_end(question)
            return kept[1]
        asking = self._asking.get(question)
        if asking is None:
            asking = asyncio.ensure_future(ask())
            self._asking[question] = asking
            asking.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.shield(asking)

    def _answered(self, question: Hashable, done: asyncio.Future[T]) -> None:
        del self._asking[question]
        if done.cancelled() or done.exception() is not None or not self._age:
            return
        self._kept[question] = (self._clock(), done.result())
        self._kept.move_to_end(question)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
