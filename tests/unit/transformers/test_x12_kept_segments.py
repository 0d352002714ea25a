"""Segments that are kept whole: what separated their components and repetitions is structure, not text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.agreement import Agreement, InterchangeId, OverlayRule, Separators
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Order, from_json, to_json
from hub.documents.base import Extra, structured
from tests.fuzz.documents import HARD, STRUCTURES, TEXTS
from tests.fuzz.writing import SEPARATORS
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.writer import write_interchange

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
THEY, WE = InterchangeId("01", "043645501"), InterchangeId("01", "068717859")
OVERLAYS = {"850": tuple(OverlayRule("BEG", segment=name) for name in ("ZA9", "BIN", "BDS"))}
ACME = Agreement("ACME", (THEY,), WE, version="005010", overlays=OVERLAYS)


def opened(line: str, version: str = "004010", isa11: str = "U", partner: Agreement = ACME) -> Extra:
    """How a segment that only the agreement knows is read."""
    segments = transaction("1", extra=["REF*IA*1"])
    segments[2:4] = [line, segments[2]]
    data = interchange([segments]).replace("*004010~", f"*{version}~").replace("*U*00401*", f"*{isa11}*{version[:5]}*")
    (reading,) = X12Reader(PartnerDirectory([partner])).read(BytesBody(data.encode()))
    assert isinstance(reading.document, Order), reading.error
    (extra,) = reading.document.extras
    return extra


def order(*elements: Any, segment: str = "ZA9") -> Order:
    (reading,) = X12Reader(PartnerDirectory([ACME])).read(BytesBody(interchange([transaction("1")]).encode()))
    assert isinstance(reading.document, Order)
    extra = Extra.model_validate({"segment": segment, "elements": elements})
    return reading.document.model_copy(update={"extras": (extra,)})


def sent(document: Order, agreement: Agreement = ACME) -> bytes:
    return write_interchange([document], agreement, 1, AT).body


def carried(document: Order, agreement: Agreement = ACME) -> Order:
    """What arrives at the partner."""
    mirrored = replace(agreement, ids=(WE,), we=THEY)
    (reading,) = X12Reader(PartnerDirectory([mirrored])).read(BytesBody(sent(document, agreement)))
    assert isinstance(reading.document, Order), reading.error
    return reading.document


def test_what_separates_is_structure_in_the_interchange_s_own_words() -> None:
    assert opened("ZA9*A>B*C^D*E>F^G", "005010", "^").elements == (
        (("A", "B"),),
        (("C",), ("D",)),
        (("E", "F"), ("G",)),
    )


def test_before_00402_nothing_separates_repetitions() -> None:
    assert opened("ZA9*A>B*C^D", "004010", "U").elements == ((("A", "B"),), "C^D")
    assert opened("ZA9*A>B*C^D", "004010", "^").elements == ((("A", "B"),), "C^D")


def test_an_element_has_one_form() -> None:
    assert Extra(segment="ZA9", elements=((("A",),), (("A", ""), ("", "")), (), (("", "B"),))).elements == (
        *("A", "A", ""),
        (("", "B"),),
    )
    assert structured((("",), ("A", ""), ("",))) == (("",), ("A",))


def test_in_json_it_is_lists_and_a_plain_text_stays_one() -> None:
    document = order("A", [["A", "B"], ["C"]])
    assert b'"elements":["A",[["A","B"],["C"]]]' in to_json(document)
    assert from_json(to_json(document)) == document
    assert b"ZA9*A*A>B^C~" in sent(document)


def test_it_goes_out_with_the_partner_s_own_separators() -> None:
    marks = Separators(element="|", component=":", repetition="!", terminator="'")
    assert b"ZA9|A>^|A:B!C'" in sent(order("A>^", [["A", "B"], ["C"]]), replace(ACME, separators=marks))
    assert carried(order("A>^", [["A", "B"], ["C"]]), replace(ACME, separators=marks)).extras[0].elements == (
        "A>^",
        (("A", "B"), ("C",)),
    )


@pytest.mark.parametrize("text", ["A>B", "A^B", "A*B", "A~B"])
def test_a_text_that_holds_what_separates_is_refused_by_name(text: str) -> None:
    for elements in ([text], [[["X", text]]]):
        with pytest.raises(MappingError, match=r"^extras\[0\]: .* holds .* which separates in what we send"):
            sent(order(*elements))


def test_repetitions_are_refused_where_nothing_separates_them() -> None:
    with pytest.raises(MappingError, match=r"^extras\[0\]: 2 repetitions, and nothing separates them before 004020"):
        sent(order([["A"], ["B"]]), replace(ACME, version="004010"))
    assert b"ZA9*A^B~" in sent(order("A^B"), replace(ACME, version="004010"))


@given(
    st.lists(st.one_of(TEXTS, STRUCTURES, st.sampled_from(HARD)), max_size=4),
    st.sampled_from(["ZA9", "BIN", "BDS", "REF", "MEA"]),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["003040", "004010", "005010"]),
)
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_kept_comes_back_or_is_refused_by_name(
    elements: list[Any], segment: str, marks: Separators, version: str
) -> None:
    document = order(*elements, segment=segment)
    agreement = replace(ACME, separators=marks, version=version)
    try:
        arrived = carried(document, agreement)
    except MappingError as error:
        refusal = str(error)
    else:
        assert list(changed_fields(document, arrived)) == []
        assert list(changed_fields(arrived, document)) == []
        return
    assert refusal.startswith("extras[0]"), refusal


DATA = "line\n" + "".join(map(chr, range(256))) + "~SE*3*0001~IEA>^\r\n"


@pytest.mark.parametrize("data", [DATA, "A\n", "\n", "~", "*", "*~*~", " ", " A ", "\r\n", "BIN*3*A~", "\xff\x00"])
@pytest.mark.parametrize("marks", [*SEPARATORS, Separators(terminator="\r", newline="\n")], ids=range(7))
def test_binary_data_comes_back_byte_for_byte(data: str, marks: Separators) -> None:
    for segment, lead in (("BIN", ()), ("BDS", ("ASC",))):
        document = order(*lead, str(len(data)), data, segment=segment)
        agreement = replace(ACME, separators=marks, charset="utf-8")
        assert data.encode("latin-1") in sent(document, agreement)
        assert carried(document, agreement).extras[0].elements == (*lead, str(len(data)), data)


def test_binary_data_stands_beside_text_in_another_character_set() -> None:
    document = order("2", "\xe9\xff", segment="BIN")
    document = document.model_copy(update={"extras": (*document.extras, Extra(segment="ZA9", elements=("CAFÉ 漢",)))})
    agreement = replace(ACME, charset="utf-8", overlays={"850": tuple(reversed(OVERLAYS["850"]))})
    body = sent(document, agreement)
    assert b"BIN*2*\xe9\xff~" in body
    assert "ZA9*CAFÉ 漢~".encode() in body
    assert {e.segment: e.elements for e in carried(document, agreement).extras} == {
        "BIN": ("2", "\xe9\xff"),
        "ZA9": ("CAFÉ 漢",),
    }


def test_data_that_is_no_bytes_is_refused_by_name() -> None:
    with pytest.raises(MappingError, match=r"^extras\[0\]: '漢' isn't in the character set"):
        sent(order("1", "漢", segment="BIN"))


@pytest.mark.parametrize(
    ("length", "code"),
    [("2", "5"), ("4", "4"), ("90", "4"), ("100000", "4"), ("999999999999999", "4"), ("9" * 26, "4")],
)
@pytest.mark.parametrize("segment", ["BIN*{}*ABC", "BDS*ASC*{}*ABC"])
def test_a_length_that_is_not_true_is_an_error_and_its_neighbours_go_on(segment: str, length: str, code: str) -> None:
    one = transaction("1")
    one[2:2] = [segment.format(length)]
    one[-1] = f"SE*{len(one)}*0001"
    data = interchange([one, transaction("2", control="0002")], [transaction("3")])
    first, *others = X12Reader(PartnerDirectory([ACME])).read(BytesBody(data.encode()))
    assert first.error is not None
    assert (first.error.x12_code, first.error.segment) == (code, f"{segment[:3]}[3]")
    assert [r.document.number for r in others if r.document] == ["2", "3"]
    document = order(*segment.format(length).split("*")[1:], segment=segment[:3])
    with pytest.raises(MappingError, match=r"^extras\[0\]: found 3 bytes before the next terminator, expected"):
        sent(document)


def test_a_line_end_stands_behind_data_where_the_terminator_is_one() -> None:
    data = "\r\n".join(interchange([transaction("1")]).replace("CUR*BY*USD", "BIN*6*AB\r\nCD").split("~\n"))
    (reading,) = X12Reader(PartnerDirectory([ACME])).read(BytesBody(data.encode()))
    assert reading.document is not None, reading.error
    assert reading.document.extras[0].elements == ("6", "AB\r\nCD")
