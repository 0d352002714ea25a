"""Some of many log lines, with a count of those that were left out: a stranger must not fill the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.core.log import Log

MINUTE = 60.0
MOST = 20
"""Lines of one event within a minute."""


class SampledLog:
    """Writes warnings. After MOST lines of an event within a minute it leaves out the rest; the first line of a later
    minute counts them as `left_out`. `clock` gives seconds that never go back. The events are ours, so they are few."""

    def __init__(self, log: Log, clock: Callable[[], float], most: int = MOST) -> None:
        self._log = log
        self._clock = clock
        self._most = most
        self._events: dict[str, _SampledLines] = {}

    def warning(self, event: str, **what: Any) -> None:
        lines = self._events.setdefault(event, _SampledLines(self._clock()))
        left_out = 0
        if self._clock() - lines.since >= MINUTE:
            left_out, lines = lines.left_out, _SampledLines(self._clock())
            self._events[event] = lines
        if lines.written >= self._most:
            lines.left_out += 1
            return
        lines.written += 1
        self._log.warning(event, **what, **({"left_out": left_out} if left_out else {}))


class _SampledLines:
    def __init__(self, since: float) -> None:
        self.since = since
        self.written = 0
        self.left_out = 0
