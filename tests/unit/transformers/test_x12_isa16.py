"""An ISA without ISA16: what follows it then is the terminator. It is said as that, and nothing else is."""

from __future__ import annotations

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import InterchangeAcknowledgment
from tests.golden.x12_files import read
from tests.unit.transformers.reading import Pieces
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.lineage.inspection import InterchangeSeen, TransactionSeen, inspect
from transformers.x12.terms.observation import observe

WHOLE = interchange([transaction("1"), transaction("2", control="0002")])
ENDS = ["\n", "\r\n", "", "\n\n", "\n  "]


def missing(end: str, terminator: str = "~") -> bytes:
    return WHOLE.replace("*>~\n", f"*{terminator}{end}").replace("~\n", terminator + end).encode()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("terminator", ["~", "'", "|"])
def test_it_is_027_and_nothing_else(end: str, terminator: str) -> None:
    data = missing(end, terminator)
    for body in (BytesBody(data), Pieces(data)):
        found = list(X12Reader(PartnerDirectory()).read(body))
        errors = [reading.error for reading in found if reading.error is not None]
        assert [e.x12_code for e in errors if e.x12_code] == ["027"]
        assert "ISA16 is missing" in errors[0].text
        assert not any(reading.document for reading in found)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_stands_in_it_is_not_judged_by_separators_that_are_none(end: str) -> None:
    seen = list(inspect(BytesBody(missing(end)), PartnerDirectory()))
    (interchange_seen,) = [one for one in seen if isinstance(one, InterchangeSeen)]
    assert interchange_seen.refusal is not None
    assert interchange_seen.refusal.code == "027"
    transactions = [one for one in seen if isinstance(one, TransactionSeen)]
    assert [(one.status, one.findings) for one in transactions] == [("rejected", ())] * 2


def test_its_sender_gets_a_ta1_that_says_so() -> None:
    acme = Agreement("ACME", (InterchangeId("01", "043645501"),), acknowledge=Acknowledge())
    said = [r.document for r in X12Reader(PartnerDirectory([acme])).read(BytesBody(missing("\n")))]
    (answer,) = [document for document in said if isinstance(document, InterchangeAcknowledgment)]
    assert (answer.status, answer.note) == ("R", "027")


@pytest.mark.parametrize("end", ["~", "~\n", "\n", "\r\n", "'  \n"])
@pytest.mark.parametrize(
    ("without", "code", "text"),
    [
        ("*P", "027", "ISA16 is missing: the ISA ends behind ISA15"),
        ("*>", "022", "the ISA has 15 elements, expected 16"),
        ("", "022", "the ISA has 14 elements, expected 16"),
    ],
)
def test_an_isa_that_ends_before_its_last_element_is_told_so(end: str, without: str, code: str, text: str) -> None:
    data = WHOLE.replace("*P*>~\n", f"{without}{end}").replace("~\n", end).encode()
    error = read(data)[0].error
    assert error is not None
    assert (error.x12_code, text in error.text) == (code, True), error


@pytest.mark.parametrize("id", ["ACME-GS", "GS", "X/IEA", "TA1"])
def test_an_id_may_end_as_the_name_of_a_segment(id: str) -> None:
    assert [reading.error for reading in read(WHOLE.replace("043645501      ", id).encode())] == [None, None]


def test_a_draft_proposes_no_separators() -> None:
    (seen,) = observe(BytesBody(missing("\n")))
    assert not seen.delimiters


def test_a_component_separator_that_ends_values_is_one() -> None:
    data = WHOLE.replace("~\n", "\n").replace("*>\n", "*~\n").replace("SA*1*", "SA*1~*").encode()
    found = read(data)
    assert not any(reading.error is not None and reading.error.x12_code == "027" for reading in found)
    (seen,) = observe(BytesBody(data))
    assert seen.delimiters


def test_one_segment_that_ends_otherwise_is_enough() -> None:
    data = missing("\n").replace(b"CUR*BY*USD~", b"CUR*BY*USD")
    errors = [reading.error for reading in read(data) if reading.error is not None]
    assert "027" not in [error.x12_code for error in errors]
