"""What is agreed about money and carriage: terms, allowances and charges, taxes, freight, routing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

from hub.documents.base import EXACT, Number, Part, added


class Terms(Part):
    """Terms of payment. X12: ITD, whose type (`01` basic, `08` basic discount, ...) and basis codes it keeps."""

    type: str | None = None
    basis: str | None = None
    discount_percent: Number | None = None
    discount_date: datetime.date | None = None
    discount_days: int | None = None
    net_date: datetime.date | None = None
    net_days: int | None = None
    discount_amount: Number | None = None
    deferred_date: datetime.date | None = None
    deferred_amount: Number | None = None
    percent_payable: Number | None = None
    text: str | None = None
    day_of_month: int | None = None
    method: str | None = None


class Tax(Part):
    """A tax. X12: TXI."""

    type: str
    amount: Number | None = None
    percent: Number | None = None
    jurisdiction_qualifier: str | None = None
    jurisdiction: str | None = None
    exempt: str | None = None
    relationship: str | None = None
    base: Number | None = None
    id: str | None = None


NOT_ADDED = frozenset(("I", "O"))
"""Relationships (X12 element 662) of a tax that adds nothing: included, for information only."""


def tax_of(taxes: Iterable[Tax]) -> Decimal:
    """What taxes add. One that a price includes, or that is only for information, adds nothing."""
    return added(tax.amount for tax in taxes if tax.amount is not None and tax.relationship not in NOT_ADDED)


SETTLED_ELSEWHERE = frozenset(("01", "03", "04", "05", "15"))
"""Methods of handling (X12 element 331) by which an allowance or charge changes no total: 01 bill back, 03 vendor's
check, 04 credit to the customer's account, 05 paid by the vendor, 15 for information. Sources: the public dictionaries
of release 004010 (kasoftware.com) and 004060 (zenbridge.io)."""


class Adjustment(Part):
    """An allowance or a charge. `kind` is `allowance`, `charge` or the code it came with (`N`: for information only);
    `code` says what for (`C310` discount, `D240` freight). X12: SAC; on grocery orders and invoices G72, of which what
    is handled off the invoice (02) is an allowance and what the customer pays (06) is a charge."""

    for_templates: ClassVar[frozenset[str]] = frozenset(("value",))

    kind: str
    code: str | None = None
    agency: str | None = None
    agency_code: str | None = None
    amount: Number | None = None
    percent_basis: str | None = None
    percent: Number | None = None
    rate: Number | None = None
    unit: str | None = None
    quantity: Number | None = None
    quantity_to: Number | None = None
    handling: str | None = None
    reference: str | None = None
    option: str | None = None
    text: str | None = None
    taxes: tuple[Tax, ...] = ()

    @property
    def tax(self) -> Decimal:
        """What its taxes add: those of an allowance subtract, as the allowance does; those of what adds nothing add
        nothing."""
        if not self.taxes or self._adds_nothing:
            return Decimal(0)
        amount = tax_of(self.taxes)
        return amount if self.kind == "charge" else EXACT.minus(abs(amount))

    @property
    def _adds_nothing(self) -> bool:
        return self.kind not in ("charge", "allowance") or self.handling in SETTLED_ELSEWHERE

    def value(self, base: Decimal, quantity: Decimal | None = None, unit: str | None = None) -> Decimal | None:
        """What it adds to `base` (an allowance subtracts). None where it has a rate, and nothing says for how much.

        It is its amount; else its rate times its quantity; else its percent of the base; else its rate times
        `quantity`, that of the line, where it is in the same `unit`; else nothing. What is settled beside the document
        adds nothing.
        """
        if self._adds_nothing:
            return Decimal(0)
        amount = self._amount(base, quantity, unit)
        return amount if amount is None or self.kind == "charge" else EXACT.minus(abs(amount))

    def _amount(self, base: Decimal, quantity: Decimal | None, unit: str | None) -> Decimal | None:
        if self.amount is not None:
            return self.amount
        if self.rate is not None and self.quantity is not None and self.quantity_to is None:
            return EXACT.multiply(self.rate, self.quantity)
        if self.percent is not None:
            return EXACT.divide(EXACT.multiply(base, self.percent), Decimal(100))
        if not self.rate:
            return Decimal(0)
        fits = quantity is not None and self.quantity is None and self.unit in (None, unit)
        return EXACT.multiply(self.rate, quantity) if fits and quantity is not None else None


class Freight(Part):
    """Who pays the carriage, and where ownership passes. X12: FOB."""

    payment: str
    location_qualifier: str | None = None
    location: str | None = None
    terms_qualifier: str | None = None
    terms: str | None = None
    title_qualifier: str | None = None
    title: str | None = None
    risk: str | None = None
    text: str | None = None


class Routing(Part):
    """A carrier and its service. X12: TD5, on invoices CAD."""

    sequence: str | None = None
    carrier_qualifier: str | None = None
    carrier: str | None = None
    mode: str | None = None
    text: str | None = None
    status: str | None = None
    location_qualifier: str | None = None
    location: str | None = None
    direction: str | None = None
    transit_direction: str | None = None
    transit_time: Number | None = None
    service_level: str | None = None
    equipment_initial: str | None = None
    equipment_number: str | None = None
    reference_qualifier: str | None = None
    reference: str | None = None


def adjusted(
    base: Decimal, adjustments: tuple[Adjustment, ...], quantity: Decimal | None = None, unit: str | None = None
) -> Decimal | None:
    """`base` with its allowances and charges. Percentages are of the base, not of each other. `quantity` and `unit` are
    those of the line. None where the value of one isn't known."""
    total = base
    for adjustment in adjustments:
        value = adjustment.value(base, quantity, unit)
        if value is None:
            return None
        total = EXACT.add(total, value)
    return total
