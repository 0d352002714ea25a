"""The order timeline: everything the journal knows of what a value names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.other_names import KIND, LONGEST_KEY
from hub.journal.copies.open_copies import COPY
from hub.journal.deliveries.answers_recorded import ASKED, asked_in
from hub.journal.deliveries.decided import DECIDES, FACTS, facts_in, terms_in
from hub.journal.deliveries.replies_recorded import with_replies_of_the_dead
from hub.journal.interchanges.answers import answers_sent
from hub.journal.journal import Journal
from hub.journal.rows import (
    DeadLetterRow,
    EffectRow,
    EventRow,
    HoldRow,
    KeyRow,
    MessageRow,
    OnceRow,
    columns,
    typed,
)
from hub.journal.story import Story, StoryEvent, StoryKey

R = TypeVar("R")

MOST = 200
"""Messages that one trace shows at most."""

HEX = frozenset("0123456789abcdef")
SHORTEST_BEGINNING, LONGEST_ID = 6, 64
"""Characters of the beginning of an id, and of a whole one."""


class Timeline:
    """Finds messages by any business key, and tells their stories, oldest first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def trace(self, value: str) -> list[Story]:
        """The stories of all messages that `value` names: a business key (order, shipment, invoice, control number), a
        message id or its beginning (6 characters or more), a file name, the id of a dead letter, a hold or a claim.
        Empty: none."""

        async def query(connection: AsyncConnection) -> list[Story]:
            ids = await self._ids(connection, value)
            return await self._stories(connection, ids)

        return await self._journal.read(query)

    async def summary(self) -> dict[str, Any]:
        """Counts over the whole journal, by status."""

        async def query(connection: AsyncConnection) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for name, table in (
                ("effects", schema.effect),
                ("holds", schema.hold),
                ("dead_letters", schema.dead_letter),
            ):
                rows = await connection.execute(sa.select(table.c.status, sa.func.count()).group_by(table.c.status))
                found[name] = {row[0]: row[1] for row in rows.all()}
            count = sa.select(sa.func.count()).select_from(schema.message)
            found["messages"] = (await connection.execute(count)).scalar_one()
            return found

        return await self._journal.read(query)

    @staticmethod
    async def _ids(connection: AsyncConnection, value: str) -> list[str]:
        found: dict[str, None] = {}
        for select in selects_of(value):
            for row in (await connection.execute(select.limit(MOST))).all():
                found.setdefault(row[0])
        return list(found)[:MOST]

    @staticmethod
    async def _stories(connection: AsyncConnection, ids: Sequence[str]) -> list[Story]:
        stories = {id: Story(id) for id in ids}

        async def rows(row: type[R], table: sa.Table, column: str, order: str) -> list[R]:
            select = sa.select(*columns(row, table)).where(table.c[column].in_(ids)).order_by(table.c[order])
            return typed(row, (await connection.execute(select)).all())

        for message in await rows(MessageRow, schema.message, "id", "received_at"):
            stories[message.id] = _begun(message)
        for key in await rows(KeyRow, schema.business_key, "message_id", "kind"):
            known, named = stories[key.message_id].keys, StoryKey(key.kind, key.value)
            if key.kind != "message" and named not in known:  # earlier releases kept it so
                known.append(named)
        for event in await rows(EventRow, schema.event, "message_id", "id"):
            stories[event.message_id].events.append(_told(event))
        for effect in await rows(EffectRow, schema.effect, "document_id", "first_at"):
            stories[effect.document_id].effects.append(effect)
        for hold in await rows(HoldRow, schema.hold, "document_id", "held_at"):
            stories[hold.document_id].holds.append(hold)
        for letter in await rows(DeadLetterRow, schema.dead_letter, "message_id", "dead_at"):
            stories[letter.message_id].dead_letters.append(letter)
        for once in await rows(OnceRow, schema.once_key, "owner", "updated_at"):
            stories[once.owner].once.append(once)
        answers = await answers_sent(connection, [(story.claim or "", story.position) for story in stories.values()])
        for story in stories.values():
            story.keys.sort(key=lambda key: key.kind)
            story.answers = answers.get((story.claim or "", story.position), [])
            story.events = with_replies_of_the_dead(story.events)
            story.events += arrival_events(story)
            story.events.sort(key=lambda event: event.at)
        return sorted(stories.values(), key=lambda story: story.received_at or 0.0)


def _begun(message: MessageRow) -> Story:
    return Story(
        id=message.id,
        source=message.source,
        name=message.name,
        document=message.document,
        partner=message.partner,
        number=message.number,
        position=message.position,
        claim=message.claim,
        canonical=message.canonical,
        received_at=message.received_at,
        terms=terms_in(message.terms),
        keys=[StoryKey(KIND, message.name[:LONGEST_KEY])] if message.name else [],
    )


STAGES = {stage.value: stage for stage in Stage}
"""By the text of a row. A newer release beside this one may write others: these stay texts."""


def _told(event: EventRow) -> StoryEvent:
    detail = orjson.loads(event.detail) if event.detail else {}
    detail.pop(COPY, None)
    if event.stage in DECIDES and event.destination is None:
        detail[FACTS] = facts_in(detail)
    if ASKED in detail:
        detail[ASKED] = asked_in(detail)
    return StoryEvent(
        at=event.at,
        stage=STAGES.get(event.stage, event.stage),
        route=event.route,
        destination=event.destination,
        attempt=event.attempt,
        text=event.text,
        detail=detail,
    )


def selects_of(value: str) -> list[sa.Select[Any]]:
    """The ids of the messages that a value names. An index serves each of them, but for names that are longer than a
    key."""
    key, message = schema.business_key, schema.message
    found = [sa.select(key.c.message_id).where(key.c.value == value[:LONGEST_KEY])]
    found += [
        sa.select(message.c.id).where(column == value) for column in (message.c.id, message.c.claim, message.c.name)
    ]
    if len(value) >= LONGEST_KEY:
        begins = message.c.name.startswith(value[:LONGEST_KEY], autoescape=True)
        found.append(sa.select(message.c.id).where(begins))
    if SHORTEST_BEGINNING <= len(value) <= LONGEST_ID and HEX.issuperset(value):
        letter, hold, effect = schema.dead_letter, schema.hold, schema.effect
        found += [sa.select(message.c.id).where(*_begins(column, value)) for column in (message.c.id, message.c.claim)]
        found.append(sa.select(letter.c.message_id).where(*_begins(letter.c.id, value)))
        found.append(sa.select(hold.c.document_id).where(*_begins(hold.c.id, value)))
        found.append(sa.select(effect.c.document_id).where(*_begins(effect.c.key, value)))
    return found


def _begins(column: sa.Column[Any], value: str) -> list[sa.ColumnElement[bool]]:
    """The ids that begin with hex digits, as a range, for which an index serves."""
    after = int(value, 16) + 1
    below = [column < f"{after:0{len(value)}x}"] if after < 16 ** len(value) else []
    return [column >= value, *below]


def arrival_events(story: Story) -> list[StoryEvent]:
    """When it came in and when it was read, as the rows of message and of the decision keep it."""
    found: list[StoryEvent] = []
    if story.received_at is not None:
        came = f"from {story.source}" + (f" as {story.name}" if story.name else "")
        text = f"{came}, claim {(story.claim or '')[:12]}"
        found.append(StoryEvent(story.received_at, Stage.RECEIVED, text=text))
    for event in story.events:
        read = event.detail.get("read") if event.stage in (Stage.MATCHED, Stage.UNMATCHED) else None
        if read is not None:
            found.append(StoryEvent(read, Stage.READ, text=f"{story.document} {story.number}"))
            break
    return found
