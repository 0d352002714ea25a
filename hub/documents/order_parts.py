"""What every document about an order carries besides its own head: parties, dates, terms, totals."""

from __future__ import annotations

from decimal import Decimal

from hub.documents.base import Document, Number
from hub.documents.by_role import PartiesByRole
from hub.documents.commerce import Adjustment, Freight, Routing, Tax, Terms
from hub.documents.goods import Description, Equipment, PackageText, Packing
from hub.documents.order import OrderTotals
from hub.documents.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Reference,
    find_reference,
)


class OrderParts(PartiesByRole, Document):
    """The base of acknowledgments and changes of an order. `number` is the number of the order, as its buyer gave it."""

    currency_party: str | None = None
    exchange_rate: Number | None = None
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    terms: tuple[Terms, ...] = ()
    freight: tuple[Freight, ...] = ()
    routings: tuple[Routing, ...] = ()
    packing: tuple[Packing, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[Tax, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    notes: tuple[Note, ...] = ()
    totals: OrderTotals = OrderTotals()
    amounts: tuple[MonetaryAmount, ...] = ()

    @property
    def total(self) -> Decimal | None:
        """The total that the sender states. Never computed: the lines needn't be all of the order's."""
        if self.totals.amount is not None:
            return self.totals.amount
        return next((amount.value for amount in self.amounts if amount.qualifier == "TT"), None)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("order", self.number)]
        if customer := find_reference(self.references, "CO", "OQ"):
            found.append(("customer_order", customer))
        return tuple(found)
