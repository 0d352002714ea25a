"""What an acknowledgment says of each transaction of a group."""

from __future__ import annotations

from typing import Any

import pytest

from hub.documents import FunctionalAcknowledgment, InterchangeAcknowledgment
from hub.runtime.intake.judgement import Judgement, judgement_of
from transformers.x12.declarations.code_names import ack_code_names


def judged(group: str, *listed: tuple[str, str | None], codes: tuple[str, ...] = ()) -> Judgement:
    transactions = [{"set": "810", "control_number": number, "status": status} for number, status in listed]
    values: dict[str, Any] = {"number": "17", "group_code": "IN", "status": group, "included": 3, "received": 3}
    values |= {"accepted": 0, "codes": codes, "transactions": transactions}
    return judgement_of(FunctionalAcknowledgment.model_validate(values), "997", ack_code_names())


@pytest.mark.parametrize(
    ("group", "listed", "statuses", "others"),
    [
        ("A", (), {}, "accepted"),
        ("A", (("0002", "A"),), {"2": "accepted"}, "accepted"),
        ("E", (), {}, "accepted_with_errors"),
        ("E", (("0002", "E"),), {"2": "accepted_with_errors"}, "accepted"),
        ("P", (("0002", "R"),), {"2": "rejected"}, "accepted"),
        ("P", (("0001", "A"), ("0002", "M")), {"1": "accepted", "2": "rejected"}, "accepted"),
        ("P", (("0001", "A"),), {"1": "accepted"}, "rejected"),
        ("P", (), {}, "rejected"),
        ("R", (), {}, "rejected"),
        ("R", (("0001", "A"), ("0002", "R")), {"1": "rejected", "2": "rejected"}, "rejected"),
        ("A", (("0002", None),), {"2": "accepted"}, "accepted"),
        ("P", (("0001", "R"), ("0001", "A")), {"1": "rejected"}, "accepted"),
        ("A", (("0001", "A"), ("1", "E")), {"1": "accepted_with_errors"}, "accepted"),
        ("A", (("0002", "Z"),), {"2": "rejected"}, "accepted"),
        ("Z", (), {}, "rejected"),
        ("A", ((" 2 ", "A"), ("X2", "R")), {"2": "accepted", "X2": "rejected"}, "accepted"),
    ],
)
def test_each_transaction_has_its_verdict(
    group: str, listed: tuple[tuple[str, str | None], ...], statuses: dict[str, str], others: str
) -> None:
    found = judged(group, *listed)
    assert {number: verdict.status for number, verdict in found.transactions.items()} == statuses
    assert found.others.status == others


@pytest.mark.parametrize(("group", "transaction"), [("Z", "A"), ("A", "Z"), ("X", None), ("P", "W")])
def test_what_nobody_knows_to_be_taken_is_rejected(group: str, transaction: str | None) -> None:
    assert judged(group, ("0001", transaction)).status == "rejected"


def test_a_rejected_group_says_why_for_all() -> None:
    found = judged("R", ("0001", "R"), codes=("5",))
    text = "group: Number of transaction sets doesn't match the count (code 5)"
    assert (found.transactions["1"].text, found.others.text) == (text, text)


def test_a_ta1_speaks_of_all() -> None:
    document = InterchangeAcknowledgment.model_validate({"number": "17", "status": "R", "note": "021"})
    found = judgement_of(document, "TA1", ack_code_names())
    assert (found.transactions, found.others.status, found.others.text) == ({}, "rejected", "note code 021")
