"""The reader `x12`: what it promises of envelopes, neighbours, memory and bad input."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.agreement import Agreement, InterchangeId, OverlayRule
from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, FileBody, Reading
from hub.documents import Invoice, Order, ShipNotice, to_json
from tests.golden.x12_files import FIXTURES, PARTNERS, read
from tests.support.memory import Growth
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.reading.reader import ONE_PASS, PLUGIN


@dataclass(frozen=True)
class Drops:
    """A body that comes in pieces of a chosen size."""

    data: bytes
    piece: int
    pretended: int = ONE_PASS + 1

    @property
    def size(self) -> int:
        return max(len(self.data), self.pretended)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        for start in range(0, len(self.data), self.piece):
            yield self.data[start : start + self.piece]


def numbers(readings: list[Reading]) -> list[str | None]:
    return [r.document.number if r.document else None for r in readings]


def test_the_envelope_gives_facts_and_keys() -> None:
    (reading,) = read(interchange([transaction("104582", control="0042")], control=1042, test=True).encode())
    assert reading.position == ("1", "1", "1")
    assert dict(reading.envelope) == {
        "set": "850",
        "version": "004010",
        "control_number": "000001042",
        "group_control_number": "1",
        "transaction_control_number": "0042",
        "sender": "043645501",
        "receiver": "068717859",
        "test": True,
        "partner": "ACME",
    }
    assert reading.keys == (
        ("control_number", "000001042"),
        ("group_control_number", "1"),
        ("transaction_control_number", "0042"),
    )
    assert isinstance(reading.document, Order)
    assert (reading.document.partner, reading.document.currency) == ("ACME", "USD")


def test_a_sender_whom_nobody_knows_has_no_partner() -> None:
    (reading,) = read(interchange([transaction("1")], sender="999").encode())
    assert reading.envelope["partner"] == ""
    assert reading.document is not None
    assert reading.document.partner is None


def test_the_documents_have_the_keys_by_which_people_look() -> None:
    order, notice, invoice = (
        read(FileBody(FIXTURES / name))[0].document for name in ("850-full.edi", "856-sotpi.edi", "810-invoice.edi")
    )
    assert isinstance(order, Order)
    assert isinstance(notice, ShipNotice)
    assert isinstance(invoice, Invoice)
    assert order.keys == (("order", "PO-77120"), ("customer_order", "WEB-7781203"))
    assert notice.keys == (
        ("shipment", "ASN0077120"),
        ("order", "104582"),
        ("bol", "BOL4471190"),
        ("carrier_reference", "PRO88120077"),
    )
    assert invoice.keys == (("invoice", "INV-88120"), ("order", "104582"), ("bol", "BOL4471190"))


def test_only_the_named_partners_are_taken() -> None:
    data = interchange([transaction("1")]) + interchange([transaction("2")], sender="999", control=8)
    readings = read(data.encode(), "ACME")
    assert numbers(readings) == ["1", None]
    assert readings[1].error is not None
    assert "takes only ACME" in readings[1].error.text
    with pytest.raises(ConfigError, match="no partner 'ACMEE'; known: ACME"):
        PLUGIN.build("inbox", PLUGIN.options.model_validate({"only": ["ACMEE"]}), Context(site=None, partners=PARTNERS))


def test_three_bad_ones_of_a_thousand_do_not_hold_up_the_others() -> None:
    bad = {17: "BEG*00*SA*1**20261399", 500: "XXX*1", 999: "BEG*00*SA"}
    group = [transaction(str(n)) for n in range(1, 1001)]
    for n, segment in bad.items():
        group[n - 1][1] = segment
    readings = read(interchange(group).encode())
    assert numbers(readings) == [None if n in bad else str(n) for n in range(1, 1001)]
    assert [r.position[2] for r in readings if r.error] == ["17", "500", "999"]


def test_one_transaction_of_many_lines() -> None:
    (reading,) = read(interchange([transaction("1", lines=30_000)]).encode())
    assert isinstance(reading.document, Order)
    assert len(reading.document.lines) == 30_000
    assert reading.document.lines[-1].number == "30000"
    assert str(reading.document.total) == "9180000.00"


def test_more_of_a_loop_than_the_standard_allows_is_refused() -> None:
    (reading,) = read(interchange([transaction("1", extra=[f"N1*ST*STORE {n}" for n in range(201)])]).encode())
    assert reading.error is not None
    assert (reading.error.x12_code, reading.error.segment) == ("4", "N1[204]")


@pytest.mark.parametrize("piece", [1, 7, 64, 1000, 1 << 18])
def test_how_the_bytes_arrive_changes_nothing(piece: int) -> None:
    data = (
        interchange([transaction("1"), transaction("2", 3)], [transaction("3")])
        + "\n\n"
        + interchange([transaction("4")], control=8).replace("~\n", "~" + "\r\n" * 40)
    ).encode()
    readings = list(X12Reader(PARTNERS).read(Drops(data, piece)))
    assert readings == read(data)
    assert numbers(readings) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("between", ["~", "~\n", "~\r\n", "~\n\n", "~ \n", "~\t"])
@pytest.mark.parametrize("rest", ["~", "~\n", "~\r\n\r\n", "~ "])
def test_line_ends_may_change_within_a_transaction(between: str, rest: str) -> None:
    data = interchange([transaction("1"), transaction("2"), transaction("3")])
    for n in range(1, data.count("~\n"), 3):
        parts = data.split("~\n")
        mixed = between.join(parts[:n]) + between + rest.join(parts[n:])
        assert numbers(read(mixed.encode())) == ["1", "2", "3"]


def test_memory_follows_the_largest_transaction_and_not_the_file(tmp_path: Path) -> None:
    """All documents of the file at once would take a hundred megabytes."""
    path = tmp_path / "large.edi"
    path.write_text(interchange([transaction(str(n), lines=20) for n in range(3_000)]))
    assert path.stat().st_size > 4 * ONE_PASS
    reader = X12Reader(PARTNERS)
    assert sum(1 for _ in reader.read(BytesBody(interchange([transaction("1", lines=20)]).encode()))) == 1
    with Growth() as growth:
        assert sum(1 for _ in reader.read(FileBody(path))) == 3_000
    assert growth.most < 12_000_000


def test_a_truncated_upload_is_refused_whole_wherever_it_breaks_off() -> None:
    data = interchange([transaction("1"), transaction("2")]).encode()
    for end in range(120, len(data) - 16, 23):
        readings = read(data[:end])
        assert [(r.document, r.position) for r in readings] == [(None, ("1",))]


def test_a_truncated_interchange_does_not_spoil_the_next_one() -> None:
    broken = interchange([transaction("1")])[:300]
    readings = read((broken + "\n" + interchange([transaction("2")], control=8)).encode())
    assert numbers(readings) == [None, "2"]


def test_bytes_between_interchanges_are_one_reading() -> None:
    data = "hello\n" + interchange([transaction("1")]) + "trailing rubbish" + interchange([transaction("2")], control=8)
    readings = read(data.encode())
    assert numbers(readings) == [None, "1", None, "2"]
    assert len({r.position for r in readings}) == 4


def test_text_is_utf8_and_else_latin1() -> None:
    for charset in ("utf-8", "latin-1"):
        (reading,) = read(interchange([transaction("1", extra=["N1*ST*CAFÉ MÜLLER"])]).encode(charset))
        assert isinstance(reading.document, Order)
        assert reading.document.ship_to is not None
        assert reading.document.ship_to.name == "CAFÉ MÜLLER"
        assert len(reading.warnings) == (charset == "latin-1")


def test_padding_behind_values_is_dropped() -> None:
    (reading,) = read(interchange([transaction("104582   ", extra=["REF*DP*038     "])]).encode())
    assert isinstance(reading.document, Order)
    assert (reading.document.number, reading.document.department) == ("104582", "038")


def test_an_unknown_version_is_read_with_a_warning() -> None:
    (reading,) = read(interchange([transaction("1")]).replace("*004010~", "*007030VICS~").encode())
    assert reading.document is not None
    assert reading.warnings == ("version '007030VICS' isn't one that we know; read as 005010",)


def test_an_unknown_code_of_an_unverified_list_is_a_warning() -> None:
    (reading,) = read(interchange([transaction("1")]).replace("BEG*00*SA", "BEG*99*SA").encode())
    assert reading.document is not None
    assert reading.warnings == ("the code '99' of element 353 (Transaction Set Purpose Code) isn't one that we know",)


def test_a_qualifier_that_comes_twice_is_kept() -> None:
    line = "PO1*1*24*EA*12.75*PE*UP*1*UP*2"
    data = interchange([transaction("1")]).replace("PO1*1*24*EA*12.75*PE*UP*036000291452*VN*HMR-16OZ", line)
    (reading,) = read(data.encode())
    assert isinstance(reading.document, Order)
    assert reading.document.lines[0].products == {"UP": "1"}
    assert [e.elements for e in reading.document.extras] == [tuple(line.split("*")[1:])]


def test_several_threads_read_at_once() -> None:
    files = [interchange([transaction(str(n), lines=n)]).encode() for n in range(1, 40)]
    expected = [to_json(r.document) for f in files for r in read(f) if r.document]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda data: [to_json(r.document) for r in read(data) if r.document], files))
    assert [one for several in found for one in several] == expected


def test_reading_again_gives_the_same() -> None:
    data = (FIXTURES / "broken" / "ge-missing.edi").read_bytes()
    assert [(r.position, r.document, str(r.error)) for r in read(data)] == [
        (r.position, r.document, str(r.error)) for r in read(data)
    ]


VALID = b"".join((FIXTURES / name).read_bytes() for name in ("850-full.edi", "856-sotpi.edi", "810-invoice.edi"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with some bytes dropped, repeated, replaced, and cut off."""
    data = bytearray(VALID)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        size = draw(st.integers(0, 40))
        match draw(st.sampled_from(["drop", "repeat", "replace", "cut", "swap"])):
            case "drop":
                del data[at : at + size]
            case "repeat":
                data[at:at] = data[at : at + size]
            case "replace":
                data[at : at + 1] = draw(st.binary(max_size=4))
            case "cut":
                del data[max(at, 1) :]
            case _:
                data[at : at + 1] = draw(st.sampled_from([b"*", b"~", b"\n", b">", b"ISA*", b"SE*", b" "]))
        if not data:
            break
    return bytes(data)


