"""What a seller says of the state of orders."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Routing
from hub.documents.parts.goods import Description, Equipment, PackageText, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.line import Subline
from hub.documents.parts.order_reference import OrderReference
from hub.documents.parts.parts import Contact, Measurement, Milestone, Party, Quantity, Reference


class DatedReference(Reference):
    """A reference, and the days that belong to it. X12: REF and DTM."""

    dates: tuple[Milestone, ...] = ()


class ItemStatus(Part):
    """A state that an order or a line of it is in. X12: ISR. `status` is a code (`BP` shipped in part, `CC` complete,
    `IN` in process, ...), `reason` says why."""

    status: str
    date: datetime.date | None = None
    reason: str | None = None
    descriptions: tuple[Description, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()


class OrderStatusLine(Part):
    """A line of the order. X12: PO1."""

    number: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    products: Identifiers = NO_IDS
    currency_party: str | None = None
    currency: str | None = None
    exchange_rate: Number | None = None
    statuses: tuple[ItemStatus, ...] = ()
    sublines: tuple[Subline, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    package_texts: tuple[PackageText, ...] = ()


class OrderStatusLevel(Part):
    """One node of the tree: `order`, `item`, `shipment`, or the code it came with. X12: HL."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    level: str
    id: str | None = None
    order: OrderReference | None = None
    statuses: tuple[ItemStatus, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[DatedReference, ...] = ()
    parties: tuple[Party, ...] = ()
    lines: tuple[OrderStatusLine, ...] = ()
    levels: tuple[OrderStatusLevel, ...] = ()

    def walk(self) -> Iterator[OrderStatusLevel]:
        """This level and all below it, in the order of the document."""
        yield self
        for level in self.levels:
            yield from level.walk()


class OrderStatus(PartiesByRole, Document):
    """How orders stand. X12: 870. `number` is the report's own number; `report` and `scope` keep their codes: why it is
    sent (`3` unsolicited, ...), and whether it is about orders or items (`PA`, `PP`, ...)."""

    kind: ClassVar[str] = "order_status"
    for_templates: ClassVar[frozenset[str]] = frozenset(("walk",))

    document: Literal["order_status@1"] = "order_status@1"
    report: str | None = None
    scope: str | None = None
    date: datetime.date | None = None
    dated_by: str | None = None
    located_by: str | None = None
    time: str | None = None
    inquiry: str | None = None
    inquiry_date: datetime.date | None = None
    inquiry_time: str | None = None
    purpose: str | None = None
    action: str | None = None
    equipment: tuple[Equipment, ...] = ()
    routings: tuple[Routing, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[DatedReference, ...] = ()
    parties: tuple[Party, ...] = ()
    levels: tuple[OrderStatusLevel, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(default=None, description="What the sender states in CTT02. Nobody checks it")

    def walk(self) -> Iterator[OrderStatusLevel]:
        """All levels, in the order of the report."""
        for level in self.levels:
            yield from level.walk()

    @property
    def order_numbers(self) -> tuple[str, ...]:
        """The numbers of all orders in it, each once."""
        return tuple(dict.fromkeys(level.order.number for level in self.walk() if level.order))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("order_status", self.number), *(("order", number) for number in self.order_numbers))
