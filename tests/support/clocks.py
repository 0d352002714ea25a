"""Clocks of tests."""

from __future__ import annotations

from hub.clock.system_clock import SystemClock
from hub.core.clock import Clock
from hub.journal.database.clock import DatabaseClock


def ahead_of(clock: Clock, seconds: float) -> Clock:
    """A clock that is ahead of another one by so many seconds."""
    ahead = DatabaseClock(clock)
    ahead.adopt(clock() + seconds)
    return ahead


class SetClock(SystemClock):
    """A clock that a test sets: `wall` as people set that of a host, `steady` as it goes on."""

    def __init__(self, wall: float = 1000.0, steady: float = 50.0) -> None:
        self.wall = wall
        self.steady = steady

    def __call__(self) -> float:
        return self.wall

    def monotonic(self) -> float:  # type: ignore[override]
        return self.steady

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds
