"""The canonical order."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.balance import Balance, balance_of_lines
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Tax, Terms
from hub.documents.parts.goods import Description, Equipment, PackageText, Packing
from hub.documents.parts.line import Line, sum_lines, unknown_amounts
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Reference,
    find_date,
    find_reference,
    stated_total,
    stated_totals,
)


class OrderTotals(Part):
    """What the sender says the sums are. `amount` is money; `quantity` is the sum of the lines' quantities, in `unit`
    where the set says one (X12: G76)."""

    amount: Number | None = None
    lines: int | None = None
    quantity: Number | None = None
    unit: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    text: str | None = None


class Order(PartiesByRole, Document):
    """An order to buy. X12: 850, for groceries 875."""

    kind: ClassVar[str] = "order"

    document: Literal["order@1"] = "order@1"
    purpose: str | None = Field(default=None, description="00 original, 01 cancellation, 05 replace, ...")
    type: str | None = Field(default=None, description="SA stand-alone, NE new, DS drop shipment, BK blanket, ...")
    date: datetime.date | None = None
    release: str | None = None
    contract: str | None = None
    acknowledgment: str | None = None
    invoice_type: str | None = None
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
    lines: tuple[Line, ...] = ()
    totals: OrderTotals = OrderTotals()
    amounts: tuple[MonetaryAmount, ...] = ()

    @property
    def total(self) -> Decimal | None:
        carried = self.carried_total
        return carried if carried is not None else sum_lines(self.lines, self.adjustments)

    @property
    def carried_total(self) -> Decimal | None:
        """The total that the sender states: in `totals`, or as the amount TT (X12: AMT)."""
        return self.totals.amount if self.totals.amount is not None else stated_total(self.amounts)

    def balance(self) -> Balance | None:
        stated = stated_totals(self.totals.amount, self.amounts)
        if not stated:
            return None
        return balance_of_lines(stated, self.lines, self.adjustments, self.taxes, taxed=False)

    def unknown_amounts(self) -> Iterator[tuple[str, str]]:
        return unknown_amounts(self.lines, self.adjustments)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("order", self.number)]
        if customer := self.customer_order:
            found.append(("customer_order", customer))
        found += [("bol", r.value) for r in self.references if r.qualifier in ("BM", "MB") and r.value]
        return tuple(found)

    @property
    def customer_order(self) -> str | None:
        """The number that the final customer gave it (REF CO, or OQ)."""
        return find_reference(self.references, "CO", "OQ")

    @property
    def department(self) -> str | None:
        return find_reference(self.references, "DP")

    @property
    def delivery_requested(self) -> datetime.date | None:
        return find_date(self.dates, "delivery_requested")
