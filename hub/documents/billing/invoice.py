"""The canonical invoice."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import EXACT, Document, Number, Part
from hub.documents.parts.balance import Balance, balance_of_lines, tax_of_parts
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Tax, Terms, tax_of
from hub.documents.parts.goods import Description, PackageText
from hub.documents.parts.line import Line, sum_lines, unknown_amounts
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Reference,
    find_reference,
    stated_totals,
)

CREDIT = frozenset(("CN", "CR"))
"""Types of invoices that give back: some senders write their totals with a sign, some without."""


class InvoicedShipment(Part):
    """What an invoice says was shipped. X12: ISS."""

    units: Number | None = None
    unit: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None


class InvoiceTotals(Part):
    """What the sender says the sums are. `amount` is what is to be paid; `discountable` what a discount is of;
    `discounted` what is to be paid within the discount's time; `discount` the difference. `unit` is that of `quantity`,
    where the set says one (X12: G31)."""

    amount: Number | None = None
    discountable: Number | None = None
    discounted: Number | None = None
    discount: Number | None = None
    lines: int | None = None
    quantity: Number | None = None
    unit: str | None = None
    weight: Number | None = None
    weight_unit: str | None = None
    volume: Number | None = None
    volume_unit: str | None = None
    text: str | None = None


class Invoice(PartiesByRole, Document):
    """An invoice or credit memo. X12: 810, for groceries 880. `type` keeps its code: `DR` debit memo, `CR` credit memo,
    `PR` product."""

    kind: ClassVar[str] = "invoice"

    document: Literal["invoice@1"] = "invoice@1"
    purpose: str | None = None
    type: str | None = None
    date: datetime.date | None = None
    order_number: str | None = None
    order_date: datetime.date | None = None
    release: str | None = None
    change_sequence: str | None = None
    action: str | None = None
    reference: str | None = Field(default=None, description="The number of the invoice it belongs to (BIG10)")
    currency_party: str | None = None
    exchange_rate: Number | None = None
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    terms: tuple[Terms, ...] = ()
    freight: tuple[Freight, ...] = ()
    routings: tuple[Routing, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[Tax, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    notes: tuple[Note, ...] = ()
    shipped: tuple[InvoicedShipment, ...] = ()
    lines: tuple[Line, ...] = ()
    totals: InvoiceTotals = InvoiceTotals()
    amounts: tuple[MonetaryAmount, ...] = ()

    @property
    def total(self) -> Decimal | None:
        carried = self.carried_total
        if carried is not None:
            return carried
        total = sum_lines(self.lines, self.adjustments)
        if total is None:
            return None
        taxes = EXACT.add(tax_of(self.taxes), tax_of_parts(self.lines, self.adjustments))
        return EXACT.add(total, taxes)

    @property
    def carried_total(self) -> Decimal | None:
        return self.totals.amount

    def balance(self) -> Balance | None:
        stated = stated_totals(self.totals.amount, self.amounts)
        if not stated:
            return None
        credit = self.type in CREDIT
        return balance_of_lines(stated, self.lines, self.adjustments, self.taxes, taxed=True, unsigned=credit)

    def unknown_amounts(self) -> Iterator[tuple[str, str]]:
        return unknown_amounts(self.lines, self.adjustments)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("invoice", self.number)]
        if self.order_number:
            found.append(("order", self.order_number))
        if customer := find_reference(self.references, "CO", "OQ"):
            found.append(("customer_order", customer))
        found += [("bol", r.value) for r in self.references if r.qualifier in ("BM", "MB") and r.value]
        return tuple(dict.fromkeys(found))
