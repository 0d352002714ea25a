"""What a failed connection is called, without the words of libraries around it."""

from __future__ import annotations

import errno

REASONS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network can't be reached",
    errno.ETIMEDOUT: "no answer in time",
}


def reason_of(error: BaseException) -> str:
    """`connection refused`, where asyncio says `[Errno 111] Connect call failed ('127.0.0.1', 5672)`; else what the error says itself."""
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in REASONS:
        return REASONS[number]
    return str(error) or type(error).__name__
