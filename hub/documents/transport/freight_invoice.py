"""What a motor carrier charges for a shipment."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from hub.documents.base import Document, Number, Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Terms
from hub.documents.parts.freight_parts import FreightEquipment, FreightItem, FreightOrder, FreightStop, FreightTotals
from hub.documents.parts.shipment_parts import Remark, ShipmentParty, ShipmentReference
from hub.documents.transport.shipment_status import Interline


class FreightQuantity(Part):
    """What is charged for. X12: L0."""

    line: int | None = None
    quantity: Number | None = None
    quantity_qualifier: str | None = None
    weight: Number | None = None
    weight_qualifier: str | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    pieces: int | None = None
    packaging: str | None = None


class FreightCharge(Part):
    """A charge. X12: L1. `code` says what for, where it isn't the freight itself (`400` freight, `405` fuel surcharge,
    ...)."""

    line: int | None = None
    rate: Number | None = None
    rate_qualifier: str | None = None
    amount: Number | None = None
    advances: Number | None = None
    prepaid: Number | None = None
    code: str | None = None
    text: str | None = None
    quantity: Number | None = None
    quantity_qualifier: str | None = None
    currency: str | None = None


class FreightLine(Part):
    """A line of the carrier's invoice. X12: LX."""

    number: str
    references: tuple[ShipmentReference, ...] = ()
    items: tuple[FreightItem, ...] = ()
    quantities: tuple[FreightQuantity, ...] = ()
    charges: tuple[FreightCharge, ...] = ()
    remarks: tuple[Remark, ...] = ()
    orders: tuple[FreightOrder, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()


class FreightInvoice(PartiesByRole, Document):
    """A carrier's invoice. X12: 210; never an `invoice`. `shipment` is the shipper's number of it, `totals.amount` what
    is to be paid."""

    kind: ClassVar[str] = "freight_invoice"

    document: Literal["freight_invoice@1"] = "freight_invoice@1"
    qualifier: str | None = None
    shipment: str | None = None
    carrier: str | None = None
    payment: str | None = None
    weight_unit: str | None = None
    date: datetime.date | None = None
    correction: str | None = None
    delivered: datetime.date | None = None
    delivered_purpose: str | None = None
    tariff: str | None = None
    transport_terms: str | None = None
    exchange_rate: Number | None = None
    terms: tuple[Terms, ...] = ()
    references: tuple[ShipmentReference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    interlines: tuple[Interline, ...] = ()
    remarks: tuple[Remark, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
    equipment: tuple[FreightEquipment, ...] = ()
    orders: tuple[FreightOrder, ...] = ()
    stops: tuple[FreightStop, ...] = ()
    lines: tuple[FreightLine, ...] = ()
    totals: FreightTotals = FreightTotals()

    @property
    def bill_of_lading(self) -> str | None:
        return next(iter(self._values("BM", "MB")), None)

    @property
    def order_numbers(self) -> tuple[str, ...]:
        """The numbers of the orders in it, each once."""
        carried = (
            *self.orders,
            *(order for stop in self.stops for order in stop.orders),
            *(order for line in self.lines for order in line.orders),
        )
        return tuple(dict.fromkeys([*self._values("PO"), *(order.number for order in carried if order.number)]))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("freight_invoice", self.number)] if self.number else []
        found += [("shipment", self.shipment)] if self.shipment else []
        found += [("carrier_reference", value) for value in self._values("CN")]
        found += [("bol", value) for value in self._values("BM", "MB")]
        return tuple(dict.fromkeys(found + [("order", number) for number in self.order_numbers]))

    def _values(self, *qualifiers: str) -> list[str]:
        """What the references with a qualifier say, those of the document first."""
        inner = (
            *(r for stop in self.stops for r in stop.references),
            *(r for line in self.lines for r in line.references),
        )
        return [r.value for r in (*self.references, *inner) if r.qualifier in qualifiers and r.value]
