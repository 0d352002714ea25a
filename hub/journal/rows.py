"""The rows of the journal by name, in the order of the columns of `hub.journal.schema`; a test compares the two.

Types that end in Row have every column of their table, but for the id of an event. The others have what one statement writes.
"""

from __future__ import annotations

from typing import NamedTuple


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
    status: str
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
    status: str
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
    ack: str
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
    ack: str
    ack_message: str | None


class QueueRow(NamedTuple):
    name: str
    route: str | None
    declared_at: float
