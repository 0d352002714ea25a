"""What an event of the journal tells."""

from __future__ import annotations

from enum import StrEnum

DEAD_LETTER = "dead"
"""Of the detail of an event: the id of the dead letter."""


class Stage(StrEnum):
    """The stages of a message. Some are named as the status of the effect that they bring about; they are not that
    status."""

    RECEIVED = "received"
    READ = "read"
    UNREADABLE = "unreadable"
    STEP = "step"
    MATCHED = "matched"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    WAITS = "waits"
    BATCHED = "batched"
    UNPUBLISHED = "unpublished"
    """A batch could not be published."""
    SENT = "sent"
    REPLIED = "replied"
    """The far end replied, and the document is a dead letter now. The keeper tells of that."""
    REPEATED = "repeated"
    """A copy came again. Nothing was sent."""
    RETRY = "retry"
    HELD = "held"
    CLOSED = "closed"
    RELEASED = "released"
    REJECTED = "rejected"
    DEAD = "dead"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ACKNOWLEDGES = "acknowledges"
    """It is an acknowledgment of something that we sent."""
    ACKNOWLEDGED = "acknowledged"
    WARNING = "warning"
