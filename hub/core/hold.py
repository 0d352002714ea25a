"""What becomes of a hold."""

from __future__ import annotations

from enum import StrEnum


class HoldStatus(StrEnum):
    """A hold waits (`open`) until a person, or an acknowledgment that comes late, decides it."""

    OPEN = "open"
    RELEASING = "releasing"
    """A person released it. Its copy is not confirmed by the broker yet."""
    RELEASED = "released"
    REJECTED = "rejected"
    DELIVERED = "delivered"
    """A person recorded that the far end has what was unconfirmed."""
    CLOSED = "closed"
    """The acknowledgment that was overdue came after all."""
