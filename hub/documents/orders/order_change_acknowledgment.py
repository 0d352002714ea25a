"""The canonical acknowledgment of an order's change."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.orders.order_acknowledgment import AcknowledgedSubline
from hub.documents.orders.order_change import ChangedLine
from hub.documents.parts.line_acknowledgment import LineAcknowledgment
from hub.documents.parts.order_parts import OrderParts


class AcknowledgedChange(ChangedLine):
    """A changed line and what the seller says of it. X12: the POC loop of 865, with its ACK."""

    acknowledgments: tuple[LineAcknowledgment, ...] = ()
    sublines: tuple[AcknowledgedSubline, ...] = ()


class OrderChangeAcknowledgment(OrderParts):
    """The seller's answer to a change, or the seller's own change. X12: 865."""

    kind: ClassVar[str] = "order_change_acknowledgment"

    document: Literal["order_change_acknowledgment@1"] = "order_change_acknowledgment@1"
    purpose: str | None = None
    acknowledgment: str | None = None
    type: str | None = None
    date: datetime.date | None = Field(default=None, description="The date of the acknowledgment (BCA10)")
    order_date: datetime.date | None = None
    change_date: datetime.date | None = Field(default=None, description="The date of the change (BCA11)")
    release: str | None = None
    change_sequence: str | None = None
    request: str | None = None
    contract: str | None = None
    reference: str | None = Field(default=None, description="The number by which the seller knows the order (BCA09)")
    security: str | None = None
    transaction_type: str | None = None
    lines: tuple[AcknowledgedChange, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        found = super().keys
        return (*found, ("seller_order", self.reference)) if self.reference else found
