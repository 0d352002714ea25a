"""What a motor carrier answers to a load tender."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from hub.documents.base import Document
from hub.documents.parts.appointment import Appointment
from hub.documents.parts.freight_parts import FreightEquipment
from hub.documents.parts.shipment_parts import Remark, ShipmentReference


class LoadTenderResponse(Document):
    """An answer to a load tender. X12: 990. `number` is the tender's; `answer` keeps its code: `A` accepted, `D`
    declined, ..."""

    kind: ClassVar[str] = "load_tender_response"

    document: Literal["load_tender_response@1"] = "load_tender_response@1"
    carrier: str | None = None
    date: datetime.date | None = None
    answer: str | None = None
    references: tuple[ShipmentReference, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    equipment: tuple[FreightEquipment, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.answer == "A"

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = [("shipment", self.number)] if self.number else []
        found += [("bol", r.value) for r in self.references if r.qualifier in ("BM", "MB") and r.value]
        return tuple(dict.fromkeys(found))
