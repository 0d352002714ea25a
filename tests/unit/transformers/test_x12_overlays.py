"""What a partner's overlay changes: what they may send, by the code of the error; what we may send, by the field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.core.agreement import Agreement, InterchangeId, OverlayRule
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import Order
from tests.golden.x12_files import read
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.writing.writer import write_interchange

THEY, WE = InterchangeId("01", "043645501"), InterchangeId("01", "068717859")
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
PLAIN = ("REF*DP*038", "N1*ST*STORE 14*92*0014")


def agreement(*rules: OverlayRule) -> Agreement:
    return Agreement("ACME", (THEY,), WE, version="004010", overlays={"850": rules})


def body(*extra: str, lines: int = 1) -> bytes:
    return interchange([transaction("104582", lines, extra=extra)]).encode()


def taken(data: bytes, *rules: OverlayRule) -> Reading:
    (reading,) = X12Reader(PartnerDirectory([agreement(*rules)])).read(BytesBody(data))
    return reading


def order(*extra: str, lines: int = 1) -> Order:
    (reading,) = read(body(*extra, lines=lines))
    assert isinstance(reading.document, Order)
    return reading.document


def written(document: Order, *rules: OverlayRule) -> str:
    return write_interchange([document], agreement(*rules), 1, AT).body.decode()


# a rule, the code and the place of what it refuses in a plain order, and the field of the same order that can't be sent
REFUSED = {
    "a segment isn't used": (OverlayRule("CUR", use="X"), "2", "CUR", "currency"),
    "a segment in a loop isn't used": (OverlayRule("PO1/PID", use="X"), "2", "PID", "lines[0].descriptions"),
    "a loop isn't used": (OverlayRule("N1", use="X"), "2", "N1", "parties"),
    "a segment is mandatory": (OverlayRule("DTM", use="M"), "3", "DTM", "dates"),
    "a segment in a loop is mandatory": (OverlayRule("N1/PER", use="M"), "3", "PER", "parties"),
    "an element isn't used": (OverlayRule("BEG/BEG02", use="X"), "10", "BEG02", "type"),
    "an element is mandatory": (OverlayRule("BEG/BEG06", use="M"), "1", "BEG06", "contract"),
    "a loop stands less often": (OverlayRule("PO1", max=1), "4", "PO1", "lines[1]"),
    "a text is shorter": (OverlayRule("BEG/BEG03", max_length=5), "5", "BEG03", "number"),
    "a text is longer": (OverlayRule("BEG/BEG03", min_length=8), "4", "BEG03", "number"),
    "other codes": (OverlayRule("BEG/BEG02", codes=("NE",)), "7", "BEG02", "type"),
    "a code less": (OverlayRule("BEG/BEG02", remove=("SA",)), "7", "BEG02", "type"),
    "other qualifiers of a segment": (OverlayRule("REF", qualifiers=("IA",)), "7", "REF01", "references[0].qualifier"),
    "other qualifiers of a loop": (OverlayRule("N1", qualifiers=("BT",)), "7", "N101", "parties[0].role"),
    "a text in a loop is shorter": (OverlayRule("PO1/PID/PID05", max_length=3), "5", "PID05", "lines[0].descriptions"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_overlay_excludes_is_refused_when_it_comes(name: str) -> None:
    rule, code, place, _ = REFUSED[name]
    assert taken(body(*PLAIN, lines=2)).error is None
    error = taken(body(*PLAIN, lines=2), rule).error
    assert error is not None
    assert (error.x12_code, (error.element or error.segment or "").partition("[")[0]) == (code, place)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_overlay_excludes_is_never_sent(name: str) -> None:
    rule, _, _, field = REFUSED[name]
    assert written(order(*PLAIN, lines=2))
    with pytest.raises(MappingError) as refusal:
        written(order(*PLAIN, lines=2), rule)
    assert str(refusal.value).startswith(field)


def test_what_is_mandatory_may_be_left_out_where_the_partner_does() -> None:
    rule = OverlayRule("PO1", use="O")
    data = body(lines=0)
    assert taken(data).error is not None
    reading = taken(data, rule)
    assert isinstance(reading.document, Order)
    assert "PO1*" not in written(reading.document, rule)


def test_an_added_code_is_no_surprise() -> None:
    data = body().replace(b"BEG*00*SA", b"BEG*00*QQ")
    assert "'QQ'" in taken(data).warnings[0]
    assert taken(data, OverlayRule("BEG/BEG02", add=("QQ",))).warnings == ()


def test_an_agreed_segment_is_kept_and_goes_back_where_it_stood() -> None:
    rule = OverlayRule("REF", segment="ZA9")
    data = body("REF*DP*038", "ZA9*A*B")
    assert taken(data).error is not None
    reading = taken(data, rule)
    assert isinstance(reading.document, Order)
    assert [(e.segment, e.elements) for e in reading.document.extras] == [("ZA9", ("A", "B"))]
    assert "~REF*DP*038~ZA9*A*B~" in written(reading.document, rule)


def test_a_default_is_written_where_the_document_has_nothing() -> None:
    rule = OverlayRule("BEG/BEG06", default="NONE")
    assert "BEG*00*SA*104582**20260302*NONE~" in written(order(), rule)
    assert "*NONE" not in written(order().model_copy(update={"contract": "C-1"}), rule)


def test_rules_apply_in_their_order() -> None:
    rules = (OverlayRule("BEG/BEG02", codes=("NE",)), OverlayRule("BEG/BEG02", add=("SA",)))
    assert taken(body(), *rules).error is None
    assert taken(body(), *reversed(rules)).error is not None


def test_rules_of_one_set_leave_the_others_alone() -> None:
    rules = {"860": (OverlayRule("BCH/BCH02", use="X"),)}
    partners = PartnerDirectory([Agreement("ACME", (THEY,), WE, overlays=rules)])
    (reading,) = X12Reader(partners).read(BytesBody(body()))
    assert reading.error is None


def test_rules_that_leave_nothing_to_read_refuse_the_transaction() -> None:
    reading = taken(body(), OverlayRule("BEG/BEG03", use="O"))
    assert reading.error is not None
    assert "BEG03" in reading.error.text
    with pytest.raises(MappingError, match="BEG03"):
        written(order(), OverlayRule("BEG/BEG03", use="O"))


def test_a_segment_of_the_envelope_can_not_be_agreed() -> None:
    reading = taken(body(), OverlayRule("REF", segment="SE"))
    assert reading.error is not None
    assert "'SE' can't be the id of an agreed segment" in reading.error.text
