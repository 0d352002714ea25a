"""What a distributor sold on, or moved."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document, Number, Part
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.goods import Description, Mark, PackageText, Packaging
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.order_reference import OrderReference
from hub.documents.parts.parts import Contact, Measurement, Milestone, MonetaryAmount, Party, Quantity, Reference
from hub.documents.warehouse.inventory_advice import UnitPrice


class TransferredItem(Quantity):
    """A quantity of an item that was sold or moved, by its qualifier (`32` sold, `76` returns, ...). X12: the QTY loop
    of 867."""

    number: str | None = None
    products: Identifiers = NO_IDS
    packaging: tuple[Packaging, ...] = ()
    prices: tuple[UnitPrice, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    descriptions: tuple[Description, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    package_texts: tuple[PackageText, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dates: tuple[Milestone, ...] = ()


class Transfer(Part):
    """A sale or a movement. X12: PTD. `type` is a code (`SS` stock sale, `SD` ship and debit sale, `BE` transfer,
    ...)."""

    type: str
    multiplier_qualifier: str | None = None
    multiplier: Number | None = None
    reference_qualifier: str | None = None
    reference: str | None = None
    movement: str | None = None
    orders: tuple[OrderReference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    marks: tuple[Mark, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    parties: tuple[Party, ...] = ()
    items: tuple[TransferredItem, ...] = ()


class ProductTransfer(PartiesByRole, Document):
    """What a distributor sold on, or moved. X12: 867. `number` is the report's own number (BPT02), and empty where
    there is none."""

    kind: ClassVar[str] = "product_transfer"

    document: Literal["product_transfer@1"] = "product_transfer@1"
    number: str = Field(default="", max_length=256, description="The number of the report")
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    report: str | None = None
    action: str | None = None
    reference: str | None = None
    currency_party: str | None = None
    exchange_rate: Number | None = None
    dates: tuple[Milestone, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    parties: tuple[Party, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    line_count: int | None = None
    hash_total: Number | None = Field(default=None, description="The sum of quantities that the sender states (CTT02)")
    amounts: tuple[MonetaryAmount, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("product_transfer", self.number),) if self.number else ()
