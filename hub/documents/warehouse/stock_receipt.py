"""What a warehouse has received."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from hub.documents.base import Document, Number, Part
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.by_role import PartiesByRole
from hub.documents.parts.carriage import Carriage
from hub.documents.parts.goods import Description, Mark, Packaging, Packing
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Contact, Note, Party, Reference, find_reference


class ReceiptException(Part):
    """Units that aren't as they should be. X12: W13. `condition` is a code (`01` damaged, `02` short, `03` over,
    ...)."""

    quantity: Number
    unit: str
    condition: str
    lot: str | None = None
    damage_reason: str | None = None
    references: tuple[Reference, ...] = ()


class StockReceiptLine(Part):
    """An item that was received. X12: W07."""

    quantity: Number
    unit: str
    case_code: str | None = None
    products: Identifiers = NO_IDS
    lot: str | None = None
    adjustment: str | None = None
    descriptions: tuple[Description, ...] = ()
    references: tuple[Reference, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    exceptions: tuple[ReceiptException, ...] = ()


class StockReceiptGroup(Part):
    """Lines that came together, on a pallet or in a carton. X12: LX, from 004020 on."""

    number: str
    marks: tuple[Mark, ...] = ()
    references: tuple[Reference, ...] = ()
    lines: tuple[StockReceiptLine, ...] = ()


class ProbeTemperature(Part):
    """A temperature that was measured on arrival. X12: W18."""

    place: str
    temperature: Number
    unit: str | None = None


class PalletReceipt(Part):
    """What became of the pallets. X12: G08."""

    received: int | None = None
    returned: int | None = None
    contested: Number | None = None
    condition: str | None = None


class StockReceiptTotals(Part):
    """What the warehouse says the sums are. X12: W14. `damaged` is damaged or on hold."""

    received: Number | None = None
    shipped: Number | None = None
    damaged: Number | None = None
    packages_received: int | None = None
    packages: int | None = None


class StockReceipt(PartiesByRole, Document):
    """What a warehouse received for a depositor. X12: 944. `number` is the warehouse's receipt number (W1703), `order`
    the depositor's order number, which a `stock_transfer` has. `lines` are those that stand in no group."""

    kind: ClassVar[str] = "stock_receipt"

    document: Literal["stock_receipt@1"] = "stock_receipt@1"
    reporting: str | None = None
    date: datetime.date | None = None
    order: str | None = None
    shipment: str | None = None
    time_purpose: str | None = None
    time: str | None = None
    master_reference: str | None = None
    link_sequence: str | None = None
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    notes: tuple[Note, ...] = ()
    carriage: Carriage | None = None
    temperatures: tuple[ProbeTemperature, ...] = ()
    pallets: tuple[PalletReceipt, ...] = ()
    packing: tuple[Packing, ...] = ()
    lines: tuple[StockReceiptLine, ...] = ()
    groups: tuple[StockReceiptGroup, ...] = ()
    totals: StockReceiptTotals = StockReceiptTotals()

    @property
    def all_lines(self) -> tuple[StockReceiptLine, ...]:
        """All lines, in the order of the document."""
        return (*self.lines, *(line for group in self.groups for line in group.lines))

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        named = (
            ("stock_receipt", self.number),
            ("stock_transfer", self.order),
            ("shipment", self.shipment),
            ("bol", self.bill_of_lading),
        )
        return tuple((kind, value) for kind, value in named if value)

    @property
    def bill_of_lading(self) -> str | None:
        return find_reference(self.references, "BM", "MB")

    @property
    def carrier(self) -> str | None:
        return self.carriage.carrier if self.carriage else None
