"""Where a shipment is, and what happened to it."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Mark
from hub.documents.parts.shipment_parts import (
    HandlingRequirement,
    LadingException,
    Package,
    Remark,
    ShipmentParty,
    ShipmentReference,
    ShipmentWeight,
    Status,
)


class OrderCarried(Part):
    """An order in the shipment. X12: OID; PRF before 004020."""

    number: str | None = None
    release: str | None = None
    change_sequence: str | None = None
    date: datetime.date | None = None
    line: str | None = None
    contract: str | None = None
    type: str | None = None
    reference: str | None = None
    other_reference: str | None = None
    unit: str | None = None
    quantity: Number | None = None
    weight_unit: str | None = None
    weight: Number | None = None
    volume_unit: str | None = None
    volume: Number | None = None
    error: str | None = None
    error_reference: str | None = None
    parties: tuple[ShipmentParty, ...] = ()
    packages: tuple[Package, ...] = ()
    distributions: tuple[Distribution, ...] = ()


class StatusDetail(Part):
    """The state of the shipment, or of a part of it. X12: LX."""

    number: str
    statuses: tuple[Status, ...] = ()
    references: tuple[ShipmentReference, ...] = ()
    marks: tuple[Mark, ...] = ()
    exceptions: tuple[LadingException, ...] = ()
    remarks: tuple[Remark, ...] = ()
    handling: tuple[HandlingRequirement, ...] = ()
    weights: tuple[ShipmentWeight, ...] = ()
    packages: tuple[Package, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
    orders: tuple[OrderCarried, ...] = ()


class Interline(Part):
    """A carrier on the way. X12: MS3."""

    carrier: str
    sequence: str
    city: str | None = None
    mode: str | None = None
    state: str | None = None


class ShipmentStatus(PartiesByRole, Document):
    """What a carrier says of a shipment. X12: 214. `number` is the carrier's own number (the PRO, B1001), and empty
    where it gives another one (`reference`, B1006) in its stead."""

    kind: ClassVar[str] = "shipment_status"

    document: Literal["shipment_status@1"] = "shipment_status@1"
    number: str = Field(default="", max_length=256, description="The number that the carrier gave the shipment")
    shipment: str | None = Field(default=None, description="The number that the shipper gave it")
    carrier: str | None = Field(default=None, description="SCAC")
    inquiry: str | None = None
    reference_qualifier: str | None = None
    reference: str | None = None
    answer: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    references: tuple[ShipmentReference, ...] = ()
    marks: tuple[Mark, ...] = ()
    remarks: tuple[Remark, ...] = ()
    parties: tuple[ShipmentParty, ...] = ()
    interlines: tuple[Interline, ...] = ()
    details: tuple[StatusDetail, ...] = ()

    @property
    def statuses(self) -> tuple[Status, ...]:
        """All of them, in the order of the document."""
        return tuple(status for detail in self.details for status in detail.statuses)

    @property
    def last(self) -> Status | None:
        """The last status that is stated."""
        return next((status for status in reversed(self.statuses) if status.status), None)

    @property
    def bill_of_lading(self) -> str | None:
        return next(iter(self._values("BM", "MB")), None)

    @property
    def orders(self) -> tuple[str, ...]:
        """The numbers of the orders in it, each once."""
        named = [order.number for detail in self.details for order in detail.orders if order.number]
        return tuple(dict.fromkeys([*self._values("PO"), *named]))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("carrier_reference", self.number)] if self.number else []
        found += [("shipment", self.shipment)] if self.shipment else []
        found += [("bol", value) for value in self._values("BM", "MB")]
        return tuple(dict.fromkeys(found + [("order", number) for number in self.orders]))

    def _values(self, *qualifiers: str) -> list[str]:
        """What the references with a qualifier say, those of the document first; B1006 is one of them."""
        found = [(self.reference_qualifier, self.reference)]
        found += [(r.qualifier, r.value) for r in self.references]
        found += [(r.qualifier, r.value) for detail in self.details for r in detail.references]
        return [value for qualifier, value in found if qualifier in qualifiers and value]
