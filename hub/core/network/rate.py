"""How much a source takes a minute: of all together, and of each sender. Each process counts for itself. `clock` gives
seconds that never go back."""

from __future__ import annotations

import math
from collections.abc import Callable

from pydantic import Field

from hub.core.options.size import Size, parse_size
from hub.core.plugin import Options


class Allowance(Options):
    """What one partner may send."""

    per_minute: int | None = Field(None, ge=1, description="Requests within a minute.")
    largest: Size | None = Field(None, description="The largest body.")


class RateOptions(Options):
    """What is taken, at most."""

    per_minute: int | None = Field(None, ge=1, description="Requests within a minute, of all together.")
    each: Allowance = Field(Allowance(), description="What each partner may send.")
    partners: dict[str, Allowance] = Field(default_factory=dict, description="Partners that may send more, or less.")


class Bucket:
    """Holds a minute's requests; one leaves it with every request, and they come back evenly."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._most = float(per_minute)
        self._left = self._most
        self._at = now

    def take(self, now: float) -> float:
        """0 when there was one; else the seconds until there is."""
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60.0)
        self._at = now
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) * 60.0 / self._most

    def give_back(self) -> None:
        self._left = min(self._most, self._left + 1.0)


class Rate:
    """Of one source."""

    def __init__(self, options: RateOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._all = Bucket(options.per_minute, clock()) if options.per_minute is not None else None
        self._each: dict[str, Bucket] = {}

    def wait(self, sender: str) -> int:
        """0: the request may come in, and is counted. Else the seconds after which it may come again."""
        now = self._clock()
        mine = self._bucket(sender, now)
        left = mine.take(now) if mine is not None else 0.0
        if not left and self._all is not None:
            left = self._all.take(now)
            if left and mine is not None:
                mine.give_back()
        return math.ceil(left)

    def largest(self, sender: str) -> int | None:
        size = self._allowance(sender).largest
        return parse_size(size) if size is not None else None

    def _allowance(self, sender: str) -> Allowance:
        return self._options.partners.get(sender, self._options.each)

    def _bucket(self, sender: str, now: float) -> Bucket | None:
        per_minute = self._allowance(sender).per_minute
        if per_minute is None:
            return None
        return self._each.setdefault(sender, Bucket(per_minute, now))
