"""What a seller says of a line: accepted, changed, rejected, on back order."""

from __future__ import annotations

import datetime

from hub.documents.base import Number, Part
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import Milestone


class LineAcknowledgment(Part):
    """One answer to a line; a line may have several, for parts of its quantity. X12: ACK. `status` keeps its code: `IA`
    accepted, `IR` rejected, `IB` on back order, `IQ` accepted with another quantity, `IP` with another price, `IS`
    substituted, ...; `code`, from the list that `agency` and `source` name, says why."""

    status: str
    quantity: Number | None = None
    unit: str | None = None
    date_purpose: str | None = None
    date: datetime.date | None = None
    request: str | None = None
    products: Identifiers = NO_IDS
    agency: str | None = None
    source: str | None = None
    code: str | None = None
    dates: tuple[Milestone, ...] = ()
