"""What an application made of transactions that it was sent."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.acknowledgments.functional_acknowledgment import ErrorContext
from hub.documents.base import Document, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.parts import Contact, Milestone, MonetaryAmount, Note, Party, Quantity, Reference
from hub.documents.parts.person import Person


class RelatedData(Part):
    """Business data that explains an error. X12: RED."""

    text: str
    code: str | None = None
    agency: str | None = None
    source: str | None = None
    list: str | None = None
    industry_code: str | None = None


class ApplicationError(Part):
    """What is wrong. X12: TED. `code` is that of X12 (`007` missing data, `848` incorrect data, ...); the place counts
    segments from 1, the ST, and elements from 1; `value` is a copy of what stood there, `replacement` what was taken
    instead."""

    code: str
    text: str | None = None
    segment: str | None = None
    position: int | None = None
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    number: int | None = None
    component_number: int | None = None
    value: str | None = None
    replacement: str | None = None
    contexts: tuple[ErrorContext, ...] = ()
    notes: tuple[Note, ...] = ()
    related: tuple[RelatedData, ...] = ()


class AdvisedTransaction(Part):
    """What became of a transaction, or of an item in it. X12: OTI. `result` is `TA` accepted, `TC` accepted with
    changes, `TE` accepted with errors, `TR` rejected (`I..` of an item, `B..` of a batch, `G..` of a group);
    `qualifier` and `reference` name the business document, the rest the X12 one."""

    result: str
    qualifier: str
    reference: str
    sender: str | None = None
    receiver: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    group_control_number: str | None = None
    control_number: str | None = None
    set: str | None = None
    version: str | None = None
    purpose: str | None = None
    type: str | None = None
    application: str | None = None
    action: str | None = None
    handling: str | None = None
    status_reason: str | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    contacts: tuple[Contact, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    people: tuple[Person, ...] = ()
    errors: tuple[ApplicationError, ...] = ()

    @property
    def rejected(self) -> bool:
        return self.result.endswith("R")


class ApplicationAdvice(PartiesByRole, Document):
    """What an application accepted, changed or rejected, and why. X12: 824. `number` is that of the advice (BGN02)."""

    kind: ClassVar[str] = "application_advice"

    document: Literal["application_advice@1"] = "application_advice@1"
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    zone: str | None = None
    reference: str | None = Field(default=None, description="The advice that this one belongs to")
    type: str | None = None
    action: str | None = None
    security: str | None = None
    parties: tuple[Party, ...] = ()
    transactions: tuple[AdvisedTransaction, ...] = ()

    @property
    def rejected(self) -> bool:
        """Whether anything was."""
        return any(transaction.rejected for transaction in self.transactions)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        named = {"PO": "order", "IV": "invoice", "SI": "shipment", "BM": "bol"}
        found = [(named[t.qualifier], t.reference) for t in self.transactions if t.qualifier in named]
        found += [("group_control_number", t.group_control_number) for t in self.transactions if t.group_control_number]
        return tuple(dict.fromkeys(found))
