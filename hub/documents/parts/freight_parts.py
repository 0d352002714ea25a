"""Parts that a load tender and a carrier's invoice have in common."""

from __future__ import annotations

from hub.documents.base import Number, Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Contact, Note
from hub.documents.parts.shipment_parts import (
    HandlingRequirement,
    ShipmentParty,
    ShipmentReference,
    ShipmentWeight,
)
from hub.documents.transport.shipment_status import OrderCarried


class FreightEquipment(Part):
    """A trailer, container or car. X12: N7. `code` is its kind (`TL`, `CN`, ...), `type` its exact type, `length` four
    digits of feet and inches."""

    initial: str | None = None
    number: str
    weight: Number | None = None
    weight_qualifier: str | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    code: str | None = None
    carrier: str | None = None
    temperature: str | None = None
    length: int | None = None
    type: str | None = None
    seals: tuple[str, ...] = ()


class Lading(Part):
    """What is loaded or unloaded. X12: LAD."""

    packaging: str | None = None
    pieces: int | None = None
    piece_weight_unit: str | None = None
    piece_weight: Number | None = None
    weight_unit: str | None = None
    weight: Number | None = None
    products: Identifiers = NO_IDS
    text: str | None = None


class FreightItem(Part):
    """Goods, as a carrier describes them. X12: L5."""

    number: int | None = None
    text: str | None = None
    commodity: str | None = None
    commodity_qualifier: str | None = None
    packaging: str | None = None
    mark: str | None = None
    weights: tuple[ShipmentWeight, ...] = ()
    handling: tuple[HandlingRequirement, ...] = ()
    references: tuple[ShipmentReference, ...] = ()
    contacts: tuple[Contact, ...] = ()


class FreightOrder(OrderCarried):
    """An order in the load. X12: OID; SPO before 004020."""

    appointments: tuple[Appointment, ...] = ()
    lading: tuple[Lading, ...] = ()
    items: tuple[FreightItem, ...] = ()
    distributions: tuple[Distribution, ...] = ()


class FreightStop(Part):
    """A stop on the way. X12: S5. `reason` is a code (`CL` complete load, `LD` load, `UL` unload, ...)."""

    number: int
    reason: str
    weight: Number | None = None
    weight_unit: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    text: str | None = None
    location: str | None = None
    accomplish: str | None = None
    references: tuple[ShipmentReference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    weights: tuple[ShipmentWeight, ...] = ()
    lading: tuple[Lading, ...] = ()
    handling: tuple[HandlingRequirement, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
    items: tuple[FreightItem, ...] = ()
    orders: tuple[FreightOrder, ...] = ()
    equipment: tuple[FreightEquipment, ...] = ()


class FreightTotals(Part):
    """What it all comes to. X12: L3; `amount` of an invoice is B307."""

    amount: Number | None = None
    weight: Number | None = None
    weight_qualifier: str | None = None
    weight_unit: str | None = None
    rate: Number | None = None
    rate_qualifier: str | None = None
    charge: Number | None = None
    advances: Number | None = None
    prepaid: Number | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    pieces: int | None = None
    declared: Number | None = None
    declared_qualifier: str | None = None
