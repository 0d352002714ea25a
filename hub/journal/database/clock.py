"""The journal's clock: what processes on different hosts compare is told by the database, not by each host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import sqlalchemy as sa

from hub.core.clock import Clock, Timer

SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
POSTGRES_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""The time of the database, in seconds since the epoch, as each dialect writes it."""

SKEW = 2.0
"""Seconds by which the clock of a host may differ from that of the database before somebody is told."""


def database_now(sqlite: bool) -> Any:
    """The same as an expression of SQLAlchemy."""
    return sa.literal_column(SQLITE_NOW if sqlite else POSTGRES_NOW, sa.Double)


class DatabaseClock:
    """Seconds since the epoch by the clock of the database: what it said last, and the monotonic time since then. A
    host whose clock jumps goes on with the same time. Before the database has been asked it is the clock of this
    host."""

    def __init__(self, host: Clock) -> None:
        self._host = host
        self.monotonic: Callable[[], float] = host.monotonic
        self._offset = host() - host.monotonic()
        self.skew = 0.0
        """Seconds by which the clock of this host is ahead of the database, when it was asked last; negative where it
        is behind."""

    def __call__(self) -> float:
        return self._offset + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._host.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return self._host.timeout(seconds)

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> Timer:
        return self._host.call_later(seconds, call, *arguments)

    def adopt(self, said: float) -> None:
        """Takes over what the database has just said."""
        self._offset = said - self._host.monotonic()
        self.skew = self._host() - said

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
