"""The canonical change of an order."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Number
from hub.documents.parts.line import Line
from hub.documents.parts.order_parts import OrderParts


class ChangedLine(Line):
    """A line that is added, deleted or changed. X12: the POC loop. `change` keeps its code: `AI` add, `DI` delete, `QD`
    quantity less, `QI` quantity more, `PC` price, `CA` several changes, `RZ` replace all, ..."""

    change: str
    left: Number | None = Field(default=None, description="The quantity still to be received (POC04)")


class OrderChange(OrderParts):
    """The buyer's change or cancellation of an order. X12: 860."""

    kind: ClassVar[str] = "order_change"

    document: Literal["order_change@1"] = "order_change@1"
    purpose: str | None = Field(default=None, description="01 cancellation, 04 change, 05 replace, ...")
    type: str | None = None
    date: datetime.date | None = Field(default=None, description="The date of the change (BCH11)")
    order_date: datetime.date | None = None
    release: str | None = None
    change_sequence: str | None = None
    request: str | None = None
    contract: str | None = None
    contract_type: str | None = None
    reference: str | None = None
    acknowledged: datetime.date | None = Field(default=None, description="The date of the acknowledgment (BCH10)")
    acknowledgment: str | None = None
    security: str | None = None
    transaction_type: str | None = None
    category: str | None = None
    lines: tuple[ChangedLine, ...] = ()

    @property
    def has_all_lines(self) -> bool:
        """05: it replaces the order."""
        return self.purpose == "05"
