"""What a warehouse has shipped."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.carriage import Carriage
from hub.documents.parts.goods import Description, Mark, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.line_detail import LineDetail
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    MonetaryAmount,
    Note,
    Party,
    Quantity,
    Reference,
    find_reference,
)


class WarehouseAdviceLine(Part):
    """What became of an item of the order. X12: W12. `status` says how it was filled (`CC` complete, `CP` partial, `BO`
    back order, ...), `change_reason` why the quantities differ; the `other_...` describe what was ordered in its stead,
    or weigh it a second time."""

    status: str
    ordered: Number | None = None
    shipped: Number | None = None
    difference: Number | None = None
    unit: str | None = None
    case_code: str | None = None
    products: Identifiers = NO_IDS
    lot: str | None = None
    weight: Number | None = None
    weight_qualifier: str | None = None
    weight_unit: str | None = None
    other_weight: Number | None = None
    other_weight_qualifier: str | None = None
    other_weight_unit: str | None = None
    other_case_code: str | None = None
    other_product_qualifier: str | None = None
    other_product: str | None = None
    change_reason: str | None = None
    adjustment: str | None = None
    descriptions: tuple[Description, ...] = ()
    references: tuple[Reference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    carriage: Carriage | None = None
    parties: tuple[Party, ...] = ()
    detail_loop: str | None = Field(default=None, description="The id of the loop of details (LS01)")
    details: tuple[LineDetail, ...] = ()


class WarehouseAdviceGroup(Part):
    """Lines that travel together, on a pallet or in a carton, whose `marks` hold its SSCC. X12: LX."""

    number: str
    marks: tuple[Mark, ...] = ()
    references: tuple[Reference, ...] = ()
    lines: tuple[WarehouseAdviceLine, ...] = ()

    @property
    def sscc(self) -> str | None:
        """The serial shipping container code of the package."""
        return next((m.id for m in self.marks if m.qualifier == "GM"), None)


class WarehouseAdviceTotals(Part):
    """What the warehouse says the sums are. X12: W03."""

    units: Number | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    packages: int | None = None
    package_unit: str | None = None


class WarehouseAdvice(PartiesByRole, Document):
    """What a warehouse shipped of an order. X12: 945. `number` is the depositor's order number (W0602), and empty where
    the warehouse leaves it out; `reporting` says what it reports on (`F` a full order, `P` a part of one, ...)."""

    kind: ClassVar[str] = "warehouse_advice"

    document: Literal["warehouse_advice@1"] = "warehouse_advice@1"
    number: str = Field(default="", max_length=256, description="The number of the order that was shipped")
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
    handling: tuple[str, ...] = Field(default=(), description="Codes of special handling")
    packing: tuple[Packing, ...] = ()
    groups: tuple[WarehouseAdviceGroup, ...] = ()
    totals: WarehouseAdviceTotals = WarehouseAdviceTotals()

    @property
    def lines(self) -> tuple[WarehouseAdviceLine, ...]:
        """All lines, in the order of the document."""
        return tuple(line for group in self.groups for line in group.lines)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        named = (
            ("warehouse_order", self.number),
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
