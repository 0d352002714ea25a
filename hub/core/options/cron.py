"""Moments by a cron expression in a time zone. Pure: the moment to begin from is handed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

from hub.core.options.window import zone_named

MOST_MISSED = 1000


class Cron:
    """The moments at which an expression fires. Where clocks are set forward or back, as Debian's cron does it."""

    def __init__(self, expression: str, zone: str) -> None:
        self._expression = expression
        self._zone = zone_named(zone)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Each one behind that moment, in its order; ends where there is none within 50 years."""
        yield from CronSim(self._expression, moment.astimezone(self._zone))

    def next(self, moment: datetime) -> datetime | None:
        return next(iter(self.after(moment)), None)

    def between(self, begin: datetime, end: datetime, most: int = MOST_MISSED) -> list[datetime]:
        """Those behind `begin`, until `end`: the last `most`."""
        found: list[datetime] = []
        for moment in self.after(begin):
            if moment > end:
                break
            found.append(moment)
            if len(found) > most:
                found.pop(0)
        return found


def checked_expression(value: str) -> str:
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(
            f"{value!r} is no cron expression ({error}); five parts are wanted: 0 6 * * MON-FRI"
        ) from error
    return value


def checked_zone(value: str) -> str:
    zone_named(value)
    return value


Expression = Annotated[str, AfterValidator(checked_expression)]
"""The type of an option: minute, hour, day of month, month, day of week."""

Zone = Annotated[str, AfterValidator(checked_zone)]
"""The type of an option: Europe/Berlin."""
