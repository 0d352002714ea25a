"""Rate, concurrency and circuit breaker of an endpoint, shared by all destinations of this process that use it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from hub.core.clock import Clock
from hub.core.errors import HubError, TransientError, Withheld
from hub.core.options.duration import seconds
from hub.core.options.limits import LimitOptions

Breaker = Literal["closed", "half_open", "open"]

Said = Callable[[Breaker, str], None]
"""Told when the breaker opens and when it closes again, and why."""


QUICK = 0.05
"""Seconds: a far end is quick while most of its last sends took less. What this thread itself worked meanwhile doesn't
count: a hub that is busy is no slow far end."""

LAST = 8
"""How many sends tell whether a far end is quick."""

STUCK, STUCK_ALL_THE_SAME = 0.1, 0.5
"""Seconds after which a send that is still under way tells that the far end isn't quick: without and with what this
thread worked."""

UNKNOWN = 16
"""Sends under way at most at a far end that has answered none yet, for it to count as quick."""


@dataclass(frozen=True, slots=True)
class LimitState:
    """How an endpoint is now, as this process sees it. `waiting`: requests that wait for their turn. `in_use`: those
    under way. `failures` in a row; `left`: seconds for which it is still left alone."""

    breaker: Breaker = "closed"
    waiting: int = 0
    in_use: int = 0
    failures: int = 0
    left: float = 0.0


class Limit:
    """Lets requests begin one after the other. While the breaker is open a turn raises Withheld at once, with the time
    that is left as `retry_after`. After that time one request tries; what it meets decides for all."""

    def __init__(
        self,
        options: LimitOptions,
        clock: Clock,
        said: Said = lambda breaker, text: None,
        endpoint: str = "the endpoint",
        busy: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._busy = busy
        self._endpoint = endpoint
        self._gap = 1.0 / options.per_second if options.per_second else 0.0
        self._free = asyncio.Semaphore(options.concurrent) if options.concurrent else None
        self._break_after = options.break_after
        self._break_for = seconds(options.break_for)
        self._said = said
        self._next = 0.0
        self._failures = 0
        self._open_until: float | None = None
        self._trying = False
        self._waiting = 0
        self._begun: dict[object, tuple[float, float]] = {}
        self._took: deque[float] = deque(maxlen=LAST)

    @property
    def is_quick(self) -> bool:
        """Whether most of the last sends took less than QUICK seconds, and none is stuck. Of a far end that has
        answered none yet nothing is known: it is quick for a few."""
        if self._begun:
            begun, busy = next(iter(self._begun.values()))
            under_way = self._clock.monotonic() - begun
            if under_way >= STUCK_ALL_THE_SAME or under_way - (self._busy() - busy) >= STUCK:
                return False
        if not self._took:
            return len(self._begun) < UNKNOWN
        return sum(took >= QUICK for took in self._took) * 2 < len(self._took)

    async def take_turn_now(self) -> bool:
        """Takes a turn that would begin at once at a quick far end, without ever waiting for one. The caller goes on
        with `turn(taken=True)` or gives it back. False without a bound on what is under way at once: nothing says then
        what the far end bears."""
        if self._free is None or self._open_until is not None or self._waiting or self._free.locked():
            return False
        if (self._gap and self._next > self._clock.monotonic()) or not self.is_quick:
            return False
        await self._free.acquire()  # is free, so it returns at once
        if self._gap:  # no other request begins before this one's place in time is over
            self._next = self._clock.monotonic() + self._gap
        return True

    def give_turn_back(self) -> None:
        """A turn that was taken, and is not used."""
        if self._free is not None:
            self._free.release()

    @property
    def state(self) -> LimitState:
        if self._open_until is None:
            return LimitState("closed", self._waiting, len(self._begun), self._failures)
        left = max(self._open_until - self._clock.monotonic(), 0.0)
        breaker: Breaker = "open" if left > 0 else "half_open"
        return LimitState(breaker, self._waiting, len(self._begun), self._failures, left)

    @property
    def trying(self) -> bool:
        """Whether a request is under way that decides whether the endpoint is still left alone."""
        return self._trying

    @asynccontextmanager
    async def turn(self, *, taken: bool = False) -> AsyncIterator[None]:
        """One request. Its TransientError counts as a failure, unless the far end is only busy; anything else is an
        answer. `taken`: its turn was taken before."""
        if not taken:
            await self._wait_for_turn()
        try:
            async with self._counted(paced=taken):
                yield
        finally:
            self.give_turn_back()

    async def _wait_for_turn(self) -> None:
        self._waiting += 1
        try:
            if self._free is not None:
                await self._free.acquire()
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _counted(self, *, paced: bool) -> AsyncIterator[None]:
        tries = self._begin()
        opened = self._open_until
        try:
            if not paced:
                await self._pace()
            request = object()
            begun, busy = self._clock.monotonic(), self._busy()
            self._begun[request] = begun, busy
            try:
                yield
            finally:
                del self._begun[request]
                self._took.append(self._clock.monotonic() - begun - (self._busy() - busy))
        except TransientError as error:
            if error.kind != "busy":
                self._failed(error, tries)
            raise
        except HubError:
            self._answered(opened)
            raise
        else:
            self._answered(opened)
        finally:
            if tries:
                self._trying = False

    def _begin(self) -> bool:
        """Whether this is the request that tries an endpoint which was left alone. Raises Withheld while it is."""
        if self._open_until is None:
            return False
        left = self._open_until - self._clock.monotonic()
        if left > 0 or self._trying:
            text = f"left alone after {self._failures} failures in a row, for {max(left, 0.0):.0f} more seconds"
            raise Withheld(f"{self._endpoint} is {text}", self._endpoint, max(left, 0.0), watched=True)
        self._trying = True
        return True

    def _failed(self, error: TransientError, tries: bool) -> None:
        self._failures += 1
        if self._break_after is None or (self._open_until is not None and not tries):
            return  # begun before it opened: the time that it is left alone doesn't grow
        if tries or self._failures >= self._break_after:
            was_closed = self._open_until is None
            self._open_until = self._clock.monotonic() + self._break_for
            if was_closed:
                self._said("open", f"{self._failures} failures in a row, the last: {error.text}")

    def _answered(self, opened: float | None) -> None:
        """An answer to a request that was begun before it opened says nothing of how it is now."""
        if self._open_until is not None and opened is None:
            return
        self._failures = 0
        if self._open_until is not None:
            self._open_until = None
            self._said("closed", "it answers again")

    async def _pace(self) -> None:
        if not self._gap:
            return
        now = self._clock.monotonic()
        begin = max(now, self._next)
        self._next = begin + self._gap
        if begin > now:
            self._waiting += 1
            try:
                await self._clock.sleep(begin - now)
            finally:
                self._waiting -= 1
