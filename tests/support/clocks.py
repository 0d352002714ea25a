"""Clocks of tests."""

from __future__ import annotations

from hub.core.clock import Clock
from hub.journal.database.clock import DatabaseClock


def ahead_of(clock: Clock, seconds: float) -> Clock:
    """A clock that is ahead of another one by so many seconds."""
    ahead = DatabaseClock(clock)
    ahead.adopt(clock() + seconds)
    return ahead
