"""A shipment and its invoice in one."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document


class ShipmentBilling(Document):
    """A shipment and billing notice. X12: 857, of which only the head is mapped: shipments, orders, packs and items
    (HL) are kept in `extras`. It is neither a `ship_notice` nor an `invoice`."""

    kind: ClassVar[str] = "shipment_billing"

    document: Literal["shipment_billing@1"] = "shipment_billing@1"
    number: str = Field(default="", max_length=256, description="BHT03")
    structure: str | None = None
    purpose: str | None = None
    date: datetime.date | None = None
    time: str | None = None
    type: str | None = None

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("shipment_billing", self.number),) if self.number else ()
