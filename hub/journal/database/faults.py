"""What went wrong: the database, a conflict with another transaction, or the statement itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.core.network.network_error import reason_of

_AWAY_CLASSES = ("08", "28", "53", "57", "58")
"""PostgreSQL: connections, logins, resources, the operator (also starting up and shutting down), the system."""
_AWAY_STATES = ("25006", "3D000", "25P03", "55P03")
"""A server that only reads (a standby), a database that isn't there, a session that was idle in a transaction for too
long, a lock that another session kept for too long."""
_CONFLICTS = ("40001", "40P01")

_SQLITE_AWAY = frozenset(
    (
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL),
        *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB),
    )
)


class DatabaseSilent(OSError):
    """The database has not answered in time; whether it did what it was asked for is not known."""


def is_away(error: BaseException) -> bool:
    """Whether the database, not the statement, is what failed: the same may work later."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES
    for each in _layers(error):
        code = getattr(each, "sqlite_errorcode", None)
        if code is not None:
            return code & 0xFF in _SQLITE_AWAY
    return isinstance(error, InterfaceError) and not _is_misuse(error)


def is_refused_write(error: BaseException) -> bool:
    """Whether a statement would have written in a transaction that only reads."""
    codes = {getattr(each, "sqlite_errorcode", None) for each in _layers(error)}
    return sqlstate(error) == "25006" or sqlite3.SQLITE_READONLY in codes


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way: a deadlock, or no serial order. The same works when repeated."""
    return sqlstate(error) in _CONFLICTS


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five characters, None when the error didn't come from its server."""
    for each in _layers(error):
        state = getattr(each, "sqlstate", None)
        if isinstance(state, str) and state:
            return state
    return None


def first_line(error: BaseException) -> str:
    """What it says, in one line; its type when it says nothing. A connection that fails is told as the operating system
    tells it."""
    whole = getattr(error, "orig", None) or error
    text = (reason_of(whole) if isinstance(whole, OSError) else str(whole)).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _layers(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it wraps: SQLAlchemy's, its adapter's, the driver's."""
    seen: list[BaseException | None] = [error, getattr(error, "orig", None)]
    for each in seen[:]:
        seen.append(each.__cause__ if each is not None else None)
    yield from (each for each in seen if each is not None)


def _is_misuse(error: InterfaceError) -> bool:
    """The driver's complaint about the arguments; it has one class for those and for a connection that has ended."""
    return any(
        isinstance(each, ValueError | TypeError) or "argument" in str(each) for each in _layers(error.orig or error)
    )
