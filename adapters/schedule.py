"""The clock as a source: at times of a cron expression, in a time zone, a body is offered to the reader."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import Literal

from pydantic import Field

from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.errors import HubError
from hub.core.message import JSON
from hub.core.options.cron import Cron, Expression, Zone
from hub.core.plugin import Options, SourcePlugin
from hub.core.ports import Arrival, BytesBody, Memory, Take

LAST = "last"
LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again: it may have been set."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


class ScheduleSourceOptions(Options):
    """When to fire, and what to offer."""

    cron: Expression = Field(description="Minute, hour, day of month, month, day of week: `0 6 * * MON-FRI`.")
    zone: Zone = Field(
        "UTC",
        description="The time zone: Europe/Berlin. Where clocks are set forward or back, as Debian's cron does it.",
    )
    emit: str = Field(
        min_length=1,
        description=(
            "The body that the reader gets. `{at}` is the firing's time (2026-03-02T06:00:00+01:00), `{date}` its date."
        ),
    )
    content_type: str = Field(JSON, description="Of the body.")
    missed: Literal["none", "last", "all"] = Field(
        "last",
        description="Firings while no hub ran: forget them, make up for the last one, or for all (at most 1,000).",
    )


class ScheduleSource:
    """Fires in one process at a time. A firing counts when the intake has taken it, and is tried until then; each is a
    message of its own, also when the body is always the same, and offering one again after a crash makes the same
    message."""

    def __init__(self, name: str, options: ScheduleSourceOptions, context: Context) -> None:
        self._name = name
        self._options = options
        self._schedule = Cron(options.cron, options.zone)
        self._memory: Memory = context.memory(name)
        self._log, self._clock = context.log, context.clock

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        now = read_utc(self._clock)
        remembered = await self._memory.get(LAST)
        last = datetime.fromisoformat(remembered) if remembered else now
        if not remembered:
            await self._memory.put(LAST, now.isoformat())
        for moment in await asyncio.to_thread(self._missed, last, now):
            await self._fire(moment, take)
        last = max(last, now)
        while (upcoming := self._schedule.next(last)) is not None:
            await self._wait_until(upcoming)
            await self._fire(upcoming, take)
            last = upcoming
        self._log.warning("schedule_never_fires", source=self._name, cron=self._options.cron)
        await asyncio.Event().wait()

    def _missed(self, last: datetime, now: datetime) -> list[datetime]:
        if self._options.missed == "none":
            return []
        missed = self._schedule.between(last, now)
        return missed[-1:] if self._options.missed == "last" else missed

    async def _wait_until(self, moment: datetime) -> None:
        while (left := (moment - read_utc(self._clock)).total_seconds()) > 0:
            await self._clock.sleep(min(left, LONGEST_SLEEP))

    async def _fire(self, moment: datetime, take: Take) -> None:
        at = moment.isoformat()
        body = self._options.emit.replace("{at}", at).replace("{date}", moment.date().isoformat()).encode()
        headers = {"content_type": self._options.content_type}
        arrival = Arrival(self._name, BytesBody(body), f"{self._name} {at}", headers, salt=at)
        pause = FIRST_PAUSE
        while True:
            try:
                await take(arrival)
                await self._memory.put(LAST, at)
            except HubError as error:
                self._log.warning("firing_not_taken", source=self._name, at=at, error=str(error), again_in=pause)
                await self._clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return


def build(name: str, options: ScheduleSourceOptions, context: Context) -> ScheduleSource:
    return ScheduleSource(name, options, context)


PLUGIN = SourcePlugin(
    name="schedule",
    options=ScheduleSourceOptions,
    summary="Offers a body at times of a cron expression.",
    example=(
        'cron: "0 6 * * MON-FRI"\nzone: Europe/Berlin\nemit: \'{"document": "inventory_advice@1", "number": "{date}",'
        ' "lines": []}\'\n'
    ),
    build=build,
)
