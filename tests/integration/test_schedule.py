"""The clock as a source."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from adapters.schedule import ScheduleSource, ScheduleSourceOptions
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import TransientError
from hub.core.options.cron import Cron
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from tests.support.brokers import eventually


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 6 * * MON-FRI", "UTC", "2026-03-06T06:00", "2026-03-09T06:00"),
        ("0 6 * * *", "Europe/Berlin", "2026-01-05T04:59", "2026-01-05T05:00"),
        ("0 6 * * *", "Europe/Berlin", "2026-07-05T03:59", "2026-07-05T04:00"),
        ("30 2 * * *", "America/Chicago", "2026-03-08T00:00", "2026-03-08T08:00"),  # 02:30 doesn't exist on that day
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("*/15 * * * *", "UTC", "2026-01-01T00:01", "2026-01-01T00:15"),
    ],
)
def test_when_it_fires_next(cron: str, zone: str, after: str, expected: str) -> None:
    found = Cron(cron, zone).next(at(after))
    assert found is not None
    assert found.astimezone(UTC) == at(expected)


def test_what_was_missed_is_bounded() -> None:
    every_minute = Cron("* * * * *", "UTC")
    found = every_minute.between(at("2026-01-01T00:00"), at("2026-01-01T02:00"), most=10)
    assert [moment.minute for moment in found] == [51, 52, 53, 54, 55, 56, 57, 58, 59, 0]


class Takes:
    """An intake that remembers, and refuses the first tries when told so."""

    def __init__(self, refuse: int = 0) -> None:
        self.arrivals: list[Arrival] = []
        self._refuse = refuse

    async def __call__(self, arrival: Arrival) -> Taken:
        if self._refuse:
            self._refuse -= 1
            raise TransientError("away", "unreachable")
        self.arrivals.append(arrival)
        return Taken(1)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.arrivals) >= number

        await eventually(reached)


async def fired(journal: Journal, take: Takes, count: int, last: datetime | None, **options: Any) -> list[str]:
    """Runs it until so many firings were taken (none: for half a second); gives their salts."""
    memory = JournalMemory(journal, "nightly")
    if last is not None:
        await memory.put("last", last.isoformat())
    wanted = ScheduleSourceOptions.model_validate({"cron": "0 * * * *", "emit": "x", **options})
    context = Context(Path("/"), memory=lambda name: memory, log=structlog.get_logger(), clock=SystemClock())
    task = asyncio.create_task(ScheduleSource("nightly", wanted, context).run(take))
    await (take.count(count) if count else asyncio.sleep(0.5))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    return [arrival.salt for arrival in take.arrivals]


async def test_what_was_missed_is_made_up_for(journal: Journal) -> None:
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    last = now - timedelta(hours=3)
    three = [(hour - timedelta(hours=back)).isoformat() for back in (2, 1, 0)]
    assert await fired(journal, Takes(), 3, last, missed="all") == three
    assert await fired(journal, Takes(), 1, last, missed="last") == three[-1:]
    assert await fired(journal, Takes(), 0, last, missed="none") == []


async def test_a_first_start_has_missed_nothing_and_a_second_nothing_twice(journal: Journal) -> None:
    assert await fired(journal, Takes(), 0, None, missed="all") == []
    last = datetime.now(UTC) - timedelta(hours=1, minutes=1)
    assert len(await fired(journal, Takes(), 1, last)) == 1
    assert await fired(journal, Takes(), 0, None) == []


async def test_a_firing_that_cannot_be_taken_is_tried_until_it_is(journal: Journal) -> None:
    last = datetime.now(UTC) - timedelta(hours=1, minutes=1)
    assert len(await fired(journal, Takes(refuse=2), 1, last)) == 1


async def test_it_says_when_it_fired(journal: Journal) -> None:
    take, last = Takes(), datetime.now(UTC) - timedelta(hours=1, minutes=1)
    (salt,) = await fired(journal, take, 1, last, emit='{"at": "{at}", "day": "{date}"}', zone="Asia/Tokyo")
    body = b"".join(take.arrivals[0].body.chunks()).decode()
    assert body == f'{{"at": "{salt}", "day": "{salt[:10]}"}}'
    assert salt.endswith("+09:00")


@pytest.mark.parametrize(
    "wrong", [{"cron": "every day"}, {"cron": "61 * * * *"}, {"zone": "Mars/Base"}, {"emit": ""}, {"missed": "some"}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScheduleSourceOptions.model_validate({"cron": "0 6 * * *", "emit": "x", **wrong})
