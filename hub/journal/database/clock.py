"""The journal's clock: what processes on different hosts compare is told by the database, not by each host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
POSTGRES_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""The time of the database, in seconds since the epoch, as each dialect writes it."""

SKEW = 2.0
"""Seconds by which the clock of a host may differ from that of the database before somebody is told."""


def database_now(sqlite: bool) -> Any:
    """The same as an expression of SQLAlchemy."""
    return sa.literal_column(SQLITE_NOW if sqlite else POSTGRES_NOW, sa.Double)


class DatabaseClock:
    """Seconds since the epoch by the clock of the database: what it said last, and the monotonic time since then. A host whose clock
    jumps goes on with the same time. Before the database has been asked it is the clock of this host."""

    def __init__(
        self, wall: Callable[[], float] = lambda: time.time(), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self.skew = 0.0
        """Seconds by which the clock of this host is ahead of the database, when it was asked last; negative where it is behind."""

    def __call__(self) -> float:
        return self._offset + self._monotonic()

    def adopt(self, said: float) -> None:
        """Takes over what the database has just said."""
        self._offset = said - self._monotonic()
        self.skew = self._wall() - said

    @property
    def is_skewed(self) -> bool:
        return abs(self.skew) > SKEW

    @property
    def told(self) -> str:
        """For people; empty while the two clocks agree."""
        if not self.is_skewed:
            return ""
        direction = "ahead of" if self.skew > 0 else "behind"
        return f"the clock of this host is {abs(self.skew):.0f}s {direction} the database: synchronize it (NTP)"


def now_of(connection: sa.Connection) -> Any:
    """`database_now` of the database that a connection is of."""
    return database_now(connection.dialect.name == "sqlite")
