"""What tests ask a hub about documents that go together."""

from __future__ import annotations

import asyncio

from hub.app.running_hub import RunningHub
from hub.journal.timeline import Timeline
from tests.support import answers
from tests.support.answers import numbers
from tests.support.batch_site import BatchSite
from tests.support.brokers import eventually
from tests.support.stories import status_becomes

FIRST, SECOND = "850_000000001.edi", "850_000000002.edi"
THREE = ("1001", "1002", "1003")


async def becomes(hub: RunningHub, status: str, *numbers: str) -> None:
    for number in numbers:
        await status_becomes(hub, f"{number}.json", status, "acme-out")


async def let_time_pass(hub: RunningHub, seconds: float) -> None:
    """The hub's clock goes on, nobody waits; what is due then is closed."""
    answers.let_time_pass(hub, seconds)
    await hub.batching.check()


async def said(hub: RunningHub, number: str, stage: str) -> list[str]:
    return await answers.said(hub, f"{number}.json", stage)


async def acks_become(hub: RunningHub, *acks: str) -> None:
    """Of the members of the first interchange."""

    async def right() -> bool:
        return [member.ack for member in (await numbers(hub))[0].members] == list(acks)

    await eventually(right)


async def is_sent(site: BatchSite, name: str) -> None:
    await eventually(lambda: asyncio.sleep(0, name in site.sent()))


async def batch_is(hub: RunningHub, status: str) -> str:
    """The id of the first batch, once its effect has the status."""

    async def right() -> bool:
        found = await numbers(hub)
        stories = await Timeline(hub.journal).trace(found[0].document_id) if found else []
        return any(effect.status == status for story in stories for effect in story.effects)

    await eventually(right)
    return (await numbers(hub))[0].document_id
