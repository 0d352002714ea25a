"""What a carrier says of a shipment, in parts."""

from __future__ import annotations

import datetime

from hub.documents.base import Number, Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.goods import Mark
from hub.documents.parts.parts import Party, Reference
from hub.documents.parts.person import Person


class ShipmentReference(Reference):
    """A number that the shipment has (`BM` bill of lading, `PO` order); without a qualifier, an instruction in words.
    X12: L11."""

    qualifier: str = ""
    date: datetime.date | None = None
    answer: str | None = None


class Remark(Part):
    """Words of the carrier. X12: K1."""

    text: str
    further: str | None = None


class ShipmentParty(Party):
    """A party to the shipment, whom the carrier knows by numbers of its own and may have an appointment with. X12:
    N1."""

    references: tuple[ShipmentReference, ...] = ()
    appointments: tuple[Appointment, ...] = ()


class Place(Part):
    """Where something happened. X12: MS1. `longitude` and `latitude` are degrees, minutes and seconds (DDDMMSS)."""

    city: str | None = None
    state: str | None = None
    country: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    longitude_direction: str | None = None
    latitude_direction: str | None = None
    postal_code: str | None = None


class StatusEquipment(Part):
    """The trailer or container. X12: MS2."""

    carrier: str | None = None
    number: str | None = None
    type: str | None = None
    check_digit: int | None = None


class Status(Part):
    """What happened, or what was agreed, when and where. X12: AT7 with MS1 and MS2. `status` is a code (`AF` picked up,
    `X1` at the delivery place, `D1` delivered, `AG` estimated delivery), or `appointment` is (`AA` pick-up, `AB`
    delivery)."""

    status: str | None = None
    reason: str | None = None
    appointment: str | None = None
    appointment_reason: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    zone: str | None = None
    place: Place | None = None
    equipment: tuple[StatusEquipment, ...] = ()
    remarks: tuple[Remark, ...] = ()
    seals: tuple[str, ...] = ()


class ShipmentWeight(Part):
    """Weight, pieces and volume. X12: AT8."""

    qualifier: str | None = None
    unit: str | None = None
    weight: Number | None = None
    handling_units: int | None = None
    pieces: int | None = None
    volume_unit: str | None = None
    volume: Number | None = None


class LadingException(Part):
    """What is short, over, damaged or refused. X12: Q7."""

    code: str
    packaging: str | None = None
    quantity: int | None = None


class HandlingRequirement(Part):
    """How the goods must be treated. X12: AT5."""

    code: str | None = None
    service: str | None = None
    text: str | None = None
    unit: str | None = None
    temperature: Number | None = None
    temperature_to: Number | None = None


class Package(Part):
    """A carton, and what is known of it. X12: CD3."""

    weight_qualifier: str | None = None
    weight: Number | None = None
    zone: str | None = None
    service_standard: Number | None = None
    service_level: str | None = None
    pickup_or_delivery: str | None = None
    rate_qualifier: str | None = None
    charge: Number | None = None
    total_rate_qualifier: str | None = None
    total_charge: Number | None = None
    second_service_level: str | None = None
    third_service_level: str | None = None
    payment_method: str | None = None
    country: str | None = None
    references: tuple[ShipmentReference, ...] = ()
    statuses: tuple[Status, ...] = ()
    people: tuple[Person, ...] = ()
    exceptions: tuple[LadingException, ...] = ()
    weights: tuple[ShipmentWeight, ...] = ()
    marks: tuple[Mark, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
