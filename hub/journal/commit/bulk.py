"""Bulk statements: many rows, one statement.

On SQLite all rows of a batch travel in one `VALUES` list: sqlite3 releases the interpreter lock at every step, and a
step a row would make the writer thread queue for the lock as often as there are rows. On PostgreSQL the driver
pipelines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.base import PGDialect

from hub.core.dead_letter import DeadStatus
from hub.core.effect import SENDABLE, Act, EffectStatus
from hub.core.message import storable
from hub.core.once_key import OnceStatus
from hub.journal import schema
from hub.journal.processes.processes import living_text
from hub.journal.rows import (
    BatchMemberRow,
    ClaimRow,
    DeadLetterRow,
    EffectPrepared,
    EffectSettled,
    EventRow,
    HoldRow,
    InterchangeReceivedRow,
    InterchangeSentRow,
    KeyRow,
    MessageRow,
    OnceRow,
    QueueRow,
    columns,
    typed,
)
from hub.journal.schema import listed

Row = tuple[Any, ...]
R = TypeVar("R", bound=NamedTuple)
SQLITE_PARAMETERS = 30_000
LIVING = "{living}"


@dataclass(frozen=True, slots=True, eq=False)
class Bulk(Generic[R]):
    """`INSERT INTO table (fields of row) VALUES ... conflict`. In `conflict` the mark LIVING stands for the processes
    that live."""

    table: str
    row: type[R]
    conflict: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return self.row._fields

    def on_conflict(self, *, sqlite: bool) -> str:
        return self.conflict.replace(LIVING, living_text(sqlite))

    def write(self, connection: Connection, rows: Sequence[R]) -> None:
        if connection.dialect.name == "sqlite":
            most = max(1, SQLITE_PARAMETERS // len(self.columns))
            for start in range(0, len(rows), most):
                part = rows[start : start + most]
                flat = flattened(part)
                connection.exec_driver_sql(_sqlite_text(self, len(part)), flat)
        else:
            connection.exec_driver_sql(_postgres_text(self), [clean(row) for row in rows])


@dataclass(frozen=True, slots=True, eq=False)
class Taking(Generic[R]):
    """A bulk statement that answers which rows it has written, by the values of the columns `key`. No two rows may have
    one key."""

    bulk: Bulk[R]
    key: tuple[str, ...]

    def insert(self, connection: Connection, rows: Sequence[R]) -> set[tuple[str, ...]]:
        bulk, written = self.bulk, set[tuple[str, ...]]()
        if not rows:
            return written
        returning = f" RETURNING {','.join(self.key)}"
        if connection.dialect.name == "sqlite":
            most = max(1, SQLITE_PARAMETERS // len(bulk.columns))
            for start in range(0, len(rows), most):
                part = rows[start : start + most]
                flat = flattened(part)
                written |= set(map(tuple, connection.exec_driver_sql(_sqlite_text(bulk, len(part)) + returning, flat)))
        else:
            columns = tuple(list(column) for column in zip(*map(clean, rows), strict=True))
            written |= set(map(tuple, connection.exec_driver_sql(_postgres_array_text(bulk) + returning, columns)))
        return written


@lru_cache(maxsize=4096)
def _sqlite_text(bulk: Bulk[Any], rows: int) -> str:
    one = "(" + ",".join("?" * len(bulk.columns)) + ")"
    return (
        f"INSERT INTO {bulk.table} ({','.join(bulk.columns)}) VALUES {','.join([one] * rows)}"
        f" {bulk.on_conflict(sqlite=True)}"
    )


@lru_cache(maxsize=64)
def _postgres_text(bulk: Bulk[Any]) -> str:
    marks = ",".join(f"${n}" for n in range(1, len(bulk.columns) + 1))
    return f"INSERT INTO {bulk.table} ({','.join(bulk.columns)}) VALUES ({marks}) {bulk.on_conflict(sqlite=False)}"


@lru_cache(maxsize=64)
def _postgres_array_text(bulk: Bulk[Any]) -> str:
    """One array a column, so that any number of rows is one statement."""
    types = schema.metadata.tables[bulk.table].c
    dialect = PGDialect()  # type: ignore[no-untyped-call]
    casts = (f"CAST(${n} AS {types[name].type.compile(dialect)}[])" for n, name in enumerate(bulk.columns, 1))
    conflict = bulk.on_conflict(sqlite=False)
    return f"INSERT INTO {bulk.table} ({','.join(bulk.columns)}) SELECT * FROM unnest({','.join(casts)}) {conflict}"


def clean(row: Row) -> Row:
    """As `encodable`, and without NUL, which PostgreSQL's text can't hold: a hostile value must not stop a commit."""
    row = encodable(row)
    if any(isinstance(value, str) and "\x00" in value for value in row):
        return tuple(value.replace("\x00", "\ufffd") if isinstance(value, str) else value for value in row)
    return row


def stored(connection: Connection, text: str) -> str:
    """A text as its column has it."""
    return str(clean((text,))[0]) if connection.dialect.name == "postgresql" else text


def select_in(
    connection: Connection,
    row: type[R],
    table: sa.Table,
    column: sa.Column[Any],
    values: Sequence[str],
    *more: sa.ColumnElement[bool],
) -> list[R]:
    """All rows whose column is one of the values, however many there are, and of which `more` is true."""
    select, found = sa.select(*columns(row, table)).where(*more), list[R]()
    for start in range(0, len(values), 900):
        found += typed(row, connection.execute(select.where(column.in_(values[start : start + 900]))))
    return found


def flattened(rows: Sequence[Row]) -> Row:
    """The values of all rows, each as `encodable` gives it."""
    flat = tuple(chain.from_iterable(rows))
    if all(map(str.isascii, [value for value in flat if type(value) is str])):
        return flat
    return tuple(chain.from_iterable(map(encodable, rows)))


def encodable(row: Row) -> Row:
    """Texts that came from bytes which were no UTF-8 are written with escapes."""
    if all(value.isascii() for value in row if type(value) is str):
        return row
    return tuple(storable(value) if isinstance(value, str) else value for value in row)


CLAIM = Bulk("claim", ClaimRow, "ON CONFLICT (digest) DO NOTHING")
MESSAGE = Bulk(
    "message",
    MessageRow,
    "ON CONFLICT (id) DO UPDATE SET document = coalesce(excluded.document, message.document),"
    " canonical = coalesce(excluded.canonical, message.canonical),"
    " partner = coalesce(excluded.partner, message.partner), number = coalesce(excluded.number, message.number),"
    " terms = coalesce(message.terms, excluded.terms)",
)
KEY = Bulk("business_key", KeyRow, "ON CONFLICT (value, kind, message_id) DO NOTHING")
EVENT = Bulk("event", EventRow)

PREPARE = Bulk(
    "effect",
    EffectPrepared,
    "ON CONFLICT (document_id, destination) DO UPDATE SET claimed_by = excluded.claimed_by, facts = CASE WHEN"
    " effect.claim IS NULL THEN excluded.facts ELSE effect.facts END, expect_ack = CASE WHEN effect.claim IS NULL THEN"
    " excluded.expect_ack ELSE effect.expect_ack END, address = CASE WHEN effect.claim IS NULL THEN excluded.address"
    " ELSE effect.address END, claim = coalesce(effect.claim, excluded.claim), content_type ="
    " coalesce(effect.content_type, excluded.content_type), updated_at = excluded.updated_at WHERE effect.status IN"
    f" {listed(SENDABLE)} AND (effect.claimed_by IS NULL OR effect.claimed_by = excluded.claimed_by OR"
    f" effect.claimed_by NOT IN {LIVING})",
)
PREPARE_NEW = Taking(
    Bulk("effect", EffectPrepared, "ON CONFLICT (document_id, destination) DO NOTHING"), ("document_id", "destination")
)
SETTLE = Bulk(
    "effect",
    EffectSettled,
    "ON CONFLICT (document_id, destination) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,"
    " text = excluded.text, reply = coalesce(excluded.reply, effect.reply),"
    " reply_type = coalesce(excluded.reply_type, effect.reply_type), updated_at = excluded.updated_at,"
    f" claimed_by = NULL WHERE effect.status IN {listed(Act.ATTEMPT.before)}"
    f" AND (effect.generation = excluded.generation OR excluded.status = '{EffectStatus.DEAD}')",
)
"""What was decided stays: an attempt that ends after its document was held, or sent anew in another generation, changes
nothing. A dead letter is the end of whatever is in force, for it is recorded by those who don't know the generation."""

