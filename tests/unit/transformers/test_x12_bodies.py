"""The shapes in which bodies come: wrapped, with odd separators, character sets, binary data, other releases; and who
sends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hub.core.agreement import Agreement, Charset, InterchangeId, OverlayRule
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import Order
from tests.golden.x12_files import FIXTURES, read
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader

ACME = Agreement("ACME", (InterchangeId("01", "043645501"),))
PLAIN = interchange([transaction("1", 2), transaction("2", control="0002")], [transaction("3")])


def numbers(readings: list[Reading]) -> list[str | None]:
    return [r.document.number if r.document else None for r in readings]


def under(agreement: Agreement, data: bytes | str) -> list[Reading]:
    body = data if isinstance(data, bytes) else data.encode()
    return list(X12Reader(PartnerDirectory([agreement])).read(BytesBody(body)))


@pytest.mark.parametrize("width", [20, 72, 79, 80, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_body_in_lines_of_one_width_is_joined(width: int, end: str) -> None:
    joined = PLAIN.replace("\n", "")
    wrapped = end.join(joined[at : at + width] for at in range(0, len(joined), width))
    assert [r.document for r in read(wrapped.encode())] == [r.document for r in read(joined.encode())]


@pytest.mark.parametrize("terminator", ["~", "'", "\n", "\r", "\x1c", "\x15", "\x85", "|"])
@pytest.mark.parametrize("element", ["*", "\x1d", "\x01", "+"])
def test_any_byte_separates(element: str, terminator: str) -> None:
    data = PLAIN.replace("~\n", "~").replace("~", terminator).replace("*", element)
    assert numbers(read(data.encode("latin-1"))) == ["1", "2", "3"]


def test_a_mark_blank_lines_and_several_interchanges_are_no_matter() -> None:
    second = interchange([transaction("4")], control=8)
    data = b"\xef\xbb\xbf\r\n\n" + PLAIN.encode() + b"\r\n\r\n\xef\xbb\xbf" + second.encode() + b"\x1a"
    readings = read(data)
    assert numbers(readings) == ["1", "2", "3", "4"]
    assert readings[-1].position == ("2", "1", "1")


@pytest.mark.parametrize("segment", ["BIN*9*~SE*1*~*>", "BDS*ASC*9*~SE*1*~*>"])
def test_terminators_in_binary_data_end_nothing(segment: str) -> None:
    one = transaction("1")
    one[2:2] = [segment]
    one[-1] = f"SE*{len(one)}*0001"
    data = interchange([one, transaction("2", control="0002")])
    first, second = read(data.encode())
    assert first.error is not None
    assert first.error.segment == f"{segment[:3]}[3]"
    assert second.document is not None
    agreed = replace(ACME, overlays={"850": (OverlayRule("BEG", segment=segment[:3]),)})
    first, second = under(agreed, data)
    assert first.document is not None
    assert [e.segment for e in first.document.extras] == [segment[:3]]
    assert second.document is not None


def test_an_interchange_acknowledgment_stands_before_the_groups() -> None:
    data = PLAIN.replace("~\nGS", "~\nTA1*000000905*260302*0815*E*014~\nGS", 1)
    readings = read(data.encode())
    assert readings[0].position == ("1", "0", "1")
    assert numbers(readings) == ["000000905", "1", "2", "3"]


def test_widths_of_the_header_may_be_wrong() -> None:
    data = PLAIN.replace("043645501      ", "043645501").replace("00*          *", "00**")
    readings = read(data.encode())
    assert numbers(readings) == ["1", "2", "3"]
    assert {"ISA02 has 0 characters, expected 10", "ISA06 has 9 characters, expected 15"} <= set(readings[0].warnings)


@pytest.mark.parametrize(
    ("charset", "encoded", "name"),
    [
        ("extended", "utf-8", "CAFÉ"),
        ("extended", "latin-1", "CAFÉ"),
        ("utf-8", "utf-8", "CAFÉ"),
        ("latin-1", "latin-1", "CAFÉ"),
        ("latin-1", "utf-8", "CAFÃ‰"),
        ("basic", "utf-8", None),
        ("basic", "latin-1", None),
    ],
)
def test_bytes_are_what_the_agreement_says(charset: Charset, encoded: str, name: str | None) -> None:
    data = interchange([transaction("1", extra=["N1*ST*CAFÉ"])]).encode(encoded)
    (reading,) = under(replace(ACME, charset=charset), data)
    found = reading.document.ship_to if isinstance(reading.document, Order) else None
    assert (found.name if found else None) == name
    assert name is not None or (reading.error is not None and reading.error.x12_code == "6")


def test_lower_case_is_none_of_the_basic_characters() -> None:
    (reading,) = under(replace(ACME, charset="basic"), interchange([transaction("1", extra=["N1*ST*Cafe"])]))
    assert reading.error is not None
    assert reading.error.element == "N102"


@pytest.mark.parametrize(("text", "year"), [("700302", 1970), ("991231", 1999), ("000101", 2000), ("691231", 2069)])
def test_dates_of_six_digits_are_of_the_nearer_century(text: str, year: int) -> None:
    data = interchange([transaction("1")]).replace("004010", "003040").replace("**20260302~", f"**{text}~")
    (reading,) = read(data.encode())
    assert isinstance(reading.document, Order), reading.error
    assert reading.document.date is not None
    assert f"{reading.document.date:%Y%m%d}" == f"{year}{text[2:]}"


@pytest.mark.parametrize("release", ["004020", "004030", "004040", "004042", "004050", "004060", "005010"])
def test_later_releases_are_read_as_what_they_are(release: str) -> None:
    data = PLAIN.replace("*004010~", f"*{release}~")
    readings = read(data.encode())
    assert numbers(readings) == ["1", "2", "3"]
    assert {r.envelope["version"] for r in readings} == {release}
    assert not any(r.warnings for r in readings)


@pytest.mark.parametrize(("days", "taken"), [(None, True), (30, False)])
def test_a_transaction_number_that_comes_twice_is_a_duplicate_by_agreement(days: int | None, taken: bool) -> None:
    data = interchange([transaction("1"), transaction("2")], [transaction("3")])
    readings = under(replace(ACME, duplicate_days=days), data)
    assert numbers(readings) == ["1", "2" if taken else None, "3"]
    assert not taken or readings[1].warnings == ("ST02 '0001' comes twice in the group",)
    assert taken or (readings[1].error is not None and readings[1].error.x12_code == "23")


def test_a_set_that_is_not_agreed_is_refused() -> None:
    readings = under(replace(ACME, receive=("860", "997")), PLAIN)
    assert {r.error.x12_code for r in readings if r.error} == {"1"}
    assert numbers(readings) == [None, None, None]
    assert numbers(under(replace(ACME, receive=("850",)), PLAIN)) == ["1", "2", "3"]


def test_ids_tell_test_from_production() -> None:
    ids = (InterchangeId("01", "043645501", test=False), InterchangeId("ZZ", "ACMETEST", test=True))
    tested = PLAIN.replace("*01*043645501      ", "*ZZ*ACMETEST       ").replace("*0*P*>", "*0*T*>")
    for data, partner in ((PLAIN, "ACME"), (tested, "ACME"), (PLAIN.replace("*0*P*>", "*0*T*>"), "")):
        readings = under(replace(ACME, ids=ids), data)
        assert {r.envelope["partner"] for r in readings} == {partner}
        assert numbers(readings) == ["1", "2", "3"]


def test_real_files_in_lines_of_eighty() -> None:
    for path in sorted(FIXTURES.glob("*5010.edi")):
        joined = re.sub(rb"~\r?\n", b"~", path.read_bytes()).strip()
        wrapped = b"\r\n".join(joined[at : at + 80] for at in range(0, len(joined), 80))
        assert [r.document for r in read(wrapped)] == [r.document for r in read(joined)]
