"""Every change of an effect's status but that of an attempt, which is `bulk.SETTLE`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.core.effect import Act, EffectStatus
from hub.journal import schema


class Forbidden(Exception):
    """An act that can't be: the effect is in a status from which it leads nowhere. The transaction that meets it must not commit."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the document is {status} there")


def at(document_id: Any, destination: Any) -> sa.ColumnElement[bool]:
    """The effect of one document at one destination."""
    return sa.and_(schema.effect.c.document_id == document_id, schema.effect.c.destination == destination)


def move(act: Act, after: EffectStatus, *which: sa.ColumnElement[bool]) -> sa.Update:
    """The statement of an act: it changes the rows that are in a status from which the act leads on, and takes the claim of the
    sending away. Its `rowcount` says whether it did. Callers add further values. Raises ValueError where the act never leads there."""
    if after not in act.after:
        raise ValueError(f"{act.name} makes no effect {after}")
    effect = schema.effect
    before = sa.or_(*(effect.c.status == status for status in sorted(act.before)))  # an IN list can't serve many rows
    return sa.update(effect).where(*which, before).values(status=after, claimed_by=None)
