"""A load that a shipper offers a motor carrier."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.freight_parts import FreightEquipment, FreightStop, FreightTotals
from hub.documents.parts.parts import Note
from hub.documents.parts.shipment_parts import HandlingRequirement, ShipmentParty, ShipmentReference
from hub.documents.transport.shipment_status import Interline


class LoadTender(PartiesByRole, Document):
    """A load tender. X12: 204; never an `order`. `number` is the shipment's number, which the carrier's answer, its
    statuses and its invoice name; `purpose` says whether it is new, changed or cancelled (`00`, `04`, `01`, ...)."""

    kind: ClassVar[str] = "load_tender"

    document: Literal["load_tender@1"] = "load_tender@1"
    number: str = Field(default="", max_length=256, description="The number that the shipper gave the shipment")
    carrier: str | None = Field(default=None, description="SCAC")
    purpose: str | None = None
    application: str | None = None
    tariff: str | None = None
    location: str | None = None
    weight_unit: str | None = None
    payment: str | None = None
    qualifier: str | None = None
    equipment_count: int | None = None
    weight_code: str | None = None
    customs: str | None = None
    terms: str | None = None
    method: str | None = None
    references: tuple[ShipmentReference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    interlines: tuple[Interline, ...] = ()
    handling: tuple[HandlingRequirement, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
    equipment: tuple[FreightEquipment, ...] = ()
    stops: tuple[FreightStop, ...] = ()
    totals: FreightTotals = FreightTotals()

    @property
    def bill_of_lading(self) -> str | None:
        return next(iter(self._values("BM", "MB")), None)

    @property
    def orders(self) -> tuple[str, ...]:
        """The numbers of the orders in it, each once."""
        named = [order.number for stop in self.stops for order in stop.orders if order.number]
        return tuple(dict.fromkeys([*self._values("PO"), *named]))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("shipment", self.number)] if self.number else []
        found += [("bol", value) for value in self._values("BM", "MB")]
        return tuple(dict.fromkeys(found + [("order", number) for number in self.orders]))

    def _values(self, *qualifiers: str) -> list[str]:
        """What the references with a qualifier say, those of the document first."""
        found = (*self.references, *(r for stop in self.stops for r in stop.references))
        return [r.value for r in found if r.qualifier in qualifiers and r.value]
