"""What has been committed of the documents that a business key names: where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.core.outcome import ARRIVAL, DestinationState, DocumentState, State
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.journal import Journal

MOST = 1000
"""Documents of one arrival that are told."""

OF_EFFECT: Mapping[str, State] = {
    EffectStatus.DELIVERED: State.DELIVERED,
    EffectStatus.FILTERED: State.FILTERED,
    EffectStatus.RETRYING: State.RETRYING,
    EffectStatus.HELD: State.HELD,
    EffectStatus.DEAD: State.DEAD,
    EffectStatus.REJECTED: State.DISCARDED,
    EffectStatus.DISCARDED: State.DISCARDED,
}
"""What an effect's status is called outside; every other status: it is under way."""


@dataclass(slots=True)
class Standing:
    """The rows of one document."""

    message: Any
    stages: dict[str, Any] = field(default_factory=dict)
    """The last event of each stage that tells how it was taken."""
    effects: dict[str, Any] = field(default_factory=dict)
    """By destination."""

    @property
    def routed(self) -> list[str]:
        """The destinations that it goes to, as was decided last."""
        event = self.stages.get(Stage.MATCHED)
        routes = orjson.loads(event.detail).get("routes", {}) if event is not None and event.detail else {}
        return list(dict.fromkeys(name for names in routes.values() for name in names))

    @property
    def state(self) -> State:
        """Its own, apart from what its destinations make of it."""
        if Stage.MATCHED in self.stages:
            return State.DUPLICATE if Stage.DUPLICATE in self.stages and not self.effects else State.ROUTED
        if Stage.UNMATCHED in self.stages:
            return State.UNMATCHED
        if Stage.FILTERED in self.stages:
            return State.FILTERED
        return State.UNREADABLE if Stage.UNREADABLE in self.stages else State.RECEIVED

    def told(self) -> DocumentState:
        row, unreadable = self.message, self.stages.get(Stage.UNREADABLE)
        cause = (unreadable.text or "") if self.state is State.UNREADABLE and unreadable is not None else ""
        known = (row.id, self.state, row.received_at, row.document, row.number, cause)
        return DocumentState(*known, tuple(self._destinations()), ours=bool(cause) and Stage.STEP in self.stages)

    def _destinations(self) -> Iterable[DestinationState]:
        for name in dict.fromkeys((*self.routed, *self.effects)):
            effect = self.effects.get(name)
            yield DestinationState(name, OF_EFFECT.get(effect.status, State.ROUTED) if effect else State.ROUTED)


async def standings(journal: Journal, source: str, arrival: str) -> list[Standing]:
    """Those of an arrival, in the order of its body. Raises JournalUnavailable."""
    key, message = schema.business_key, schema.message
    named = sa.select(key.c.message_id).where(key.c.value == arrival, key.c.kind == ARRIVAL)
    mine = sa.select(message).where(message.c.id.in_(named), message.c.source == source)
    ours = mine.where(message.c.direction.is_(None)).order_by(message.c.position, message.c.id).limit(MOST)

    async def query(connection: AsyncConnection) -> list[Standing]:
        found = {row.id: Standing(row) for row in (await connection.execute(ours)).all()}
        for event in await rows(connection, schema.event, "message_id", list(found)):
            found[event.message_id].stages[event.stage] = event
        for effect in await rows(connection, schema.effect, "document_id", list(found)):
            found[effect.document_id].effects[effect.destination] = effect
        return list(found.values())

    return list(await journal.read(query))


STAGES = (Stage.MATCHED, Stage.UNMATCHED, Stage.FILTERED, Stage.DUPLICATE, Stage.UNREADABLE, Stage.STEP)


async def rows(connection: AsyncConnection, table: sa.Table, column: str, ids: Sequence[str]) -> Sequence[Any]:
    select = sa.select(table).where(table.c[column].in_(ids))
    if table is schema.event:
        select = select.where(table.c.stage.in_(STAGES)).order_by(table.c.id)
    return (await connection.execute(select)).all() if ids else ()
