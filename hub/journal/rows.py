"""The rows of the journal by name; a test compares them with the columns of `hub.journal.schema`. This is the one file
that meets rows as the driver gives them.

Types that end in Row have every column of their table, but for the id of an event. The others have what one statement
writes or asks for. Rows that are read have statuses as members of their enum. Those that are written with every
document (`EventRow`, `OnceRow`, `EffectPrepared`, `EffectSettled`) have texts, which drivers bind faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

import sqlalchemy as sa

from hub.core.ack import Ack
from hub.core.dead_letter import DeadStatus
from hub.core.effect import EffectStatus
from hub.core.hold import HoldStatus

R = TypeVar("R")


def columns(row: type, *tables: sa.Table, **more: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    """What is selected for rows of a type, a NamedTuple or a dataclass: each field is what `more` says, else the column
    of the first table that has it."""
    names = getattr(row, "_fields", ()) or tuple(one.name for one in fields(row))
    return [more[name] if name in more else next(t.c[name] for t in tables if name in t.c) for name in names]


def typed(row: Callable[..., R], found: Iterable[Any]) -> list[R]:
    """The rows of a result whose select was made of `columns` of the same type. Statuses are members of their enum; one
    that a newer hub has written is its text."""
    enums = _enums_of(row)
    if not enums:
        return [row(*one) for one in found]
    rows = []
    for one in found:
        values = list(one)
        for at, members in enums:
            values[at] = members.get(values[at], values[at])
        rows.append(row(*values))
    return rows


@lru_cache(maxsize=64)
def _enums_of(row: Callable[..., Any]) -> tuple[tuple[int, Mapping[str, StrEnum]], ...]:
    """The fields that hold a member of an enum, by their place, with its members by value."""
    hints = get_type_hints(row).values() if isinstance(row, type) else ()
    kinds = (next((kind for kind in (hint, *get_args(hint)) if _is_enum(kind)), None) for hint in hints)
    return tuple((at, {str(one): one for one in kind}) for at, kind in enumerate(kinds) if kind is not None)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


class ClaimRow(NamedTuple):
    digest: str
    size: int
    body: bytes | None
    created_at: float


class MessageRow(NamedTuple):
    id: str
    source: str
    name: str
    claim: str
    position: str
    document: str | None
    canonical: str | None
    partner: str | None
    number: str | None
    received_at: float
    direction: str | None = None
    terms: str | None = None


class KeyRow(NamedTuple):
    value: str
    kind: str
    message_id: str


class EventRow(NamedTuple):
    message_id: str
    at: float
    stage: str
    route: str | None = None
    destination: str | None = None
    attempt: int | None = None
    text: str | None = None
    detail: str | None = None


class EffectPrepared(NamedTuple):
    document_id: str
    destination: str
    route: str
    status: str
    generation: int
    key: str
    claim: str | None
    content_type: str | None
    attempts: int
    first_at: float
    updated_at: float
    claimed_by: str
    facts: str | None
    expect_ack: float | None
    address: str | None


class EffectSettled(NamedTuple):
    document_id: str
    destination: str
    route: str
    status: str
    generation: int
    key: str
    attempts: int
    text: str | None
    reply: str | None
    reply_type: str | None
    first_at: float
    updated_at: float


class OnceRow(NamedTuple):
    route: str
    value: str
    owner: str
    status: str
    updated_at: float


class HoldRow(NamedTuple):
    id: str
    document_id: str
    route: str
    destination: str
    name: str
    owner: str
    due_at: float | None
    status: HoldStatus
    cause: str
    partner: str | None
    number: str | None
    headers: str
    body: str
    held_at: float
    decided_at: float | None = None
    decided_by: str | None = None
    reason: str | None = None


class DeadLetterRow(NamedTuple):
    id: str
    message_id: str
    kind: str
    queue: str
    route: str | None
    source: str | None
    destinations: str
    partner: str | None
    number: str | None
    error: str
    cause: str
    attempts: int
    headers: str
    body: str
    content_type: str
    status: DeadStatus
    parent: str | None
    dead_at: float
    decided_at: float | None
    decided_by: str | None
    reason: str | None
    owner: str


class InterchangeSentRow(NamedTuple):
    partner: str
    control_number: int
    document_id: str
    destination: str
    generation: int
    route: str
    headers: str
    body: str
    transaction_set: str | None
    taken_at: float
    sent_at: float | None
    ack_due_at: float | None
    ack: Ack
    ack_at: float | None
    ack_message: str | None
    ack_text: str | None


class InterchangeReceivedRow(NamedTuple):
    partner: str
    control_number: str
    claim: str
    position: str
    name: str
    at: float
    duplicate: bool


class BatchMemberRow(NamedTuple):
    document_id: str
    destination: str
    generation: int
    route: str
    partner: str
    gathered: str
    document: str
    test: bool
    headers: str
    body: str
    added_at: float
    batch: str | None
    position: int | None
    ack: Ack
    ack_message: str | None


class QueueRow(NamedTuple):
    name: str
    route: str | None
    declared_at: float


class EffectRow(NamedTuple):
    document_id: str
    destination: str
    route: str
    status: EffectStatus
    generation: int
    key: str
    claim: str | None
    content_type: str | None
    attempts: int
    text: str | None
    reply: str | None
    first_at: float
    updated_at: float
    claimed_by: str | None
    facts: str | None
    expect_ack: float | None
    reply_type: str | None
    address: str | None
    mark: str | None


class DeadLetterFound(NamedTuple):
    """A dead letter, the `file` that it came in as, the `claim` of that, and the `position` in it."""

    id: str
    message_id: str
    kind: str
    queue: str
    route: str | None
    source: str | None
    destinations: str
    partner: str | None
    number: str | None
    error: str
    cause: str
    attempts: int
    headers: str
    body: str
    content_type: str
    status: DeadStatus
    parent: str | None
    dead_at: float
    decided_at: float | None
    decided_by: str | None
    reason: str | None
    owner: str
    file: str | None
    claim: str | None
    position: str | None


class DecisionRow(NamedTuple):
    """A `matched` event, which says on which routes a document goes, and to which destinations."""

    id: int
    message_id: str
    at: float
    detail: str | None


class NumberRow(NamedTuple):
    """An interchange that was sent, what is known of its document, and its effect: `in_force` is the generation of
    that."""

    control_number: int
    document_id: str
    destination: str
    generation: int
    transaction_set: str | None
    taken_at: float
    sent_at: float | None
    ack: Ack
    ack_due_at: float | None
    ack_at: float | None
    ack_message: str | None
    ack_text: str | None
    document: str | None
    number: str | None
    status: EffectStatus | None
    in_force: int | None
    claim: str | None
    facts: str | None
    text: str | None


class BatchRow(NamedTuple):
    id: str
    destination: str
    partner: str
    document: str
    test: bool
    members: int
    closed_at: float
    taken_by: str
    published_at: float | None


class StuckBatch(NamedTuple):
    """A batch that is not published. `cause` is why, where one was recorded."""

    id: str
    destination: str
    partner: str
    document: str
    test: bool
    members: int
    closed_at: float
    taken_by: str
    published_at: float | None
    cause: str | None


class RepetitionRow(NamedTuple):
    owner: str
    key: str
    fingerprint: str
    taken_by: str
    taken_at: float
    expires_at: float
    status: int | None
    content_type: str | None
    headers: str | None
    body: bytes | None


class SuspectRow(NamedTuple):
    name: str
    losses: int
    cause: str
    updated_at: float
    begun_by: str | None
    begun_at: float | None
    late: int


class AnswerRow(NamedTuple):
    """A message of ours, and its effect at one destination; without one where no route took it."""

    id: str
    claim: str
    position: str
    document: str | None
    received_at: float
    destination: str | None
    status: EffectStatus | None
    facts: str | None


class CommandRow(NamedTuple):
    id: str
    kind: str
    arguments: str
    who: str
    status: str
    result: str | None
    created_at: float
    done_at: float | None
    taken_by: str | None


class ProcessRow(NamedTuple):
    id: str
    host: str
    pid: int
    started_at: float
    heartbeat_at: float
    table_version: str | None
    listen: str | None
