"""Rate, concurrency and circuit breaker of an endpoint, shared by all destinations of this process that use it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
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
        self.open_until: float | None = None
        self._trying = False
        self._waiting = 0
        self.requests: dict[Turn, tuple[float, float]] = {}
        """Those under way: when each began, and what this thread had worked until then."""
        self.took: deque[float] = deque(maxlen=LAST)

    @property
    def is_quick(self) -> bool:
        """Whether most of the last sends took less than QUICK seconds, and none is stuck. Of a far end that has
        answered none yet nothing is known: it is quick for a few."""
        if self.requests:
            begun, busy = next(iter(self.requests.values()))
            under_way = self._clock.monotonic() - begun
            if under_way >= STUCK and (under_way >= STUCK_ALL_THE_SAME or under_way - self._busy() + busy >= STUCK):
                return False
        if not self.took:
            return len(self.requests) < UNKNOWN
        return sum(took >= QUICK for took in self.took) * 2 < len(self.took)

    async def take_turn_now(self) -> bool:
        """Takes a turn that would begin at once at a quick far end, without ever waiting for one. The caller goes on
        with `turn(taken=True)` or gives it back. False without a bound on what is under way at once: nothing says then
        what the far end bears."""
        if self._free is None or self.open_until is not None or self._waiting or self._free.locked():
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

    def read_clocks(self) -> tuple[float, float]:
        """Seconds: monotonic, and what this thread has worked."""
        return self._clock.monotonic(), self._busy()

    def measure(self, begun: float, busy: float) -> float:
        """Seconds that a request took, without what this thread itself worked meanwhile where that matters."""
        took = self._clock.monotonic() - begun
        return took if took < QUICK else took - (self._busy() - busy)

    @property
    def state(self) -> LimitState:
        if self.open_until is None:
            return LimitState("closed", self._waiting, len(self.requests), self._failures)
        left = max(self.open_until - self._clock.monotonic(), 0.0)
        breaker: Breaker = "open" if left > 0 else "half_open"
        return LimitState(breaker, self._waiting, len(self.requests), self._failures, left)

    @property
    def trying(self) -> bool:
        """Whether a request is under way that decides whether the endpoint is still left alone."""
        return self._trying

    def turn(self, *, taken: bool = False) -> Turn:
        """One request, as an asynchronous context. Its TransientError counts as a failure, unless the far end is only
        busy; anything else is an answer. `taken`: its turn was taken before."""
        return Turn(self, taken)

    async def wait_for_turn(self) -> None:
        self._waiting += 1
        try:
            if self._free is not None:
                await self._free.acquire()
        finally:
            self._waiting -= 1

    def begin(self) -> bool:
        """Whether this is the request that tries an endpoint which was left alone. Raises Withheld while it is."""
        if self.open_until is None:
            return False
        left = self.open_until - self._clock.monotonic()
        if left > 0 or self._trying:
            text = f"left alone after {self._failures} failures in a row, for {max(left, 0.0):.0f} more seconds"
            raise Withheld(f"{self._endpoint} is {text}", self._endpoint, max(left, 0.0), watched=True)
        self._trying = True
        return True

    def end(self, error: BaseException | None, tries: bool, opened: float | None) -> None:
        if tries:
            self._trying = False
        if isinstance(error, TransientError):
            if error.kind != "busy":
                self._failed(error, tries)
        elif error is None or isinstance(error, HubError):
            self._answered(opened)

    def _failed(self, error: TransientError, tries: bool) -> None:
        self._failures += 1
        if self._break_after is None or (self.open_until is not None and not tries):
            return  # begun before it opened: the time that it is left alone doesn't grow
        if tries or self._failures >= self._break_after:
            was_closed = self.open_until is None
            self.open_until = self._clock.monotonic() + self._break_for
            if was_closed:
                self._said("open", f"{self._failures} failures in a row, the last: {error.text}")

    def _answered(self, opened: float | None) -> None:
        """An answer to a request that was begun before it opened says nothing of how it is now."""
        if self.open_until is not None and opened is None:
            return
        self._failures = 0
        if self.open_until is not None:
            self.open_until = None
            self._said("closed", "it answers again")

    async def pace(self) -> None:
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


class Turn:
    """A request: it waits for its turn, and what it meets is counted."""

    __slots__ = ("_limit", "_opened", "_taken", "_tries")

    def __init__(self, limit: Limit, taken: bool) -> None:
        self._limit, self._taken = limit, taken
        self._tries = False
        self._opened: float | None = None

    async def __aenter__(self) -> None:
        limit = self._limit
        if not self._taken:
            await limit.wait_for_turn()
        try:
            self._tries = limit.begin()
            self._opened = limit.open_until
            if not self._taken:
                await self._pace()
        except BaseException:
            limit.give_turn_back()
            raise
        limit.requests[self] = limit.read_clocks()

    async def _pace(self) -> None:
        try:
            await self._limit.pace()
        except BaseException as error:
            self._limit.end(error, self._tries, self._opened)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        limit = self._limit
        limit.took.append(limit.measure(*limit.requests.pop(self)))
        try:
            limit.end(error, self._tries, self._opened)
        finally:
            limit.give_turn_back()
