"""The canonical acknowledgment of an interchange's envelope."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from hub.documents.base import Document


class InterchangeAcknowledgment(Document):
    """What the receiver of an interchange says of its envelope. X12: TA1, which belongs to no group.

    `number` is the control number of the interchange that is acknowledged (TA101), `date` and `time` are those of its
    ISA.
    """

    kind: ClassVar[str] = "interchange_acknowledgment"

    document: Literal["interchange_acknowledgment@1"] = "interchange_acknowledgment@1"
    date: datetime.date | None = None
    time: str | None = None
    status: str = Field(default="A", description="TA104: A accepted, E accepted with errors, R rejected")
    note: str = Field(default="000", description="TA105: 000 no error, 001 to 031 what is wrong with the envelope")

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("control_number", self.number),)
