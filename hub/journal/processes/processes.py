"""The processes that share a journal, and which of them live."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.journal import schema
from hub.journal.database.clock import POSTGRES_NOW, SQLITE_NOW, database_now

HEARTBEAT_SECONDS = 3.0

LIVE_SECONDS = 15.0
"""A process whose heartbeat is older than this is taken for dead. Heartbeats are written and compared by the database's
clock."""


def living(sqlite: bool, seconds: float = LIVE_SECONDS) -> Any:
    """The ids of the processes that live, as a select: those that have beaten within `seconds`."""
    table = schema.process
    return sa.select(table.c.id).where(table.c.heartbeat_at > database_now(sqlite) - seconds)


def living_text(sqlite: bool) -> str:
    """The same as SQL."""
    now = SQLITE_NOW if sqlite else POSTGRES_NOW
    return f"(SELECT id FROM process WHERE heartbeat_at > {now} - {LIVE_SECONDS})"
