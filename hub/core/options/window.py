"""When something may be done: hours and days in somebody's time zone."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from hub.core.plugin import Options

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def zone_named(name: str) -> ZoneInfo:
    """Raises ValueError for a name that the time zone database doesn't have."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; names are as Europe/Berlin or America/Chicago") from error


class WindowOptions(Options):
    """Hours and days, as the clock on the partner's wall shows them."""

    zone: str = Field("UTC", description="The time zone: Europe/Berlin, America/Chicago.")
    start: str = Field("00:00", alias="from", description="From this time of the day on: `06:00`.")
    end: str = Field("24:00", alias="to", description="Until this time; before `from`: on the next day.")
    days: tuple[Day, ...] = Field(DAYS, min_length=1, description="The days on which it begins.")

    @field_validator("zone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        zone_named(value)
        return value

    @field_validator("start", "end")
    @classmethod
    def clock(cls, value: str) -> str:
        if not CLOCK.fullmatch(value):
            raise ValueError(f"{value!r} is no time of the day; write it as 06:30")
        return value


class Window:
    """Whether it is open at a moment, and when it opens next. A day has the length that its time zone gives it."""

    def __init__(self, options: WindowOptions) -> None:
        self._zone = zone_named(options.zone)
        self._start = clock_minutes(options.start)
        length = clock_minutes(options.end) - self._start
        self._length = length if length > 0 else length + 24 * 60
        self._days = {DAYS.index(day) for day in options.days}

    def is_open(self, at: datetime) -> bool:
        """`at` is aware."""
        local = at.astimezone(self._zone)
        return any(begin <= at < end for begin, end in (self._on(local, back) for back in (0, 1)) if begin != end)

    def opens_in(self, at: datetime) -> float:
        """Seconds until it is open; 0 when it is."""
        if self.is_open(at):
            return 0.0
        local = at.astimezone(self._zone)
        begins = (self._on(local, -ahead) for ahead in range(8))
        return min((begin - at).total_seconds() for begin, end in begins if begin != end and begin > at)

    def _on(self, local: datetime, back: int) -> tuple[datetime, datetime]:
        """Begin and end of the window that begins so many days back; both the same where none does."""
        day = (local - timedelta(days=back)).date()
        midnight = datetime.combine(day, time(0), self._zone)
        begin = wall(midnight, self._start)
        if day.weekday() not in self._days:
            return begin, begin
        return begin, wall(midnight, self._start + self._length)


def clock_minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def wall(midnight: datetime, minutes: int) -> datetime:
    """The moment when the clock on the wall shows so many minutes after that midnight. In UTC, so that moments compare
    as such."""
    days, minutes = divmod(minutes, 24 * 60)
    local = datetime.combine(midnight.date() + timedelta(days=days), time(minutes // 60, minutes % 60), midnight.tzinfo)
    return local.astimezone(ZoneInfo("UTC"))
