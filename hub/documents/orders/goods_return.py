"""The return of goods: asked for, allowed, announced."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Routing
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, PackageText, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.order_reference import OrderReference
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Quantity,
    Reference,
    find_reference,
)


class Disposition(Part):
    """What shall become of the goods, and why. X12: RDR. `action` says what to do with them, `reason` why they are
    returned, `response` why it is allowed or refused; all are codes."""

    action: str | None = None
    reason: str | None = None
    response: str | None = None
    text: str | None = None
    answer: str | None = None


class Claim(Part):
    """What is claimed for the goods. X12: G38."""

    amount: Number
    method: str | None = None
    disposition: str | None = None


class ReturnLine(Part):
    """An item that is returned. X12: BLI. `product` is the id by which it is named, by `product_qualifier`;
    `other_products` are further ids."""

    product_qualifier: str
    product: str
    quantity: Number | None = None
    unit: str | None = None
    price_code: str | None = None
    price: Number | None = None
    price_unit: str | None = None
    other_products: Identifiers = NO_IDS
    disposition: Disposition = Disposition()
    orders: tuple[OrderReference, ...] = ()
    descriptions: tuple[Description, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[Party, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    routings: tuple[Routing, ...] = ()
    distributions: tuple[Distribution, ...] = ()

    @property
    def products(self) -> Identifiers:
        """All ids of the item."""
        return Identifiers({self.product_qualifier: self.product, **self.other_products})

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)


class GoodsReturn(PartiesByRole, Document):
    """A return of goods. X12: 180. `purpose` and `type` keep their codes: they say whether it is the request, the
    answer or the notification. `number` is the number of the authorization or of the request."""

    kind: ClassVar[str] = "return"

    document: Literal["return@1"] = "return@1"
    purpose: str | None = Field(default=None, description="00 original, 11 response, 13 request, ...")
    date: datetime.date | None = None
    time: str | None = None
    zone: str | None = None
    reference: str | None = Field(default=None, description="The number of what it answers (BGN06)")
    type: str | None = None
    action: str | None = None
    disposition: Disposition = Disposition()
    orders: tuple[OrderReference, ...] = ()
    claims: tuple[Claim, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    packing: tuple[Packing, ...] = ()
    routings: tuple[Routing, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[Party, ...] = ()
    lines: tuple[ReturnLine, ...] = ()

    @property
    def order_numbers(self) -> tuple[str, ...]:
        """The numbers of the orders that the goods came by, each once."""
        named = [*self.orders, *(order for line in self.lines for order in line.orders)]
        return tuple(dict.fromkeys(order.number for order in named))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("return", self.number)]
        found += [("return", self.reference)] if self.reference else []
        found += [("order", number) for number in self.order_numbers]
        if invoice := find_reference(self.references, "IV"):
            found.append(("invoice", invoice))
        return tuple(dict.fromkeys(found))
