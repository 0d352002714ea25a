"""What has been committed of the documents that a business key names: where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.core.outcome import ARRIVAL, DestinationState, DocumentState, State
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.rows import EffectRow, EventRow, MessageRow, columns, typed

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

    message: MessageRow
    stages: dict[str, EventRow] = field(default_factory=dict)
    """The last event of each stage that tells how it was taken."""
    effects: dict[str, EffectRow] = field(default_factory=dict)
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
        return DocumentState(
            id=row.id,
            state=self.state,
            received_at=row.received_at,
            document=row.document,
            number=row.number,
            cause=cause,
            destinations=tuple(self._destinations()),
            ours=bool(cause) and Stage.STEP in self.stages,
        )

    def _destinations(self) -> Iterable[DestinationState]:
        for name in dict.fromkeys((*self.routed, *self.effects)):
            effect = self.effects.get(name)
            yield DestinationState(name, OF_EFFECT.get(effect.status, State.ROUTED) if effect else State.ROUTED)


async def standings(journal: Journal, source: str, arrival: str) -> list[Standing]:
    """Those of an arrival, in the order of its body. Raises JournalUnavailable."""
    key, message, event, effect = schema.business_key, schema.message, schema.event, schema.effect
    named = sa.select(key.c.message_id).where(key.c.value == arrival, key.c.kind == ARRIVAL)
    ours = (message.c.id.in_(named), message.c.source == source, message.c.direction.is_(None))
    mine = sa.select(*columns(MessageRow, message)).where(*ours)

    async def query(connection: AsyncConnection) -> list[Standing]:
        rows = await connection.execute(mine.order_by(message.c.position, message.c.id).limit(MOST))
        found = {row.id: Standing(row) for row in typed(MessageRow, rows)}
        if not found:
            return []
        told = sa.select(*columns(EventRow, event)).where(event.c.message_id.in_(found), event.c.stage.in_(STAGES))
        for one in typed(EventRow, await connection.execute(told.order_by(event.c.id))):
            found[one.message_id].stages[one.stage] = one
        settled = sa.select(*columns(EffectRow, effect)).where(effect.c.document_id.in_(found))
        for each in typed(EffectRow, await connection.execute(settled)):
            found[each.document_id].effects[each.destination] = each
        return list(found.values())

    return await journal.read(query)


STAGES = (Stage.MATCHED, Stage.UNMATCHED, Stage.FILTERED, Stage.DUPLICATE, Stage.UNREADABLE, Stage.STEP)
