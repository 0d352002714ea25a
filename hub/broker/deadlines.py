"""Time limits of many waiting things with one timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from hub.core.clock import Clock, Timer

T = TypeVar("T")

STEP = 0.1
"""Seconds between looks: a limit is kept to this precision."""


class Deadlines(Generic[T]):
    """Calls `expired` for each thing that is still there after its limit. Used from one event loop."""

    def __init__(self, expired: Callable[[T], None], clock: Clock) -> None:
        self._expired = expired
        self._clock = clock
        self._ends: dict[T, float] = {}
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, thing: T, seconds: float) -> None:
        self._ends[thing] = self._clock.monotonic() + seconds
        if self._timer is None:
            self._timer = self._clock.call_later(STEP, self._look)

    def discard(self, thing: T) -> None:
        self._ends.pop(thing, None)

    def clear(self) -> list[T]:
        """Forgets everything and says what it was; the timer ends."""
        things = list(self._ends)
        self._ends.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return things

    def _look(self) -> None:
        now = self._clock.monotonic()
        for thing in [thing for thing, end in self._ends.items() if end <= now]:
            del self._ends[thing]
            self._expired(thing)
        self._timer = self._clock.call_later(STEP, self._look) if self._ends else None
