"""The retry decision: one pure function of an error, an attempt and a retry class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.errors import (
    UNCONFIRMED,
    ClaimMissing,
    JournalUnavailable,
    RejectedError,
    TransientError,
    TransientKind,
    Unconfirmed,
    Unroutable,
    Withheld,
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
    """A named list of delays (seconds, ascending), and the kinds of failure it serves. `within`: seconds from the first
    failure on within which a copy is to be delivered, time at an open breaker included; None: the delays alone
    decide."""

    name: str
    delays: tuple[float, ...]
    on: tuple[TransientKind, ...]
    within: float | None = None

    def is_over(self, waited: float) -> bool:
        """Whether a copy that would have waited so long is given up."""
        return self.within is not None and waited > self.within


QUICK = RetryClass("quick", (1.0, 10.0, 60.0), ("unreachable", "timeout", "busy"))
"""What a destination has that names no class."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay` seconds, which is one of the class's delays."""

    delay: float


@dataclass(frozen=True, slots=True)
class LetWait:
    """Keep it as a row, for at most `seconds`. `endpoint`: the endpoint that is left alone, and no attempt was made;
    empty: the far end has said when to come again, and the attempt counts."""

    seconds: float
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class HoldIt:
    """A business outcome: keep it for the owner of the hold."""

    name: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It can't proceed. `code` is a short, stable name of the cause."""

    cause: str
    code: str


Decision = Retry | LetWait | HoldIt | Dead

LONGEST_WAIT = 86400.0
"""Seconds after which a copy that waits for its endpoint is looked at again, though nobody has woken it."""

LONGEST_RETRY_AFTER = 86400.0
"""Seconds of a far end's Retry-After that are believed; after a day we ask again."""


def decide(error: BaseException, attempt: int, retry_class: RetryClass, waited: float = 0.0) -> Decision:
    """What becomes of a message whose `attempt` (from 1) ended in `error`, `waited` seconds after its first failure.

    A class of n delays gives n + 1 attempts. A far end's Retry-After is rounded up to the next delay of the class;
    beyond the longest delay the message waits as long as it was asked to. What our own side withheld is no attempt and
    uses up no delay. A class with `within` ends all waiting then. JournalUnavailable is no message's failure: it is
    raised again, nothing may be decided without the journal.
    """
    if isinstance(error, JournalUnavailable):
        raise error
    if isinstance(error, RejectedError):
        return HoldIt(error.hold) if error.hold else Dead(str(error), error.code)
    if isinstance(error, Unconfirmed):
        return HoldIt(UNCONFIRMED)
    if isinstance(error, Withheld):
        return _withheld(error, retry_class, waited)
    if isinstance(
        error, ClaimMissing
    ):  # our own storage may have it again: never dead at once, whatever the class retries
        return _later(error, "unreachable", None, attempt, retry_class, waited)
    kind, retry_after = kind_of(error)
    if kind is None:
        return Dead(f"{type(error).__name__}: {error}", type(error).__name__)
    if kind not in retry_class.on:
        return Dead(f"{error} ({kind} is not retried by class {retry_class.name})", kind)
    return _later(error, kind, retry_after, attempt, retry_class, waited)


def kind_of(error: BaseException) -> tuple[TransientKind | None, float | None]:
    """The kind of a failure that may pass, and the far end's Retry-After; (None, None) for one that does not."""
    if isinstance(error, TransientError):
        return error.kind, error.retry_after
    if isinstance(error, Unroutable):  # the subscriber's queue is not there now
        return "unreachable", None
    return None, None


def _withheld(error: Withheld, retry_class: RetryClass, waited: float) -> Decision:
    if retry_class.is_over(waited):
        return Dead(f"{error} ({_over(retry_class)})", error.kind)
    left = LONGEST_WAIT if error.watched else max(error.retry_after or 0.0, 1.0)
    if retry_class.within is not None:
        left = min(left, retry_class.within - waited + 1.0)
    return LetWait(left, error.endpoint)


def _later(
    error: BaseException,
    kind: TransientKind,
    retry_after: float | None,
    attempt: int,
    retry_class: RetryClass,
    waited: float,
) -> Decision:
    if attempt > len(retry_class.delays):
        return Dead(f"{error} (after {attempt} attempts, class {retry_class.name})", kind)
    scheduled = retry_class.delays[max(attempt, 1) - 1]
    delay = scheduled if retry_after is None else min(retry_after, LONGEST_RETRY_AFTER)
    if retry_class.is_over(waited + delay):
        return Dead(f"{error} (after {attempt} attempts; {_over(retry_class)})", kind)
    if retry_after is None:
        return Retry(scheduled)
    longest = max(retry_class.delays)
    return LetWait(delay) if delay > longest else Retry(round_up(delay, retry_class.delays))


def _over(retry_class: RetryClass) -> str:
    assert retry_class.within is not None  # noqa: S101  (it is over)
    return f"the {delay_name(retry_class.within)} of class {retry_class.name} are over"


def round_up(seconds: float, delays: Iterable[float]) -> float:
    """The shortest of `delays` that is not below `seconds`; the longest when all are."""
    ordered = sorted(delays)
    return next((delay for delay in ordered if delay >= seconds), ordered[-1])


def describe(retry_class: RetryClass) -> str:
    """`quick: 1s, 10s, 1m on unreachable, timeout, busy`."""
    delays = ", ".join(delay_name(delay) for delay in retry_class.delays)
    within = f", for {delay_name(retry_class.within)}" if retry_class.within is not None else ""
    return f"{retry_class.name}: {delays} on {', '.join(retry_class.on)}{within}"
