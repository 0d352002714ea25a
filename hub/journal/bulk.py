"""Bulk statements: many rows, one statement.

On SQLite all rows of a batch travel in one `VALUES` list: sqlite3 releases the interpreter lock at every step, and a step
a row would make the writer thread queue for the lock as often as there are rows. On PostgreSQL the driver pipelines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from hub.core.dead_letter import DeadStatus
from hub.core.effect import SENDABLE, Act, EffectStatus
from hub.core.message import storable
from hub.core.once_key import OnceStatus
from hub.journal.processes import living_text
from hub.journal.schema import listed

Row = tuple[Any, ...]
SQLITE_PARAMETERS = 30_000
LIVING = "{living}"


@dataclass(frozen=True, slots=True, eq=False)
class Bulk:
    """`INSERT INTO table (columns) VALUES ... conflict`, in the order in which the statements of a batch run. In `conflict` the mark LIVING
    stands for the processes that live."""

    table: str
    columns: tuple[str, ...]
    conflict: str = ""

    def on_conflict(self, *, sqlite: bool) -> str:
        return self.conflict.replace(LIVING, living_text(sqlite))

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        if connection.dialect.name == "sqlite":
            most = max(1, SQLITE_PARAMETERS // len(self.columns))
            for start in range(0, len(rows), most):
                part = [encodable(row) for row in rows[start : start + most]]
                flat = tuple(chain.from_iterable(part))
                connection.exec_driver_sql(_sqlite_text(self, len(part)), flat)
        else:
            connection.exec_driver_sql(_postgres_text(self), [clean(row) for row in rows])


@lru_cache(maxsize=4096)
def _sqlite_text(bulk: Bulk, rows: int) -> str:
    one = "(" + ",".join("?" * len(bulk.columns)) + ")"
    return f"INSERT INTO {bulk.table} ({','.join(bulk.columns)}) VALUES {','.join([one] * rows)} {bulk.on_conflict(sqlite=True)}"


@lru_cache(maxsize=64)
def _postgres_text(bulk: Bulk) -> str:
    marks = ",".join(f"${n}" for n in range(1, len(bulk.columns) + 1))
    return f"INSERT INTO {bulk.table} ({','.join(bulk.columns)}) VALUES ({marks}) {bulk.on_conflict(sqlite=False)}"


def clean(row: Row) -> Row:
    """As `encodable`, and without NUL, which PostgreSQL's text can't hold: a hostile value must not stop a commit."""
    row = encodable(row)
    if any(isinstance(value, str) and "\x00" in value for value in row):
        return tuple(value.replace("\x00", "\ufffd") if isinstance(value, str) else value for value in row)
    return row


def encodable(row: Row) -> Row:
    """Texts that came from bytes which were no UTF-8 are written with escapes."""
    if all(value.isascii() for value in row if type(value) is str):
        return row
    return tuple(storable(value) if isinstance(value, str) else value for value in row)


CLAIM = Bulk("claim", ("digest", "size", "body", "created_at"), "ON CONFLICT (digest) DO NOTHING")
MESSAGE = Bulk(
    "message",
    (
        *("id", "source", "name", "claim", "position", "document", "canonical", "partner", "number", "received_at"),
        "direction",
    ),
    "ON CONFLICT (id) DO UPDATE SET document = coalesce(excluded.document, message.document),"
    " canonical = coalesce(excluded.canonical, message.canonical),"
    " partner = coalesce(excluded.partner, message.partner), number = coalesce(excluded.number, message.number)",
)
KEY = Bulk("business_key", ("value", "kind", "message_id"), "ON CONFLICT (value, kind, message_id) DO NOTHING")
EVENT = Bulk("event", ("message_id", "at", "stage", "route", "destination", "attempt", "text", "detail"))

PREPARE = Bulk(
    "effect",
    (
        *("document_id", "destination", "route", "status", "generation", "key", "claim", "content_type"),
        *("attempts", "first_at", "updated_at", "claimed_by", "facts", "expect_ack", "address"),
    ),
    "ON CONFLICT (document_id, destination) DO UPDATE SET claimed_by = excluded.claimed_by,"
    " facts = CASE WHEN effect.claim IS NULL THEN excluded.facts ELSE effect.facts END,"
    " expect_ack = CASE WHEN effect.claim IS NULL THEN excluded.expect_ack ELSE effect.expect_ack END,"
    " address = CASE WHEN effect.claim IS NULL THEN excluded.address ELSE effect.address END,"
    " claim = coalesce(effect.claim, excluded.claim),"
    " content_type = coalesce(effect.content_type, excluded.content_type), updated_at = excluded.updated_at"
    f" WHERE effect.status IN {listed(SENDABLE)} AND (effect.claimed_by IS NULL OR effect.claimed_by = excluded.claimed_by"
    f" OR effect.claimed_by NOT IN {LIVING})",
)
SETTLE = Bulk(
    "effect",
    (
        *("document_id", "destination", "route", "status", "generation", "key", "attempts", "text", "reply"),
        *("reply_type", "first_at", "updated_at"),
    ),
    "ON CONFLICT (document_id, destination) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,"
    " text = excluded.text, reply = coalesce(excluded.reply, effect.reply),"
    " reply_type = coalesce(excluded.reply_type, effect.reply_type), updated_at = excluded.updated_at,"
    f" claimed_by = NULL WHERE effect.status IN {listed(Act.ATTEMPT.before)}"
    f" AND (effect.generation = excluded.generation OR excluded.status = '{EffectStatus.DEAD}')",
)
"""What was decided stays: an attempt that ends after its document was held, or sent anew in another generation, changes nothing. A
dead letter is the end of whatever is in force, for it is recorded by those who don't know the generation."""

