"""The clock: handed to whoever reads the time or waits. Nothing else in the hub does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Two readings, and what waits by them.

    `clock()` is the time that all processes of a site share, in seconds since the epoch: for leases, claims of work,
    ages and schedules. It may jump. `clock.monotonic()` never goes back and means nothing outside this process: for
    delays and limits. `sleep`, `timeout` and `call_later` count monotonic seconds, in the running event loop.
    """

    def __call__(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """Cancels its block after so many seconds and raises TimeoutError then; None: never."""
        ...

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> Timer: ...


def read_utc(clock: Clock) -> datetime:
    """What the clock shows, in UTC."""
    return datetime.fromtimestamp(clock(), UTC)


class NoClock:
    """The clock of whoever needs none. Raises RuntimeError when it is used all the same."""

    def __call__(self) -> float:
        raise RuntimeError(NOT_GIVEN)

    def monotonic(self) -> float:
        raise RuntimeError(NOT_GIVEN)

    async def sleep(self, seconds: float) -> None:
        raise RuntimeError(NOT_GIVEN)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        raise RuntimeError(NOT_GIVEN)

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> Timer:
        raise RuntimeError(NOT_GIVEN)


NOT_GIVEN = "no clock was given here: hand a hub.core.clock.Clock to the Context"
NO_CLOCK = NoClock()
