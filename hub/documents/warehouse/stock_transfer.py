"""What a depositor has sent into a warehouse."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.appointment import Appointment, find_day
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.carriage import Carriage
from hub.documents.parts.goods import Description, Packaging
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Contact, Note, Party, Reference, find_reference
from hub.documents.warehouse.warehouse_advice import WarehouseAdviceTotals


class StockTransferLine(Part):
    """An item on its way into the warehouse. X12: W04. `hold` says in what condition it must be kept apart."""

    quantity: Number
    unit: str
    case_code: str | None = None
    products: Identifiers = NO_IDS
    freight_class: str | None = None
    rate_class: str | None = None
    commodity_qualifier: str | None = None
    commodity: str | None = None
    pallet_pattern: str | None = None
    hold: str | None = None
    descriptions: tuple[Description, ...] = ()
    references: tuple[Reference, ...] = ()
    packaging: tuple[Packaging, ...] = ()


class StockTransfer(PartiesByRole, Document):
    """What a depositor tells a warehouse is coming. X12: 943. `number` is the depositor's order number (W0602), and
    empty where the depositor leaves it out; `reporting` says what it reports on (`F` all of it, ...)."""

    kind: ClassVar[str] = "stock_transfer"

    document: Literal["stock_transfer@1"] = "stock_transfer@1"
    number: str = Field(default="", max_length=256, description="The depositor's order number")
    reporting: str | None = None
    date: datetime.date | None = Field(default=None, description="When it was shipped")
    shipment: str | None = None
    agent_shipment: str | None = None
    purchase_order: str | None = None
    master_reference: str | None = None
    link_sequence: str | None = None
    special_handling: str | None = None
    delay_reason: str | None = None
    type: str | None = None
    action: str | None = None
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    notes: tuple[Note, ...] = ()
    carriage: Carriage | None = None
    lines: tuple[StockTransferLine, ...] = ()
    totals: WarehouseAdviceTotals = WarehouseAdviceTotals()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        named = (
            ("stock_transfer", self.number),
            ("order", self.purchase_order),
            ("shipment", self.shipment),
            ("bol", self.bill_of_lading),
        )
        return tuple((kind, value) for kind, value in named if value)

    @property
    def bill_of_lading(self) -> str | None:
        return find_reference(self.references, "BM", "MB")

    @property
    def carrier(self) -> str | None:
        return self.carriage.carrier if self.carriage else None

    @property
    def expected(self) -> datetime.date | None:
        """When it should arrive."""
        return find_day(self.appointments, "estimated_delivery", "scheduled_delivery", "delivery_requested")
