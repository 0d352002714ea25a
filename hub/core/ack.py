"""What a partner has said of an interchange that it was sent, or of a document in it."""

from __future__ import annotations

from enum import StrEnum


class Ack(StrEnum):
    """`noted` is only ever said, and never recorded as a state."""

    NONE = "none"
    """Nothing was said, and nothing is awaited."""
    AWAITING = "awaiting"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"
    OVERDUE = "overdue"
    """Nothing was said in time."""
    NOTED = "noted"
    """The interchange was taken, which says nothing yet of what is in it (an accepting TA1)."""

    @property
    def words(self) -> str:
        """As people say it."""
        return self.replace("_", " ")


ANSWERED = (Ack.ACCEPTED, Ack.ACCEPTED_WITH_ERRORS, Ack.REJECTED)
UNANSWERED = (Ack.NONE, Ack.AWAITING, Ack.OVERDUE)
