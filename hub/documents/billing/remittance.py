"""What was paid, and what for."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import EXACT, Document, Number, Part, added
from hub.documents.parts.balance import Balance
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.line import Line
from hub.documents.parts.parts import Contact, Milestone, Note, Party, Reference
from hub.documents.parts.person import Person

UNREAD = frozenset({"DED", "LX", "N9", "RYL"})
"""X12 segments that stand for amounts of payrolls, pensions and royalties, which no field holds."""


class BankAccount(Part):
    """An account at a bank. X12: BPR. `bank` is its number, by `bank_qualifier` (`01` ABA, `02` SWIFT)."""

    bank_qualifier: str | None = None
    bank: str | None = None
    account_qualifier: str | None = None
    account: str | None = None


class RemittanceParty(Party):
    """A party to the payment; `delivery` says how the remittance reaches it. X12: N1 with RDM."""

    delivery: str | None = None
    delivery_name: str | None = None
    delivery_number: str | None = None
    dates: tuple[Milestone, ...] = ()


class RemittanceAdjustment(Part):
    """An amount that was added or (negative) left out, and why. X12: ADX."""

    amount: Number
    reason: str
    reference_qualifier: str | None = None
    reference: str | None = None
    notes: tuple[Note, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    lines: tuple[Line, ...] = ()


class RemittanceItem(Part):
    """An open item, and what was paid of it. X12: RMR. `qualifier` says what `number` is (`IV` invoice, `CM` credit
    memo, `PO` order)."""

    qualifier: str | None = None
    number: str | None = None
    action: str | None = None
    paid: Number | None = None
    invoiced: Number | None = None
    discount: Number | None = None
    reason: str | None = None
    adjusted: Number | None = None
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    lines: tuple[Line, ...] = ()
    adjustments: tuple[RemittanceAdjustment, ...] = ()


class RemittanceEntity(Part):
    """For whom was paid: a division, a store, an account. X12: ENT."""

    number: str | None = None
    role: str | None = None
    ids: Identifiers = NO_IDS
    other_role: str | None = None
    other_id_qualifier: str | None = None
    other_id: str | None = None
    reference_qualifier: str | None = None
    reference: str | None = None
    people: tuple[Person, ...] = ()
    adjustments: tuple[RemittanceAdjustment, ...] = ()
    items: tuple[RemittanceItem, ...] = ()


class TaxPayment(Part):
    """A tax that was paid. X12: TXP."""

    id: str
    type: str
    date: datetime.date
    kind: str
    amount: Number
    second_kind: str | None = None
    second_amount: Number | None = None
    third_kind: str | None = None
    third_amount: Number | None = None
    verification: str | None = None

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """All amounts that it has."""
        return tuple(one for one in (self.amount, self.second_amount, self.third_amount) if one is not None)


class Remittance(PartiesByRole, Document):
    """A payment, an advice of one, or both. X12: 820. `number` is that of the check or transfer (TRN02), and empty
    without a trace; `amount` is the payment, `sign` whether it credits or debits."""

    kind: ClassVar[str] = "remittance"

    document: Literal["remittance@1"] = "remittance@1"
    number: str = Field(default="", max_length=256, description="The number of the check or transfer")
    handling: str | None = Field(
        default=None, description="C payment with advice, D payment alone, I advice alone, ..."
    )
    amount: Number | None = None
    sign: Literal["credit", "debit"] | None = None
    method: str | None = Field(default=None, description="ACH, CHK check, FWT wire, NON none, ...")
    format: str | None = None
    payer_account: BankAccount = BankAccount()
    originator: str | None = None
    originator_supplement: str | None = None
    payee_account: BankAccount = BankAccount()
    date: datetime.date | None = None
    function: str | None = None
    returns_account: BankAccount = BankAccount()
    trace_type: str | None = None
    trace_originator: str | None = None
    trace_reference: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    parties: tuple[RemittanceParty, ...] = ()
    entities: tuple[RemittanceEntity, ...] = ()
    taxes: tuple[TaxPayment, ...] = ()

    @property
    def carried_total(self) -> Decimal | None:
        return self.amount

    def balance(self) -> Balance | None:
        """A payment is what was paid of its items (RMR04), with the adjustments that stand at no item (ADX), and the
        taxes. Those of an item are in what was paid of it already; senders that add them, or that leave out all, are
        right too."""
        unknown = any(item.paid is None for item in self.items) or any(extra.segment in UNREAD for extra in self.extras)
        if self.amount is None or unknown:
            return None
        paid = added(item.paid for item in self.items if item.paid is not None)
        outer = added(one.amount for entity in self.entities for one in entity.adjustments)
        inner = added(one.amount for item in self.items for one in item.adjustments)
        taxes = added(amount for tax in self.taxes for amount in tax.amounts)
        whole = EXACT.add(paid, outer)
        sums = [whole, EXACT.add(whole, inner), paid] if self.items or outer else []
        if self.taxes:
            sums = [EXACT.add(one, taxes) for one in sums or [paid]] + sums
        debit = self.sign == "debit"
        return Balance([("amount", self.amount)], tuple(dict.fromkeys(sums)), unsigned=debit, of="items")

    @property
    def items(self) -> tuple[RemittanceItem, ...]:
        """All open items, in the order of the document."""
        return tuple(item for entity in self.entities for item in entity.items)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("payment", self.number)] if self.number else []
        named = {"IV": "invoice", "PO": "order", "BM": "bol"}
        found += [(named[i.qualifier], i.number) for i in self.items if i.qualifier in named and i.number]
        return tuple(dict.fromkeys(found))
