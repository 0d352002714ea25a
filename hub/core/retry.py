"""The retry decision: one pure function of an error, an attempt and a retry class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.errors import (
    ClaimMissing,
    JournalUnavailable,
    RejectedError,
    TransientError,
    TransientKind,
    Unroutable,
)
from hub.core.topology import delay_name

DURATION = re.compile(
    r"(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?", re.ASCII
)
MAX_DURATION = 366 * 86400.0


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `1s`, `10m`, `1h`, `2d`, `1m30s`; units from large to small, each at most once.

    Raises ValueError, with what is allowed."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 500ms, 30s, 10m, 4h, 2d or 1m30s")
    d, h, m, s, ms = (int(part or 0) for part in match.groups())
    seconds = (((d * 24 + h) * 60 + m) * 60 + s) + ms / 1000
    if seconds > MAX_DURATION:
        raise ValueError(f"{text!r} is longer than a year")
    return seconds


@dataclass(frozen=True, slots=True)
class RetryClass:
    """A named list of delays (seconds, ascending), and the kinds of failure it serves."""

    name: str
    delays: tuple[float, ...]
    on: tuple[TransientKind, ...]


QUICK = RetryClass("quick", (1.0, 10.0, 60.0), ("unreachable", "timeout", "busy"))
"""What a destination has that names no class."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay` seconds, which is one of the class's delays."""

    delay: float


@dataclass(frozen=True, slots=True)
class HoldIt:
    """A business outcome: keep it for the owner of the hold."""

    name: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It can't proceed. `code` is a short, stable name of the cause."""

    cause: str
    code: str


Decision = Retry | HoldIt | Dead


def decide(error: BaseException, attempt: int, retry_class: RetryClass) -> Decision:
    """What becomes of a message whose `attempt` (from 1) ended in `error`.

    A class of n delays gives n + 1 attempts. A far end's Retry-After is rounded up to the next delay of the class, to the
    longest beyond it. JournalUnavailable is no message's failure: it is raised again, nothing may be decided without
    the journal.
    """
    if isinstance(error, JournalUnavailable):
        raise error
    if isinstance(error, RejectedError):
        return HoldIt(error.hold) if error.hold else Dead(str(error), error.code)
    if isinstance(error, TransientError):
        return _again(error, error.kind, error.retry_after, attempt, retry_class)
    if isinstance(
        error, ClaimMissing
    ):  # our own storage may have it again: never dead at once, whatever the class retries
        return _later(error, "unreachable", None, attempt, retry_class)
    if isinstance(error, Unroutable):  # the subscriber's queue is not there now
        return _again(error, "unreachable", None, attempt, retry_class)
    return Dead(f"{type(error).__name__}: {error}", type(error).__name__)


def _again(
    error: Exception, kind: TransientKind, retry_after: float | None, attempt: int, retry_class: RetryClass
) -> Decision:
    if kind not in retry_class.on:
        return Dead(f"{error} ({kind} is not retried by class {retry_class.name})", kind)
    return _later(error, kind, retry_after, attempt, retry_class)


def _later(
    error: Exception, kind: TransientKind, retry_after: float | None, attempt: int, retry_class: RetryClass
) -> Decision:
    if attempt > len(retry_class.delays):
        return Dead(f"{error} (after {attempt} attempts, class {retry_class.name})", kind)
    scheduled = retry_class.delays[max(attempt, 1) - 1]
    return Retry(scheduled if retry_after is None else round_up(retry_after, retry_class.delays))


def round_up(seconds: float, delays: Iterable[float]) -> float:
    """The shortest of `delays` that is not below `seconds`; the longest when all are."""
    ordered = sorted(delays)
    return next((delay for delay in ordered if delay >= seconds), ordered[-1])


def describe(retry_class: RetryClass) -> str:
    """`quick: 1s, 10s, 1m on unreachable, timeout, busy`."""
    delays = ", ".join(delay_name(delay) for delay in retry_class.delays)
    return f"{retry_class.name}: {delays} on {', '.join(retry_class.on)}"
