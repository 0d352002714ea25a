"""What a customer tells its supplier to ship, to the day and hour."""

from __future__ import annotations

from typing import ClassVar, Literal

from hub.documents.parts.schedule import ScheduleDocument


class ShippingSchedule(ScheduleDocument):
    """What a customer wants shipped. X12: 862. It makes the forecast of a `planning_schedule` firm. `reference` is a
    further number (BSS08), for example that of the forecast."""

    kind: ClassVar[str] = "shipping_schedule"

    document: Literal["shipping_schedule@1"] = "shipping_schedule@1"
    reference: str | None = None
