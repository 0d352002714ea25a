"""What tests ask a running hub about: stories, outcomes, dead letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.app.running_hub import RunningHub
from hub.journal import schema
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Erp


async def story(hub: RunningHub, value: str) -> Story:
    found = await Timeline(hub.journal).trace(value)
    assert len(found) == 1, found
    return found[0]


async def status_becomes(hub: RunningHub, value: str, status: str, destination: str = "erp") -> Story:
    async def right() -> bool:
        if not await _has_effect(hub, status, destination):
            return False
        stories = await Timeline(hub.journal).trace(value)
        return any(e.destination == destination and e.status == status for s in stories for e in s.effects)

    await eventually(right)
    return await story(hub, value)


async def _has_effect(hub: RunningHub, status: str, destination: str) -> bool:
    """Whether any document has this status there: one question where a trace asks a dozen."""
    effect = schema.effect.c
    query = sa.select(effect.document_id).where(effect.destination == destination, effect.status == status).limit(1)

    async def read(connection: AsyncConnection) -> bool:
        return (await connection.execute(query)).first() is not None

    return await hub.journal.read(read)


async def dead_letters(hub: RunningHub, count: int, **wanted: Any) -> list[Any]:
    decisions = Decisions(hub.journal)

    async def right() -> bool:
        return await decisions.count_dead(DeadFilter(**wanted), hub.runtime.clock()) == count

    await eventually(right)
    return await decisions.dead_letters(DeadFilter(**wanted), hub.runtime.clock())


async def exists(path: Path) -> bool:
    return path.exists()


async def number_seen(erp: Erp, number: str) -> bool:
    return number in erp.numbers()


async def seen(erp: Erp, path: str, part: bytes, times: int) -> bool:
    return len([r for r in erp.requests if r.path == path and part in r.body]) == times