ONCE = Bulk(
    "once_key",
    ("route", "value", "owner", "status", "updated_at"),
    f"ON CONFLICT (route, value) DO UPDATE SET owner = excluded.owner, status = '{OnceStatus.PENDING}',"
    f" updated_at = excluded.updated_at WHERE once_key.status = '{OnceStatus.FREED}'",
)
HOLD = Bulk(
    "hold",
    (
        *("id", "document_id", "route", "destination", "name", "owner", "due_at", "status", "cause", "partner"),
        *("number", "headers", "body", "held_at"),
    ),
    "ON CONFLICT (id) DO NOTHING",
)
DEAD = Bulk(
    "dead_letter",
    (
        *("id", "message_id", "kind", "queue", "route", "source", "destinations", "partner", "number", "error"),
        *("cause", "attempts", "headers", "body", "content_type", "status", "parent", "dead_at"),
        "owner",
    ),
    "ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, error = excluded.error, attempts = excluded.attempts,"
    f" headers = excluded.headers, status = '{DeadStatus.DEAD}', dead_at = excluded.dead_at, owner = excluded.owner"
    f" WHERE dead_letter.status = '{DeadStatus.DEAD}' OR dead_letter.decided_at < excluded.dead_at",
)
SENT = Bulk(
    "interchange_sent",
    (
        *("partner", "control_number", "document_id", "destination", "generation", "route", "headers", "body"),
        *("taken_at", "ack"),
    ),
)
BATCH_MEMBER = Bulk(
    "batch_member",
    (
        *("document_id", "destination", "generation", "route", "partner", "gathered", "document", "test", "headers"),
        *("body", "added_at", "ack"),
    ),
    "ON CONFLICT (document_id, destination, generation) DO NOTHING",
)
RECEIVED = Bulk(
    "interchange_received",
    ("partner", "control_number", "claim", "position", "name", "at", "duplicate"),
    "ON CONFLICT (partner, control_number, claim) DO NOTHING",
)
QUEUE = Bulk("declared_queue", ("name", "route", "declared_at"), "ON CONFLICT (name) DO NOTHING")

IN_ORDER = (CLAIM, MESSAGE, KEY, ONCE, PREPARE, SETTLE, HOLD, DEAD, QUEUE, BATCH_MEMBER, EVENT)
