"""What a customer says was received."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing
from hub.documents.parts.goods import Description, Equipment, Mark, Packaging, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.line import Subline
from hub.documents.parts.order_reference import OrderReference
from hub.documents.parts.parts import Contact, Measurement, Milestone, Party, Reference, find_reference


class Discrepancy(Part):
    """Units that are in question. X12: RCD06 to RCD20. `condition` is a code (`01` damaged, `02` short, `03` over,
    ...)."""

    quantity: Number | None = None
    unit: str | None = None
    condition: str | None = None


class ReceivedItem(Part):
    """The ids of what was received. X12: LIN."""

    number: str | None = None
    products: Identifiers = NO_IDS


class ReceivedLine(Part):
    """A line that was received. X12: RCD and SN1. `quantity` was received or accepted, `returned` was sent back."""

    number: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    returned: Number | None = None
    returned_unit: str | None = None
    discrepancies: tuple[Discrepancy, ...] = ()
    assigned: str | None = None
    shipped: Number | None = None
    shipped_unit: str | None = None
    shipped_to_date: Number | None = None
    ordered: Number | None = None
    ordered_unit: str | None = None
    status: str | None = None
    items: tuple[ReceivedItem, ...] = ()
    orders: tuple[OrderReference, ...] = ()
    descriptions: tuple[Description, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    freight: tuple[Freight, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[Mark, ...] = ()
    sublines: tuple[Subline, ...] = ()
    parties: tuple[Party, ...] = ()

    @property
    def products(self) -> Identifiers:
        """The ids of the first item."""
        return self.items[0].products if self.items else NO_IDS


class ReceivingAdvice(PartiesByRole, Document):
    """What a customer received, and what was wrong with it. X12: 861. `number` is the receipt's own number; `type`
    keeps its code (`1` receiving dock advice, `2` post receipt advice, ...)."""

    kind: ClassVar[str] = "receiving_advice"

    document: Literal["receiving_advice@1"] = "receiving_advice@1"
    purpose: str | None = None
    type: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    condition: str | None = None
    action: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    orders: tuple[OrderReference, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    parties: tuple[Party, ...] = ()
    lines: tuple[ReceivedLine, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(default=None, description="The sum of quantities that the sender states (CTT02)")

    @property
    def order_numbers(self) -> tuple[str, ...]:
        """The numbers of the orders that were received on, each once."""
        named = [*self.orders, *(order for line in self.lines for order in line.orders)]
        return tuple(dict.fromkeys(order.number for order in named))

    @property
    def shipment(self) -> str | None:
        """The number that the shipper gave the shipment."""
        return find_reference(self.references, "SI")

    @property
    def bill_of_lading(self) -> str | None:
        return find_reference(self.references, "BM", "MB")

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("receiving_advice", self.number), *(("order", number) for number in self.order_numbers)]
        found += [("shipment", self.shipment)] if self.shipment else []
        found += [("bol", self.bill_of_lading)] if self.bill_of_lading else []
        return tuple(found)
