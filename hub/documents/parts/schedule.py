"""Schedules that a customer sends its supplier: what is needed, or to be shipped, and when."""

from __future__ import annotations

import datetime

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Terms
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, Equipment, Mark, PackageText, Packaging, Packing, Price
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.lead_time import LeadTime
from hub.documents.parts.line import Subline
from hub.documents.parts.parts import Contact, Measurement, Milestone, Party, Quantity, Reference
from hub.documents.warehouse.inventory_advice import UnitPrice


class DeliveryTime(Part):
    """An hour of the day and what is wanted then. X12: JIT."""

    quantity: Number
    time: str
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()


class Forecast(Part):
    """What is wanted on a day, or from that day until another. X12: FST. `certainty` is a code (`C` firm, `D` planning,
    ...), and so is `timing` (`D` discrete, `W` weekly, `M` monthly, ...)."""

    quantity: Number
    certainty: str
    timing: str
    date: datetime.date | None = None
    until: datetime.date | None = None
    time_purpose: str | None = None
    time: str | None = None
    reference_qualifier: str | None = None
    reference: str | None = None
    type: str | None = None
    quantities: tuple[Quantity, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    dates: tuple[Milestone, ...] = ()
    deliveries: tuple[DeliveryTime, ...] = ()


class Pattern(Part):
    """When it is shipped or delivered as a rule. X12: SDP, whose further pairs are kept in `extras`."""

    days: str
    hours: str
    forecasts: tuple[Forecast, ...] = ()


class ShippedSoFar(Part):
    """What was shipped or received so far. X12: SHP. `qualifier` is a code (`01` discrete, `02` cumulative, ...)."""

    qualifier: str | None = None
    quantity: Number | None = None
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    until: datetime.date | None = None
    until_time: str | None = None
    references: tuple[Reference, ...] = ()


class Authorization(Part):
    """What the supplier may make or buy, until `date`. X12: ATH. `code` is `FI` finished goods, `MT` material, ...;
    `quantity` is cumulative since `since`."""

    code: str
    date: datetime.date | None = None
    quantity: Number | None = None
    largest: Number | None = None
    since: datetime.date | None = None


class ScheduleItem(Part):
    """An item and its schedule. X12: the LIN loop of 830 and 862."""

    number: str | None = None
    products: Identifiers = NO_IDS
    unit_prices: tuple[UnitPrice, ...] = ()
    status: str | None = None
    status_text: str | None = None
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    prices: tuple[Price, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    terms: tuple[Terms, ...] = ()
    freight: tuple[Freight, ...] = ()
    lead_times: tuple[LeadTime, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    sublines: tuple[Subline, ...] = ()
    parties: tuple[Party, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    shipped: tuple[ShippedSoFar, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)

    @property
    def all_forecasts(self) -> tuple[Forecast, ...]:
        """All forecasts, with those of its patterns, in the order of the document."""
        return (*self.forecasts, *(forecast for pattern in self.patterns for forecast in pattern.forecasts))


class ScheduleDocument(PartiesByRole, Document):
    """What both kinds of schedule carry. `schedule_type` says what the days mean (`SH` shipment, `DL` delivery),
    `quantity_type` what the quantities are (`A` actual discrete, `C` cumulative, ...)."""

    purpose: str | None = None
    release: str | None = None
    schedule_type: str | None = None
    quantity_type: str | None = None
    horizon_start: datetime.date | None = None
    horizon_end: datetime.date | None = None
    date: datetime.date | None = None
    contract: str | None = None
    purchase_order: str | None = None
    dates: tuple[Milestone, ...] = ()
    parties: tuple[Party, ...] = ()
    items: tuple[ScheduleItem, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(
        default=None, description="The sum of the forecasts that the sender states (CTT02)"
    )

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        own = (self.kind, self.number) if self.number else ("release", self.release)
        named = (own, ("order", self.purchase_order))
        return tuple((kind, value) for kind, value in named if value)
