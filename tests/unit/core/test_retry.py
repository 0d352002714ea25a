"""The retry decision."""

from __future__ import annotations

import pytest

from hub.core.errors import (
    ConditionError,
    DecodeError,
    EndpointError,
    JournalUnavailable,
    RejectedError,
    TransientError,
    TransientKind,
    Unroutable,
    Withheld,
)
from hub.core.retry import QUICK, Dead, HoldIt, LetWait, Retry, RetryClass, decide, describe, parse_duration

PATIENT = RetryClass("patient", (30.0, 120.0, 600.0), ("unreachable", "timeout", "busy", "failed"))


def test_each_attempt_waits_for_the_next_delay_and_the_last_one_is_dead() -> None:
    down = TransientError("connection refused", "unreachable")
    assert [decide(down, attempt, PATIENT) for attempt in (1, 2, 3)] == [Retry(30.0), Retry(120.0), Retry(600.0)]
    assert decide(down, 4, PATIENT) == Dead("connection refused (after 4 attempts, class patient)", "unreachable")


def test_a_kind_that_the_class_does_not_serve_is_dead_at_once() -> None:
    assert decide(TransientError("boom", "failed"), 1, QUICK) == Dead(
        "boom (failed is not retried by class quick)", "failed"
    )


@pytest.mark.parametrize(("asked", "delay"), [(0, 30), (1, 30), (30, 30), (31, 120), (599, 600), (600, 600)])
@pytest.mark.parametrize("attempt", [1, 3])
def test_retry_after_is_rounded_up_to_a_delay_of_the_class(asked: float, delay: float, attempt: int) -> None:
    assert decide(TransientError("slow down", "busy", asked), attempt, PATIENT) == Retry(delay)


@pytest.mark.parametrize(("asked", "seconds"), [(601, 601), (7200, 7200), (9e9, 86400)])
def test_a_retry_after_beyond_the_longest_delay_is_waited_for_at_most_a_day(asked: float, seconds: float) -> None:
    assert decide(TransientError("slow down", "busy", asked), 1, PATIENT) == LetWait(seconds)


def test_what_was_withheld_uses_up_no_delay_whatever_the_class_retries() -> None:
    never = RetryClass("never", (1.0,), ("failed",))
    withheld = Withheld("erp is left alone", "erp", 60.0, watched=True)
    for attempt in (1, 2, 100):
        assert decide(withheld, attempt, never, 1e6) == LetWait(86400.0, "erp")
    assert decide(Withheld("away", "acme-sftp", 30.0), 1, never) == LetWait(30.0, "acme-sftp")


def test_for_bounds_the_whole_wait() -> None:
    """4h from the first failure on: attempts, delays, Retry-After and the time at an open breaker."""
    bounded = RetryClass("patient", (30.0, 600.0), ("unreachable",), within=14400.0)
    down, withheld = TransientError("down", "unreachable"), Withheld("left alone", "erp", 60.0, watched=True)
    assert decide(down, 1, bounded, 14000.0) == Retry(30.0)
    ended = decide(down, 2, bounded, 14000.0)
    assert ended == Dead("down (after 2 attempts; the 4h of class patient are over)", "unreachable")
    assert decide(withheld, 1, bounded, 14000.0) == LetWait(401.0, "erp")
    assert decide(withheld, 1, bounded, 14401.0) == Dead("left alone (the 4h of class patient are over)", "busy")
    assert isinstance(decide(TransientError("busy", "unreachable", 15000.0), 1, bounded), Dead)


def test_retry_after_gives_no_further_attempt() -> None:
    assert isinstance(decide(TransientError("slow down", "busy", 1), 4, PATIENT), Dead)


def test_a_refusal_is_held_where_the_replies_say_so_and_dead_otherwise() -> None:
    assert decide(RejectedError("over limit", 409, "CREDIT", hold="credit_hold"), 1, PATIENT) == HoldIt("credit_hold")
    assert decide(RejectedError("no such item", 422, "UNKNOWN_ITEM"), 1, PATIENT) == Dead(
        "no such item", "UNKNOWN_ITEM"
    )


@pytest.mark.parametrize(
    "error",
    [DecodeError("half an ISA"), ConditionError("no total"), EndpointError("odd"), KeyError("lines"), OSError(5)],
)
def test_what_nobody_foresaw_is_dead_with_its_class_and_text(error: Exception) -> None:
    assert decide(error, 1, PATIENT) == Dead(f"{type(error).__name__}: {error}", type(error).__name__)


def test_a_message_that_reached_no_queue_is_tried_again() -> None:
    assert decide(Unroutable("orders", "acme"), 1, QUICK) == Retry(1.0)


def test_nothing_is_decided_without_the_journal() -> None:
    with pytest.raises(JournalUnavailable):
        decide(JournalUnavailable("away"), 1, PATIENT)


@pytest.mark.parametrize("kind", ["unreachable", "timeout", "busy"])
def test_the_built_in_class(kind: TransientKind) -> None:
    assert [decide(TransientError("x", kind), attempt, QUICK) for attempt in (1, 2, 3)] == [
        Retry(1.0),
        Retry(10.0),
        Retry(60.0),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("1s", 1),
        ("10m", 600),
        ("1h", 3600),
        ("2d", 172_800),
        ("1m30s", 90),
        ("0s", 0),
        ("1h1ms", 3600.001),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1 s", "-1s", "1.5s", "30s1m", "1s1s", "1S", "999d", "9" * 5000 + "s", "１s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


def test_a_class_describes_itself() -> None:
    assert describe(QUICK) == "quick: 1s, 10s, 1m on unreachable, timeout, busy"
