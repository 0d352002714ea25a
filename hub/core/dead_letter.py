"""What becomes of a dead letter."""

from __future__ import annotations

from enum import StrEnum


class DeadStatus(StrEnum):
    """A dead letter waits (`dead`) until a person decides it, or until its bytes come in again."""

    DEAD = "dead"
    REPLAYING = "replaying"
    """A person replayed it. Its copy is not confirmed by the broker yet."""
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    OVERTAKEN = "overtaken"
    """Its bytes came in again and were delivered."""


BURYING = (DeadStatus.DEAD, DeadStatus.DISCARDED, DeadStatus.REPLAYING)
"""It stands for its destinations. After a replay its copy is in a queue again."""

DECIDED = frozenset(DeadStatus) - {DeadStatus.DEAD}
"""Nobody has to look at it."""
