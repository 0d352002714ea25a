"""The order to a warehouse to ship."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.appointment import Appointment, find_day
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.carriage import Carriage, Climate
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, Equipment, Mark, Packaging
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.line_detail import LineDetail
from hub.documents.parts.parts import Contact, MonetaryAmount, Note, Party, Quantity, Reference


class WarehouseOrderLine(Part):
    """An item to ship. X12: W01. `products` maps the qualifier of a product id to the id; `case_code` is the UPC of the
    case, `pallet_pattern` its block and tiers."""

    quantity: Number
    unit: str
    case_code: str | None = None
    products: Identifiers = NO_IDS
    freight_class: str | None = None
    rate_class: str | None = None
    commodity_qualifier: str | None = None
    commodity: str | None = None
    pallet_pattern: str | None = None
    lot: str | None = None
    condition: str | None = None
    descriptions: tuple[Description, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    carriage: Carriage | None = None
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    detail_loop: str | None = Field(default=None, description="The id of the loop of details (LS01)")
    details: tuple[LineDetail, ...] = ()


class WarehouseOrderGroup(Part):
    """Lines that belong together, often one. X12: LX."""

    number: str
    marks: tuple[Mark, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    references: tuple[Reference, ...] = ()
    parties: tuple[Party, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    lines: tuple[WarehouseOrderLine, ...] = ()


class WarehouseOrderTotals(Part):
    """What the depositor says the sums are. X12: W76."""

    quantity: Number | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    sizing: Number | None = None


class WarehouseOrder(PartiesByRole, Document):
    """What a depositor tells a warehouse to ship. X12: 940. `number` is the depositor's order number (W0502), `status`
    says what to do (`N` new, `C` cancel, `R` replace, ...)."""

    kind: ClassVar[str] = "warehouse_order"

    document: Literal["warehouse_order@1"] = "warehouse_order@1"
    status: str | None = None
    purchase_order: str | None = None
    master_reference: str | None = None
    link_sequence: str | None = Field(default=None, description="Which order of how many that belong together: 001003")
    type: str | None = None
    action: str | None = None
    order_type: str | None = None
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    notes: tuple[Note, ...] = ()
    climate: Climate | None = None
    carriage: Carriage | None = None
    handling: tuple[str, ...] = Field(default=(), description="Codes of special handling")
    equipment: tuple[Equipment, ...] = ()
    groups: tuple[WarehouseOrderGroup, ...] = ()
    totals: WarehouseOrderTotals = WarehouseOrderTotals()

    @property
    def lines(self) -> tuple[WarehouseOrderLine, ...]:
        """All lines, in the order of the document."""
        return tuple(line for group in self.groups for line in group.lines)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("warehouse_order", self.number)]
        if self.purchase_order:
            found.append(("order", self.purchase_order))
        return tuple(found)

    @property
    def carrier(self) -> str | None:
        return self.carriage.carrier if self.carriage else None

    @property
    def requested_ship(self) -> datetime.date | None:
        return find_day(self.appointments, "requested_ship", "ship_not_before")

    @property
    def delivery_requested(self) -> datetime.date | None:
        return find_day(self.appointments, "delivery_requested", "deliver_not_before")
