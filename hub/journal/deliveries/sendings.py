"""What was sent, or is to be sent, of a document to a destination: which bytes, under which names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from hub.journal.deliveries.replies_recorded import replies_in
from hub.journal.journal import Journal
from hub.journal.rows import EffectRow
from hub.journal.story import Story
from hub.journal.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Sending:
    """One document at one destination. `claim` holds the bytes, None: they aren't made yet. Of a document that goes
    with others it is the whole interchange's; `batch` and `transaction` say where it is in it. The replies are those to
    its own attempts."""

    document_id: str
    document: str | None
    number: str | None
    partner: str | None
    destination: str
    status: str
    generation: int
    key: str
    claim: str | None
    content_type: str | None
    control_number: str | None
    set: str | None
    batch: str | None
    transaction: str | None
    updated_at: float
    replies: tuple[dict[str, Any], ...] = ()
    """What the far end replied to each attempt, oldest first: `at`, `attempt`, `status`, `headers`, `body` (its claim),
    `size`, `cut`."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Sendings:
    """Finds them by any value that `hub trace` knows."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def find(self, value: str, destination: str | None = None) -> list[Sending]:
        """Those of everything that the value names, oldest first; with `destination` only those to it."""
        timeline, found = Timeline(self._journal), []
        for story in await timeline.trace(value):
            for effect in story.effects:
                if destination is None or effect.destination == destination:
                    facts = orjson.loads(effect.facts) if effect.facts else {}
                    whole = await self._batch(timeline, facts.get("batch"), effect.destination)
                    found.append(_sending(story, effect, facts, whole))
        return found

    @staticmethod
    async def _batch(timeline: Timeline, batch: str | None, destination: str) -> EffectRow | None:
        """The effect of the batch that the document went with."""
        if batch is None:
            return None
        effects: Iterator[EffectRow] = (
            effect for story in await timeline.trace(batch) if story.id == batch for effect in story.effects
        )
        return next((effect for effect in effects if effect.destination == destination), None)


def _sending(story: Story, effect: EffectRow, facts: dict[str, Any], whole: EffectRow | None) -> Sending:
    bytes_of = whole or effect
    return Sending(
        document_id=story.id,
        document=story.document,
        number=story.number,
        partner=story.partner,
        destination=effect.destination,
        status=effect.status,
        generation=effect.generation,
        key=effect.key,
        claim=bytes_of.claim,
        content_type=bytes_of.content_type,
        control_number=facts.get("control_number"),
        set=facts.get("set"),
        batch=facts.get("batch"),
        transaction=facts.get("transaction_control_number"),
        updated_at=effect.updated_at,
        replies=replies_in(story.events, effect.destination),
    )
