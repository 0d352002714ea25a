"""What a partner has said of an interchange that it was sent, or of a document in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class AckCodeNames:
    """What the error codes of an acknowledgment are called, by what they say it of. A code may have no name."""

    group: Mapping[str, str]
    transaction: Mapping[str, str]
    segment: Mapping[str, str]
    element: Mapping[str, str]
