"""How long something takes."""

from __future__ import annotations

import datetime

from hub.documents.base import Number, Part


class LeadTime(Part):
    """A lead time: `code` from what to what (`AF` from receipt of the order to delivery), `quantity` of `unit` (`DA`
    days, `WK` weeks), from `date` on. X12: LDT."""

    code: str
    quantity: Number
    unit: str
    date: datetime.date | None = None
