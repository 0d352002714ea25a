"""What a far end's reply means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Receipt
from hub.core.replies.replies import ReplyRule, classify, retry_after
from hub.core.replies.reply_body import at_pointer

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
HOLD = ReplyRule(status=(409,), body={"/error/code": "CREDIT_HOLD"}, hold="credit_hold")


def outcome(status: int, body: bytes = b"", *rules: ReplyRule, headers: dict[str, str] | None = None) -> Any:
    """("delivered",) or the error, shortened."""
    try:
        classify(status, headers or {}, body, rules, NOW)
    except TransientError as error:
        return ("retry", error.kind, error.retry_after)
    except RejectedError as error:
        return ("hold", error.hold) if error.hold else ("refused", error.code)
    return ("delivered",)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, ("delivered",)),
        (201, ("delivered",)),
        (204, ("delivered",)),
        (302, ("refused", "302")),
        (400, ("refused", "400")),
        (409, ("refused", "409")),
        (408, ("retry", "timeout", None)),
        (504, ("retry", "timeout", None)),
        (423, ("retry", "busy", None)),
        (429, ("retry", "busy", None)),
        (503, ("retry", "busy", None)),
        (500, ("retry", "failed", None)),
        (502, ("retry", "failed", None)),
        (101, ("refused", "101")),
        (999, ("refused", "999")),
    ],
)
def test_what_a_status_means_without_rules(status: int, expected: tuple[Any, ...]) -> None:
    assert outcome(status) == expected


def test_the_first_rule_that_applies_decides() -> None:
    rules = (HOLD, ReplyRule(status=(409,), refuse="CONFLICT"), ReplyRule(status=("4xx",), retry="failed"))
    assert outcome(409, b'{"error": {"code": "CREDIT_HOLD"}}', *rules) == ("hold", "credit_hold")
    assert outcome(409, b'{"error": {"code": "OTHER"}}', *rules) == ("refused", "CONFLICT")
    assert outcome(404, b"", *rules) == ("retry", "failed", None)
    assert outcome(201, b"", *rules) == ("delivered",)


def test_a_far_end_that_knows_the_document_already_has_it() -> None:
    rule = ReplyRule(status=(409,), body={"/reason": "duplicate"}, delivered=True)
    assert outcome(409, b'{"reason": "duplicate"}', rule) == ("delivered",)


def test_a_refusal_may_hide_behind_a_200() -> None:
    rule = ReplyRule(status=("2xx",), body={"/ok": False}, refuse="NOT_OK")
    assert outcome(200, b'{"ok": false}', rule) == ("refused", "NOT_OK")
    assert outcome(200, b'{"ok": 0}', rule) == ("delivered",)


def test_headers_count_in_any_case() -> None:
    rule = ReplyRule(headers={"X-Outcome": "wait"}, retry="busy")
    assert outcome(200, b"", rule, headers={"x-outcome": "wait", "retry-after": "7"}) == ("retry", "busy", 7.0)
    assert outcome(200, b"", rule, headers={"x-outcome": "go"}) == ("delivered",)


def test_the_receipt_keeps_the_reply() -> None:
    assert classify(201, {}, b'{"id": 7}') == Receipt("delivered (201)", 201, b'{"id": 7}')


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 31 Jan 2026 12:01:30 GMT", 90.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 100, 999_999_999_999.0),
        ("Sat, 99 Jan 2026 12:01:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_a_date_means_nothing_without_a_clock() -> None:
    assert retry_after("Sat, 31 Jan 2026 12:01:30 GMT") is None


@pytest.mark.parametrize(
    ("pointer", "found"), [("/a/b/1", 2), ("/a~1b", 3), ("/m~0n", 4), ("", None), ("/a/b/7", None), ("/a/b/x", None)]
)
def test_pointers(pointer: str, found: Any) -> None:
    value = {"a": {"b": [1, 2]}, "a/b": 3, "m~n": 4}
    result = at_pointer(value, pointer)
    assert result == (value if pointer == "" else found) or (found is None and type(result) is object)


@given(st.integers(100, 599), st.binary(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_no_reply_crashes_the_hub(status: int, body: bytes, headers: dict[str, str]) -> None:
    headers = {**headers, "Retry-After": next(iter(headers), "1")}
    try:
        text = classify(status, headers, body, (HOLD,), NOW).text
    except (TransientError, RejectedError) as error:
        text = str(error)
    assert len(text.encode()) < 2000


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"", b"null", b'"x"', b"[1]", b"x" * (2 << 20)]
)
def test_garbage_where_json_was_expected_meets_no_rule(body: bytes) -> None:
    assert outcome(409, body, HOLD) == ("refused", "409")
