"""Copies that begin in the commit of their document: their effects are inserted, whole and for one copy alone, or not
at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.effect import EffectStatus
from hub.journal import schema
from hub.journal.commit.bulk import ONCE_TAKEN, PREPARE_NEW
from hub.journal.commit.writer import Question
from hub.journal.deliveries.effects import EffectKey, EffectState, at
from hub.journal.rows import EffectPrepared, OnceRow


@dataclass(frozen=True, slots=True, eq=False)
class NewCopy:
    """A copy that nobody has begun: the effects that it prepares, and the once-key that it needs. Each is known by
    itself: of two equal copies one at most begins."""

    effects: tuple[EffectPrepared, ...]
    once: OnceRow | None = None

    @property
    def places(self) -> list[EffectKey]:
        return [(effect.document_id, effect.destination) for effect in self.effects]


def begin(connection: Connection, copies: Sequence[NewCopy]) -> dict[NewCopy, tuple[EffectState, ...]]:
    """Inserts the effects and takes the once-keys. Answers for those copies alone of which every effect was new and
    that got their key; nothing stays of the others."""
    firsts = _first(copies)
    inserted = PREPARE_NEW.insert(connection, [effect for copy in firsts for effect in copy.effects])
    whole = [copy for copy in firsts if inserted.issuperset(copy.places)]
    keyed = {copy.once[:2]: copy for copy in reversed(whole) if copy.once is not None}
    taken = ONCE_TAKEN.insert(connection, [copy.once for copy in keyed.values() if copy.once is not None])
    begun = [copy for copy in whole if copy.once is None or (copy.once[:2] in taken and keyed[copy.once[:2]] is copy)]
    kept = {place for copy in begun for place in copy.places}
    for place in inserted - kept:
        connection.execute(sa.delete(schema.effect).where(at(*place)))
    return {copy: tuple(map(_state, copy.effects)) for copy in begun}


def _first(copies: Sequence[NewCopy]) -> list[NewCopy]:
    """Without those that have an effect in common with one before them."""
    met: set[EffectKey] = set()
    firsts: list[NewCopy] = []
    for copy in copies:
        if met.isdisjoint(copy.places):
            firsts.append(copy)
        met.update(copy.places)
    return firsts


def _state(effect: EffectPrepared) -> EffectState:
    """As `state_of` would give it of the row that was inserted."""
    return EffectState(
        document_id=effect.document_id,
        destination=effect.destination,
        route=effect.route,
        status=EffectStatus.PREPARED,
        generation=effect.generation,
        key=effect.key,
        claim=effect.claim,
        content_type=effect.content_type,
        attempts=effect.attempts,
        mine=True,
        facts=effect.facts,
        expect_ack=effect.expect_ack,
        address=effect.address,
    )


NEW_COPIES: Question[NewCopy, NewCopy, tuple[EffectState, ...]] = Question(begin, lambda copy: copy)
