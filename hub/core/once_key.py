"""How far the owner of a once-key is."""

from __future__ import annotations

from enum import StrEnum


class OnceStatus(StrEnum):
    """Another message with the key waits while it is pending, is a duplicate when it is done, and takes it when it is
    freed."""

    PENDING = "pending"
    DONE = "done"
    FREED = "freed"