@given(mutated())
@settings(max_examples=120, deadline=None)
def test_whatever_happened_to_a_file_gives_readings_and_nothing_else(data: bytes) -> None:
    readings = read(data)
    assert readings
    assert all((r.document is None) != (r.error is None) for r in readings)
    assert len({r.position for r in readings}) == len(readings)
    for reading in readings:
        if reading.error is not None:
            assert reading.error.text != "the transaction breaks its declaration"
    assert [r.position for r in X12Reader(PARTNERS).read(Drops(data, 100))] == [r.position for r in readings]


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_at_all_give_readings(data: bytes) -> None:
    for body in (data, b"ISA" + data, VALID[:107] + data, VALID[:180] + data):
        assert all((r.document is None) != (r.error is None) for r in read(body))


def test_rules_that_do_not_fit_the_version_of_a_file_refuse_its_transactions() -> None:
    rules = {"850": (OverlayRule("MTX", use="M"),)}  # 850 has MTX only from 004020 on
    agreement = Agreement("ACME", (InterchangeId("01", "043645501"),), version="005010", overlays=rules)
    body = BytesBody(interchange([transaction("1")]).encode())
    (reading,) = X12Reader(PartnerDirectory([agreement])).read(body)
    assert reading.error is not None
    assert "don't fit version '004010': MTX: there is no MTX here" in reading.error.text


def test_what_was_read_with_other_separators_is_not_taken_for_the_same() -> None:
    text = interchange([transaction("1", extra=["REF*DP*038", "REF*IA*A>B"])])
    first = text.encode()
    bars = text.replace("*", "|").encode()
    mixed = text.replace("REF*DP*038", "REF|DP|038").encode()
    good, other, wrong = (read(body)[0] for body in (first, bars, mixed))
    assert good.document is not None
    assert good.document == other.document
    assert wrong.error is not None  # a segment whose elements are separated by something else


def test_an_id_that_goes_on_behind_three_letters_is_another_segment() -> None:
    body = interchange([transaction("1", extra=["REF*DP*038"])]).replace("REF*DP", "REFX*DP").encode()
    (reading,) = read(body)
    assert reading.error is not None
    assert (reading.error.x12_code, reading.error.segment) == ("1", "REFX[4]")


def test_an_end_of_file_mark_behind_a_trailer_without_terminator_is_no_part_of_it() -> None:
    body = interchange([transaction("1")]).rstrip("~\n").encode() + b"\x1a"
    (reading,) = read(body)
    assert reading.error is None
