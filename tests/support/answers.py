"""What tests ask a hub about what it sent to a partner, and about what the partner said of it."""

from __future__ import annotations

from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.journal.deliveries.decisions import Decisions
from hub.journal.interchanges.interchanges_sent import InterchangesSent, NumberStory
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.clocks import ahead_of

GROWN = pytest.param("grown", marks=(pytest.mark.rabbitmq, pytest.mark.postgres))
"""A site on RabbitMQ and PostgreSQL."""


def grown(request: pytest.FixtureRequest) -> dict[str, str]:
    """What a site is made with, as the fixture's parameter says: `embedded` or GROWN."""
    if request.param == "embedded":
        return {}
    amqp, journal = request.getfixturevalue("amqp_vhost"), request.getfixturevalue("database_url")
    return {"amqp": amqp, "journal": journal}


async def numbers(hub: RunningHub) -> list[NumberStory]:
    """The control numbers taken for ACME, oldest first."""
    return (await InterchangesSent(hub.journal).stories("ACME"))[::-1]


async def newest(hub: RunningHub) -> NumberStory:
    return (await numbers(hub))[-1]


async def ack_becomes(hub: RunningHub, state: str) -> NumberStory:
    """The newest number, once what was said of it is this."""

    async def right() -> bool:
        return (await newest(hub)).ack == state

    await eventually(right)
    return await newest(hub)


async def open_holds(hub: RunningHub, count: int) -> list[Any]:
    decisions = Decisions(hub.journal)

    async def right() -> bool:
        return len(await decisions.holds(("open",))) == count

    await eventually(right)
    return await decisions.holds(("open",))


async def story_of(hub: RunningHub, name: str) -> Story:
    """The story of what was sent or came as the file `name`."""
    (found,) = [story for story in await Timeline(hub.journal).trace(name) if story.name]
    return found


async def said(hub: RunningHub, name: str, stage: str) -> list[str]:
    """The events of that stage, of what came as the file `name`."""
    return [event.text for event in (await story_of(hub, name)).events if event.stage == stage]


async def taken(hub: RunningHub, name: str) -> None:
    """The file has been taken in."""

    async def right() -> bool:
        return bool(await Timeline(hub.journal).trace(name))

    await eventually(right)


def counted(hub: RunningHub, status: str) -> float:
    """Acknowledgments of ACME's."""
    labels = {"partner": "ACME", "status": status}
    return hub.metrics.registry.get_sample_value("hub_acknowledgments_total", labels) or 0.0


def let_time_pass(hub: RunningHub, seconds: float) -> None:
    """The hub's clock goes on, nobody waits."""
    hub.runtime.clock = ahead_of(hub.runtime.clock, seconds)
