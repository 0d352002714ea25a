"""What every document about an order carries besides its own head: parties, dates, terms, totals."""

from __future__ import annotations

from decimal import Decimal

from hub.documents.base import Document, Number
from hub.documents.orders.order import OrderTotals
from hub.documents.parts.balance import Balance, balance_of_lines
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Tax, Terms
from hub.documents.parts.goods import Description, Equipment, PackageText, Packing
from hub.documents.parts.line import Line
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Reference,
    find_reference,
    stated_total,
    stated_totals,
)


class OrderParts(PartiesByRole, Document):
    """The base of acknowledgments and changes of an order. `number` is the number of the order, as its buyer gave
    it."""

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
    def carried_total(self) -> Decimal | None:
        """The total that the sender states. Never computed: the lines needn't be all of the order's."""
        return self.totals.amount if self.totals.amount is not None else stated_total(self.amounts)

    @property
    def has_all_lines(self) -> bool:
        """Whether its lines are all of the order's, so that they add up to its total."""
        return False

    def balance(self) -> Balance | None:
        lines: tuple[Line, ...] = getattr(self, "lines", ())
        stated = stated_totals(self.totals.amount, self.amounts) if self.has_all_lines else ()
        return balance_of_lines(stated, lines, self.adjustments, self.taxes, taxed=False) if stated else None

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("order", self.number)]
        if customer := find_reference(self.references, "CO", "OQ"):
            found.append(("customer_order", customer))
        return tuple(found)
