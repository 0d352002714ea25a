"""The canonical acknowledgment of an order."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.parts.line import Line, Subline
from hub.documents.parts.line_acknowledgment import LineAcknowledgment
from hub.documents.parts.order_parts import OrderParts


class AcknowledgedSubline(Subline):
    """A component of an acknowledged line. X12: SLN with its ACK."""

    acknowledgments: tuple[LineAcknowledgment, ...] = ()


class AcknowledgedLine(Line):
    """A line of the order and what the seller says of it. X12: the PO1 loop of 855."""

    acknowledgments: tuple[LineAcknowledgment, ...] = ()
    sublines: tuple[AcknowledgedSubline, ...] = ()


class OrderAcknowledgment(OrderParts):
    """The seller's answer to an order. X12: 855. `acknowledgment` keeps its code: `AC` with detail and change, `AD`
    with detail and no change, `AK` no detail or change, `AT` accepted, `RD` rejected with detail, ..."""

    kind: ClassVar[str] = "order_acknowledgment"

    document: Literal["order_acknowledgment@1"] = "order_acknowledgment@1"
    purpose: str | None = Field(default=None, description="00 original, 04 change, 06 confirmation, ...")
    acknowledgment: str | None = None
    date: datetime.date | None = Field(default=None, description="The date of the acknowledgment")
    order_date: datetime.date | None = None
    release: str | None = None
    request: str | None = None
    contract: str | None = None
    reference: str | None = Field(default=None, description="The number by which the seller knows the order (BAK08)")
    transaction_type: str | None = None
    lines: tuple[AcknowledgedLine, ...] = ()

    @property
    def has_all_lines(self) -> bool:
        """AD: with detail and no change."""
        return self.acknowledgment == "AD"

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = super().keys
        return (*found, ("seller_order", self.reference)) if self.reference else found
