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
    """`connection refused`, where asyncio says `[Errno 111] Connect call failed ('127.0.0.1', 5672)`; else what the
    error says itself."""
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in REASONS:
        return REASONS[number]
    return str(error) or type(error).__name__


LONGEST_LINE = 300
"""Characters of an error's line."""


def error_line(error: BaseException, text: str | None = None) -> str:
    """What a library says of an error (`text`, where its own words aren't fit), on one line that a terminal can
    show."""
    line = " ".join((str(error) if text is None else text).split()) or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in line)[:LONGEST_LINE]
