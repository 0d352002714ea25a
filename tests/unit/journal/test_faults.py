"""Whose fault it was decides whether a message waits or is buried."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.journal.database.faults import first_line, is_away, is_conflict


def _wrapped(error: Exception) -> DBAPIError:
    """As SQLAlchemy hands over what asyncpg raised."""
    adapted = AsyncAdapt_asyncpg_dbapi.Error(str(error), error)  # type: ignore[no-untyped-call]
    adapted.__cause__ = error
    return DBAPIError("SELECT 1", {}, adapted)


AWAY = ("57P03", "57P01", "57P02", "53300", "53100", "53200", "28P01", "28000", "08006", "3D000", "58030", "25006")
REFUSED = ("22021", "22001", "23505", "42P01", "42703", "54000", "0A000", "40001", "40P01")


@pytest.mark.parametrize("state", AWAY)
def test_these_states_mean_that_the_server_is_away(state: str) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": "said so"})
    assert is_away(error)
    assert is_away(_wrapped(error))


@pytest.mark.parametrize("state", REFUSED)
def test_these_states_are_about_the_statement(state: str) -> None:
    error = _wrapped(asyncpg.PostgresError.new({"C": state, "M": "no connection between the two"}))
    assert not is_away(error)
    assert is_conflict(error) == state.startswith("40")


def test_what_breaks_on_the_way_is_away() -> None:
    for error in (ConnectionResetError(), TimeoutError(), PoolTimeout("the pool is empty")):
        assert is_away(error)
    ended = asyncpg.InterfaceError("the underlying connection is closed")
    assert is_away(InterfaceError("SELECT 1", {}, ended))
    assert is_away(DBAPIError("SELECT 1", {}, ValueError("x"), connection_invalidated=True))


def test_arguments_that_the_driver_refuses_are_not_away() -> None:
    for text in ("the number of query arguments cannot exceed 32767", "the server expects 1 argument for this query"):
        assert not is_away(InterfaceError("SELECT 1", {}, asyncpg.InterfaceError(text)))
    for other in (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), ValueError(), KeyError("x")):
        assert not is_away(other)


def test_sqlite_that_is_locked_is_away_and_a_missing_table_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    assert is_away(_raised(engine, "CREATE TABLE t (a)"))
    holder.execute("ROLLBACK")
    holder.close()
    for statement in ("SELECT * FROM missing", "SELECT missing", f"SELECT {','.join('?' * 40_000)}", "SELEKT"):
        assert not is_away(_raised(engine, statement, ("x",) * statement.count("?")))
    engine.dispose()


def test_sqlite_files_that_cannot_be_used_are_away(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"not a database" * 100)
    for place in ("no/such/folder.db", "junk.db"):
        engine = sa.create_engine(f"sqlite:///{tmp_path / place}")
        assert is_away(_raised(engine, "CREATE TABLE t (a)"))
        engine.dispose()


def _raised(engine: sa.Engine, statement: str, arguments: tuple[str, ...] = ()) -> Exception:
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.exec_driver_sql(statement, arguments)
    return caught.value


def test_every_error_says_something_in_one_line() -> None:
    assert first_line(TimeoutError()) == "TimeoutError"
    assert first_line(OSError("one\ntwo")) == "one"
