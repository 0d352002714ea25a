"""What was sold, what is in stock: the report of a retailer."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import EXACT, Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Packaging, Price
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Contact, Milestone, MonetaryAmount, Party, Quantity, Reference


class ReportingParty(Party):
    """Somebody whom the report is about, with its days. X12: N1."""

    dates: tuple[Milestone, ...] = ()


class Activity(Part):
    """What became of an item. X12: ZA. `activity` is a code (`QS` sold, `QA` on hand, `QR` received, `QO` out of stock,
    ...)."""

    activity: str
    quantity: Number | None = None
    unit: str | None = None
    purpose: str | None = None
    date: datetime.date | None = None
    reference_qualifier: str | None = None
    reference: str | None = None
    answer: str | None = None
    quantities: tuple[Quantity, ...] = ()
    prices: tuple[Price, ...] = ()
    distributions: tuple[Distribution, ...] = ()


class ActivityItem(Part):
    """An item and what became of it. X12: the LIN loop of 852."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("quantity",))

    number: str | None = None
    products: Identifiers = NO_IDS
    prices: tuple[Price, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    references: tuple[Reference, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    activities: tuple[Activity, ...] = ()

    def quantity(self, *activities: str) -> Decimal | None:
        """The sum of the quantities of the activities, as ZA02 gives them; None when there is none."""
        found = [a.quantity for a in self.activities if a.activity in activities and a.quantity is not None]
        total = Decimal(0)
        for value in found:
            total = EXACT.add(total, value)
        return total if found else None


class ProductActivity(PartiesByRole, Document):
    """What was sold and is in stock. X12: 852, which has no number of its own: `number` is empty unless somebody gives
    it. `date` is the first day of the report, `until` the last one."""

    kind: ClassVar[str] = "product_activity"

    document: Literal["product_activity@1"] = "product_activity@1"
    number: str = Field(default="", max_length=256, description="The number of the report; the 852 has none")
    handling: str | None = None
    date: datetime.date | None = None
    until: datetime.date | None = None
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    parties: tuple[ReportingParty, ...] = ()
    items: tuple[ActivityItem, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(
        default=None, description="What the sender states in CTT02, which the 852 doesn't use"
    )

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("product_activity", self.number),) if self.number else ()
