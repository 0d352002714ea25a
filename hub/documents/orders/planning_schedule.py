"""The forecast that a customer sends its supplier."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Number
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Terms
from hub.documents.parts.goods import Description, Equipment, Mark, PackageText, Packing, Price
from hub.documents.parts.parts import Contact, Measurement, Reference
from hub.documents.parts.schedule import ScheduleDocument


class PlanningSchedule(ScheduleDocument):
    """What a customer expects to need. X12: 830. `number` is the schedule's own number (BFR02), and empty where the
    customer gives a release number (`release`, BFR03) in its stead."""

    kind: ClassVar[str] = "planning_schedule"

    document: Literal["planning_schedule@1"] = "planning_schedule@1"
    number: str = Field(default="", max_length=256, description="The number of the schedule")
    updated: datetime.date | None = None
    planning_type: str | None = None
    action: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    freight: tuple[Freight, ...] = ()
    prices: tuple[Price, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    terms: tuple[Terms, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    marks: tuple[Mark, ...] = ()
