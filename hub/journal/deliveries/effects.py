"""Effects as the journal has them, and every change of their status but that of an attempt, which is `bulk.SETTLE`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.effect import FINISHED, Act, EffectStatus
from hub.journal import schema
from hub.journal.commit.bulk import select_in, stored
from hub.journal.commit.writer import Change, Question
from hub.journal.rows import EffectRow


class EffectState(NamedTuple):
    """What the journal knows of one document at one destination. `mine`: this process may send it now."""

    document_id: str
    destination: str
    route: str
    status: EffectStatus
    generation: int
    key: str
    claim: str | None
    content_type: str | None
    attempts: int
    mine: bool
    text: str | None = None
    facts: str | None = None
    expect_ack: float | None = None
    reply: str | None = None
    reply_type: str | None = None
    address: str | None = None
    mark: str | None = None

    @property
    def finished(self) -> bool:
        """Nothing is to be sent: it was delivered, a step has ended it, it goes with a batch, or a person has decided,
        or will."""
        return self.status in FINISHED

    @property
    def needs_bytes(self) -> bool:
        """What every attempt sends is still to be made, by this process."""
        return self.mine and not self.finished and self.claim is None


class EffectAsked(NamedTuple):
    """The effect of a document at a destination, as `process` sees it."""

    document_id: str
    destination: str
    process: str


EffectKey = tuple[str, str]
"""A document and a destination."""


def states(connection: Connection, asked: Sequence[EffectAsked]) -> dict[EffectKey, EffectState]:
    """What is in force of each. Without an answer where there is no effect."""
    kept = {one: (stored(connection, one.document_id), stored(connection, one.destination)) for one in asked}
    documents = list({document for document, _ in kept.values()})
    found = select_in(connection, EffectRow, schema.effect, schema.effect.c.document_id, documents)
    rows = {(row.document_id, row.destination): row for row in found}
    return {
        (one.document_id, one.destination): state_of(rows[place], one.process)
        for one, place in kept.items()
        if place in rows
    }


def state_of(row: EffectRow, process: str) -> EffectState:
    """The effect of a row, as `process` sees it. One with a status that only a newer release knows is not this
    process's to send."""
    return EffectState(
        document_id=row.document_id,
        destination=row.destination,
        route=row.route,
        status=row.status,
        generation=row.generation,
        key=row.key,
        claim=row.claim,
        content_type=row.content_type,
        attempts=row.attempts,
        mine=row.claimed_by == process and isinstance(row.status, EffectStatus),
        text=row.text,
        facts=row.facts,
        expect_ack=row.expect_ack,
        reply=row.reply,
        reply_type=row.reply_type,
        address=row.address,
        mark=row.mark,
    )


STATES: Question[EffectAsked, EffectKey, EffectState] = Question(states, lambda one: (one.document_id, one.destination))


def give_back(connection: Connection, claims: Sequence[EffectAsked]) -> None:
    """Nobody sends it now: the process that had claimed it has stopped."""
    effect = schema.effect
    for one in claims:
        mine = effect.c.claimed_by == one.process
        connection.execute(sa.update(effect).where(at(one.document_id, one.destination), mine).values(claimed_by=None))


GIVE_BACK: Change[EffectAsked] = Change(give_back)


class Forbidden(Exception):
    """An act that can't be: the effect is in a status from which it leads nowhere. The transaction that meets it must
    not commit."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the document is {status} there")


def at(document_id: Any, destination: Any) -> sa.ColumnElement[bool]:
    """The effect of one document at one destination."""
    return sa.and_(schema.effect.c.document_id == document_id, schema.effect.c.destination == destination)


def move(act: Act, after: EffectStatus, *which: sa.ColumnElement[bool]) -> sa.Update:
    """The statement of an act: it changes the rows that are in a status from which the act leads on, and takes the
    claim of the sending away. Its `rowcount` says whether it did. Callers add further values. Raises ValueError where
    the act never leads there."""
    if after not in act.after:
        raise ValueError(f"{act.name} makes no effect {after}")
    effect = schema.effect
    before = sa.or_(*(effect.c.status == status for status in sorted(act.before)))  # an IN list can't serve many rows
    return sa.update(effect).where(*which, before).values(status=after, claimed_by=None)