ONCE = Bulk(
    "once_key",
    OnceRow,
    f"ON CONFLICT (route, value) DO UPDATE SET owner = excluded.owner, status = '{OnceStatus.PENDING}',"
    f" updated_at = excluded.updated_at WHERE once_key.status = '{OnceStatus.FREED}'",
)
ONCE_TAKEN = Taking(ONCE, ("route", "value"))
HOLD = Bulk("hold", HoldRow, "ON CONFLICT (id) DO NOTHING")
DEAD = Bulk(
    "dead_letter",
    DeadLetterRow,
    "ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, error = excluded.error, attempts = excluded.attempts,"
    f" headers = excluded.headers, status = '{DeadStatus.DEAD}', dead_at = excluded.dead_at, owner = excluded.owner"
    f" WHERE dead_letter.status = '{DeadStatus.DEAD}' OR dead_letter.decided_at < excluded.dead_at",
)
SENT = Bulk("interchange_sent", InterchangeSentRow)
BATCH_MEMBER = Bulk("batch_member", BatchMemberRow, "ON CONFLICT (document_id, destination, generation) DO NOTHING")
RECEIVED = Bulk(
    "interchange_received",
    InterchangeReceivedRow,
    "ON CONFLICT (partner, control_number, claim) DO NOTHING",
)
QUEUE = Bulk("declared_queue", QueueRow, "ON CONFLICT (name) DO NOTHING")
