"""The canonical inventory advice: what is in stock, and where."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import EXACT, Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, Mark, PackageText, Price
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.lead_time import LeadTime
from hub.documents.parts.line import LineSchedule
from hub.documents.parts.parts import Contact, Measurement, Milestone, Party, Quantity, Reference


class UnitPrice(Part):
    """The price of one unit of a quantity. X12: UIT."""

    unit: str
    price: Number | None = None
    basis: str | None = None


class StockReference(Reference):
    """A place, lot or the like that a quantity is split by. X12: REF inside LS and LE. Senders write the quantity that
    is there into `text`."""

    dates: tuple[Milestone, ...] = ()
    parties: tuple[Party, ...] = ()


class StockQuantity(Quantity):
    """A quantity of an item by its qualifier: `33` available, `17` on hand, `02` cumulative, `29` projected, ... X12:
    the QTY loop. `loop` names the loop that splits it (LS01)."""

    prices: tuple[UnitPrice, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    lead_times: tuple[LeadTime, ...] = ()
    dates: tuple[Milestone, ...] = ()
    schedules: tuple[LineSchedule, ...] = ()
    loop: str | None = None
    split: tuple[StockReference, ...] = ()


class StockItem(Part):
    """An item and its quantities. X12: the LIN loop of 846."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("quantity",))

    number: str | None = None
    products: Identifiers = NO_IDS
    quantities: tuple[StockQuantity, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    dates: tuple[Milestone, ...] = ()
    prices: tuple[Price, ...] = ()
    currency_party: str | None = None
    currency: str | None = None
    exchange_rate: Number | None = None
    adjustments: tuple[Adjustment, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    marks: tuple[Mark, ...] = ()
    maintenance: str | None = None
    lead_times: tuple[LeadTime, ...] = ()
    parties: tuple[Party, ...] = ()

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)

    def quantity(self, *qualifiers: str) -> Decimal | None:
        """The sum of the quantities with the qualifiers; None when there is none."""
        found = [q.value for q in self.quantities if q.qualifier in qualifiers and q.value is not None]
        total = Decimal(0)
        for value in found:
            total = EXACT.add(total, value)
        return total if found else None


class InventoryAdvice(PartiesByRole, Document):
    """What its sender has in stock, or asks for. X12: 846. `report` keeps its code: `DD` distributor inventory, `MM`
    manufacturer inventory, `SI` seller inventory, ..."""

    kind: ClassVar[str] = "inventory_advice"

    document: Literal["inventory_advice@1"] = "inventory_advice@1"
    purpose: str | None = None
    report: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    action: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    parties: tuple[Party, ...] = ()
    items: tuple[StockItem, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(default=None, description="The sum of quantities that the sender states (CTT02)")

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("inventory_advice", self.number),)
