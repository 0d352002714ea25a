"""A line of an order or of an invoice."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hub.documents.base import EXACT, Number, Part
from hub.documents.commerce import Adjustment, Freight, Routing, Tax, Terms, adjusted
from hub.documents.distribution import Distribution
from hub.documents.goods import Description, Packaging, Price
from hub.documents.identifiers import NO_IDS, Identifiers
from hub.documents.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Quantity,
    Reference,
)

PER = {"HP": Decimal("0.01"), "TP": Decimal("0.001")}
"""Bases of a unit price that is not for one: per hundred, per thousand."""


class Schedule(Part):
    """A part of the line's quantity, and when it is wanted. X12: SCH."""

    quantity: Number
    unit: str | None = None
    dates: tuple[Milestone, ...] = ()
    party_role: str | None = None
    party_name: str | None = None
    request: str | None = None


class Subline(Part):
    """A component of a line: of a kit, of a pack. X12: SLN."""

    number: str
    relation: str | None = None
    parent: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    products: Identifiers = NO_IDS
    descriptions: tuple[Description, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    dates: tuple[Milestone, ...] = ()


class Line(Part):
    """A line. `products` maps the qualifier of a product id (`UP` UPC, `VN` vendor's item, `BP` buyer's part) to the id;
    `case_code` is the UPC of the case, which grocery sets give without a qualifier (X12: G68, G17).
    `price` is exact, for one `unit` unless `price_basis` says otherwise (`HP` per hundred, `TP` per thousand)."""

    number: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    case_code: str | None = None
    products: Identifiers = NO_IDS
    descriptions: tuple[Description, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    sublines: tuple[Subline, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[Tax, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    prices: tuple[Price, ...] = ()
    terms: tuple[Terms, ...] = ()
    freight: tuple[Freight, ...] = ()
    routings: tuple[Routing, ...] = ()

    @property
    def amount(self) -> Decimal | None:
        """Quantity times price, with the line's allowances and charges; None when either is missing."""
        if self.quantity is None or self.price is None:
            return None
        amount = EXACT.multiply(self.quantity, self.price)
        if self.price_basis in PER:
            amount = EXACT.multiply(amount, PER[self.price_basis])
        return adjusted(amount, self.adjustments) if self.adjustments else amount

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)


def sum_lines(lines: Iterable[Line], adjustments: tuple[Adjustment, ...] = ()) -> Decimal | None:
    """The lines' amounts, with the document's own allowances and charges. None when there is no line or one has no
    amount: a sum of some of them would be wrong."""
    total: Decimal | None = None
    for line in lines:
        amount = line.amount
        if amount is None:
            return None
        total = amount if total is None else EXACT.add(total, amount)
    return None if total is None else adjusted(total, adjustments)
