"""An order that a document is about."""

from __future__ import annotations

import datetime

from hub.documents.base import Part


class OrderReference(Part):
    """An order, by the number that its buyer gave it. X12: PRF."""

    number: str
    release: str | None = None
    change_sequence: str | None = None
    date: datetime.date | None = None
    line: str | None = None
    contract: str | None = None
    type: str | None = None
