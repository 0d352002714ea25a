"""When a list is asked for."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

from adapters.rest.list_options import RestSourceOptions
from hub.core.clock import Clock, read_utc
from hub.core.errors import HubError, RejectedError, TransientError
from hub.core.options.cron import Cron
from hub.core.options.duration import seconds
from hub.core.options.window import Window

JITTER = 0.1
"""Part of the interval by which it varies."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds after the first failure in a row; the most after many."""

LONGEST_ASKED = 3600.0
"""Seconds that a far end may make us wait by Retry-After."""

LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again: it may have been set."""


class Rounds:
    """The interval or the clock of a source, its hours, and its pauses after failures."""

    def __init__(self, options: RestSourceOptions, clock: Clock) -> None:
        self._clock = clock
        self._every = seconds(options.every) if options.every else None
        self._cron = Cron(options.cron, options.zone) if options.cron else None
        self._window = Window(options.during) if options.during else None
        self._begun = read_utc(clock)
        self._first = True

    async def wait(self, last: datetime | None) -> None:
        """Until the next round. `last`: the end of the one before, also of an earlier process: what the clock struck
        since then is made up for once. By interval the first round is at once."""
        if self._cron is not None:
            upcoming = self._cron.next(last or self._begun)
            if upcoming is None:
                await asyncio.Event().wait()
            else:
                await self._until(upcoming)
        elif not self._first:
            await self._clock.sleep((self._every or 0.0) * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
        self._first = False
        while self._window is not None and (closed := self._window.opens_in(read_utc(self._clock))) > 0:
            await self._clock.sleep(min(closed, LONGEST_SLEEP))

    async def _until(self, moment: datetime) -> None:
        while (left := (moment - read_utc(self._clock)).total_seconds()) > 0:
            await self._clock.sleep(min(left, LONGEST_SLEEP))

    def pause(self, failures: int, error: HubError) -> float:
        """Seconds before the next try. Somebody who refuses is not asked more often than one who answers."""
        first = min(self._every or FIRST_PAUSE, FIRST_PAUSE)
        pause = min(first * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE)
        if isinstance(error, RejectedError):
            pause = max(pause, self._every if self._every is not None else LONGEST_PAUSE)
        if isinstance(error, TransientError) and error.retry_after is not None:
            pause = max(pause, min(error.retry_after, LONGEST_ASKED))
        return pause
