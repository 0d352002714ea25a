"""The canonical ship notice: a tree of shipment, orders, tares, packs and items, in whatever order they are nested."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.commerce import Adjustment, Freight, Routing
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, Equipment, Mark, PackageText, Packaging, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Quantity,
    Reference,
    find_date,
    find_party,
    find_reference,
)


class OrderShipped(Part):
    """The order that a level belongs to. X12: PRF."""

    number: str
    release: str | None = None
    change_sequence: str | None = None
    date: datetime.date | None = None
    line: str | None = None
    contract: str | None = None
    type: str | None = None


class Load(Part):
    """How many units make a load: packs on a pallet, pieces in a pack. X12: PAL and CLD."""

    loads: int | None = None
    units: Number | None = None
    code: str | None = None
    size: Number | None = None
    unit: str | None = None
    dates: tuple[Milestone, ...] = ()


class Component(Part):
    """A component of an item. X12: SLN."""

    number: str
    relation: str | None = None
    parent: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    products: Identifiers = NO_IDS


class Level(Part):
    """One node of the tree. `level` is `shipment`, `order`, `tare`, `pack`, `item` or the code it came with; which
    fields it has follows from that.

    An item's `products` hold its ids, among them its lot (`LT`) and serial number (`SN`) where they come as product
    ids.
    """

    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    level: str
    id: str | None = None
    order: OrderShipped | None = None
    marks: tuple[Mark, ...] = ()
    line: str | None = Field(default=None, description="The line of the order that an item was shipped for (LIN01)")
    assigned: str | None = Field(default=None, description="What the sender calls the line (SN101)")
    products: Identifiers = NO_IDS
    quantity: Number | None = Field(default=None, description="What was shipped")
    unit: str | None = None
    ordered: Number | None = None
    ordered_unit: str | None = None
    shipped_to_date: Number | None = None
    status: str | None = None
    descriptions: tuple[Description, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    freight: tuple[Freight, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notes: tuple[Note, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    components: tuple[Component, ...] = ()
    loads: tuple[Load, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    levels: tuple[Level, ...] = ()

    def walk(self) -> Iterator[Level]:
        """This level and all below it, in the order of the notice."""
        yield self
        for level in self.levels:
            yield from level.walk()

    @property
    def sscc(self) -> str | None:
        """The serial shipping container code on the tare or pack."""
        return next((m.id for m in self.marks if m.qualifier == "GM"), None)

    @property
    def lots(self) -> tuple[str, ...]:
        """Lot numbers, from product ids (LT) and references (LT)."""
        found = [self.products["LT"]] if "LT" in self.products else []
        return tuple(found + [r.value for r in self.references if r.qualifier == "LT" and r.value])

    @property
    def serials(self) -> tuple[str, ...]:
        """Serial numbers, from product ids (SN), references (SE) and marks (SN)."""
        found = [self.products["SN"]] if "SN" in self.products else []
        found += [r.value for r in self.references if r.qualifier == "SE" and r.value]
        return tuple(found + [m.id for m in self.marks if m.qualifier == "SN"])


class ShipNotice(Document):
    """What was shipped, and how it is packed. X12: 856. `structure` keeps BSN05 (`0001` shipment, order, packaging,
    item; `0004` shipment, order, item; ...)."""

    kind: ClassVar[str] = "ship_notice"
    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    document: Literal["ship_notice@1"] = "ship_notice@1"
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    structure: str | None = None
    type: str | None = None
    status_reason: str | None = None
    dates: tuple[Milestone, ...] = ()
    levels: tuple[Level, ...] = ()
    line_count: int | None = None
    quantity: Number | None = Field(default=None, description="The sum of quantities that the sender states")

    def walk(self) -> Iterator[Level]:
        """All levels, in the order of the notice."""
        for level in self.levels:
            yield from level.walk()

    @property
    def shipment(self) -> Level | None:
        return next((level for level in self.levels if level.level == "shipment"), None)

    @property
    def items(self) -> tuple[Level, ...]:
        return tuple(level for level in self.walk() if level.level == "item")

    @property
    def orders(self) -> tuple[str, ...]:
        """The numbers of all orders in it, each once."""
        return tuple(dict.fromkeys(level.order.number for level in self.walk() if level.order))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("shipment", self.number)] + [("order", number) for number in self.orders]
        found += [("bol", r.value) for r in self._references if r.qualifier in ("BM", "MB") and r.value]
        found += [("carrier_reference", r.value) for r in self._references if r.qualifier == "CN" and r.value]
        return tuple(dict.fromkeys(found))

    @property
    def bill_of_lading(self) -> str | None:
        return find_reference(self._references, "BM", "MB")

    @property
    def shipped(self) -> datetime.date | None:
        shipment = self.shipment
        return find_date(shipment.dates if shipment else self.dates, "shipped")

    @property
    def carrier(self) -> str | None:
        """The carrier of the shipment, by the code that stands there (usually its SCAC)."""
        shipment = self.shipment
        return next((r.carrier for r in shipment.routings if r.carrier), None) if shipment else None

    @property
    def ship_to(self) -> Party | None:
        return self._party("ship_to")

    @property
    def ship_from(self) -> Party | None:
        return self._party("ship_from", "shipper")

    @property
    def bill_to(self) -> Party | None:
        return self._party("bill_to")

    @property
    def buyer(self) -> Party | None:
        return self._party("buyer", "ordered_by")

    @property
    def seller(self) -> Party | None:
        return self._party("seller", "supplier", "vendor")

    @property
    def remit_to(self) -> Party | None:
        return self._party("remit_to", "remittance")

    @property
    def _references(self) -> tuple[Reference, ...]:
        shipment = self.shipment
        return shipment.references if shipment else ()

    def _party(self, *roles: str) -> Party | None:
        """The shipment's party, else that of the first level below that has one."""
        for level in self.walk():
            if found := find_party(level.parties, *roles):
                return found
        return None
