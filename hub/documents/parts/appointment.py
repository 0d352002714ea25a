"""A date, a time, or both, each with what it is for."""

from __future__ import annotations

import datetime

from hub.documents.base import Part


class Appointment(Part):
    """A day and an hour of the shipment's life. X12: G62. `purpose` says what the day is for (`requested_ship`,
    `shipped`, `delivery_requested`, or the code it came with), `time_purpose` what the hour is for; `time` is as it
    came, `zone` is its time code."""

    purpose: str | None = None
    date: datetime.date | None = None
    time_purpose: str | None = None
    time: str | None = None
    zone: str | None = None


def find_day(appointments: tuple[Appointment, ...], *purposes: str) -> datetime.date | None:
    """The first day that has the first of the purposes that is there."""
    for purpose in purposes:
        for appointment in appointments:
            if appointment.purpose == purpose and appointment.date:
                return appointment.date
    return None
