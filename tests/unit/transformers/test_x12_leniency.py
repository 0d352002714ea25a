"""`errors: accept`: every transaction that gives a document is taken, and what could not be read of it is kept in its
extras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId, OverlayRule
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, FileBody, Reading
from hub.documents import FunctionalAcknowledgment, Order, from_json, to_json
from tests.golden.x12_files import SAMPLES
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.writing.writer import write_interchange

STRICT = Agreement(
    "ACME", (InterchangeId("01", "043645501"),), InterchangeId("01", "068717859"), acknowledge=Acknowledge()
)
ACCEPTS = replace(STRICT, acknowledge=Acknowledge(errors="accept"))
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


def under(agreement: Agreement, data: bytes | Path) -> tuple[Reading, FunctionalAcknowledgment]:
    body = BytesBody(data) if isinstance(data, bytes) else FileBody(data)
    found = list(X12Reader(PartnerDirectory([agreement])).read(body))
    (reading,) = [r for r in found if r.envelope.get("direction") != "outbound"]
    (answer,) = [r.document for r in found if isinstance(r.document, FunctionalAcknowledgment)]
    return reading, answer


def broken(old: str, new: str, extra: Sequence[str] = ()) -> bytes:
    one = transaction("4711", 2, extra=extra)
    changed = [
        part for segment in one for part in (segment.replace(old, new).split("~") if old in segment else [segment])
    ]
    changed[-1] = f"SE*{len(changed)}*0001"
    return interchange([changed]).encode()


# what is wrong, the code that says so in the 997, and what is kept of it in extras (segment and place)
TAKEN = [
    ("AK304 1", "CUR*BY*USD", "CUR*BY*USD~QQ9*X", "QQ9 "),
    ("AK304 1", "CUR*BY*USD", "CUR*BY*USD~*480*CA", " "),
    ("AK304 6", "CUR*BY*USD", "CUR*BY*USD~HL*1**S", "HL "),
    ("AK304 7", "CTT*2", "CUR*BY*USD~CTT*2", "CUR PO1[2]/PID[1]"),
    ("AK304 5", "CUR*BY*USD", "CUR*BY*USD~CUR*BY*USD", "CUR "),
    ("AK403 1", "BEG*00*SA", "BEG*00*", ""),
    ("AK403 1", "CUR*BY*USD", "CUR*BY*USD~REF**A-1", "REF "),
    ("AK403 1", "CUR*BY*USD", "CUR*BY*USD~DTM**20260309", ""),
    ("AK403 1", "PID*F*", "PID**", ""),
    ("AK403 1", "CTT*2", "AMT**5~REF*DP*1~CTT*2", "AMT PO1[2],REF PO1[2]"),
    ("AK403 1", "CTT*2", "CTT*2~AMT*TT", "AMT CTT[1]"),
    ("AK403 2", "PO1*1*24*EA", "PO1*1**EA", ""),
    ("AK403 2", "CUR*BY*USD", "CUR*BY*USD~PER*IC*DESK**desk@acme.example", "PER "),
    ("AK403 3", "CUR*BY*USD", "CUR*BY*USD" + "*" * 20 + "X", "CUR "),
    ("AK403 4", "CUR*BY*USD", "CUR*BY*US", ""),
    ("AK403 5", "CUR*BY*USD", "CUR*BY*USDX", ""),
    ("AK403 6", "PO1*1*24*EA", "PO1*1*2x4*EA", "PO1 PO1[1]"),
    ("AK403 6", "CUR*BY*USD", "CUR*BY*USD~REF*DP*A\x01B", "REF "),
    ("AK403 8", "20260302", "20260232", "BEG "),
    ("AK403 9", "CUR*BY*USD", "CUR*BY*USD~DTM*002*20260309*2561", "DTM "),
]


@pytest.mark.parametrize(("code", "old", "new", "kept"), TAKEN)
def test_each_code_that_still_gives_a_document_is_taken_and_acknowledged_with_e(
    code: str, old: str, new: str, kept: str
) -> None:
    data = broken(old, new)
    refused, answer = under(STRICT, data)
    assert refused.document is None
    assert answer.transactions[0].status == "R"
    segment, *_ = answer.transactions[0].segments
    said = f"AK304 {segment.code}" if segment.code != "8" else f"AK403 {segment.elements[0].code}"
    assert said == code
    reading, answer = under(ACCEPTS, data)
    assert isinstance(reading.document, Order), reading.error
    assert reading.document.number == "4711"
    assert len(reading.document.lines) == 2
    assert reading.document.lines[1].products == {"UP": "036000291452", "VN": "HMR-16OZ"}
    assert answer.transactions[0].status == "E"
    assert [f"{e.segment} {e.within}" for e in reading.document.extras] == (kept.split(",") if kept else [])
    assert reading.warnings
    assert from_json(to_json(reading.document)) == reading.document


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BEG*00*SA*4711", "BEG*00*SA*"),
        ("BEG*00*SA*4711**20260302", "BEX*1"),
        ("CTT*2", "AMT*1*5*X~CTT*2"),
    ],
)
def test_what_gives_no_document_stays_refused(old: str, new: str) -> None:
    reading, answer = under(ACCEPTS, broken(old, new))
    assert reading.document is None
    assert answer.transactions[0].status == "R"


@pytest.mark.parametrize(("old", "new"), [("SE*", "SE*9"), ("*0001~\nGE", "*0002~\nGE")])
def test_what_is_wrong_with_the_envelope_of_a_transaction_stays_refused(old: str, new: str) -> None:
    reading, _ = under(ACCEPTS, interchange([transaction("4711")]).replace(old, new).encode())
    assert reading.document is None


def test_a_loop_without_its_mandatory_segment_and_a_segment_that_we_dont_take_from_them() -> None:
    agreed = replace(ACCEPTS, overlays={"850": (OverlayRule("CUR", use="X"),)})
    reading, _ = under(agreed, interchange([transaction("4711")]).encode())
    assert isinstance(reading.document, Order)
    assert [e.segment for e in reading.document.extras] == ["CUR"]


@pytest.mark.parametrize(
    ("line", "products", "kept"),
    [
        ("PO1*1*24*EA*12.75*PE*UP*036000291452*VN", {"UP": "036000291452"}, ("", "", "", "", "", "", "", "VN")),
        ("PO1*1*24*EA*12.75*PE*VN**UP*036000291452", {"UP": "036000291452"}, ("", "", "", "", "", "VN")),
        ("PO1*1*24*EA*12.75*PE*VN", {}, ("", "", "", "", "", "VN")),
        ("PO1*1*24*EA*12.75*PE*VN**BP**UP*1", {"UP": "1"}, ("", "", "", "", "", "VN", "", "BP")),
    ],
)
def test_a_qualifier_without_its_id_is_kept_alone_and_writes_no_second_segment(
    line: str, products: dict[str, str], kept: tuple[str, ...]
) -> None:
    data = broken("PO1*1*24*EA*12.75*PE*UP*036000291452*VN*HMR-16OZ", line)
    refused, _ = under(STRICT, data)
    assert refused.error is not None
    assert refused.error.findings[0].code == "2"
    reading, answer = under(ACCEPTS, data)
    assert isinstance(reading.document, Order)
    assert answer.transactions[0].status == "E"
    assert reading.document.lines[0].products == products
    assert reading.document.lines[0].quantity == 24
    (extra,) = reading.document.extras
    assert (extra.segment, extra.elements, extra.within, extra.position) == ("PO1", kept, "PO1[1]", 4)
    written = write_interchange([reading.document], STRICT, 7, AT).body
    assert written.count(b"~PO1*") == 2
    assert b"VN**" not in written


def test_an_id_without_its_qualifier_is_kept_alone_and_never_written_as_something_else() -> None:
    reading, _ = under(ACCEPTS, broken("*VN*HMR-16OZ", "**HMR-16OZ"))
    assert isinstance(reading.document, Order), reading.error
    assert [line.products for line in reading.document.lines] == [{"UP": "036000291452"}] * 2
    assert [extra.elements[-1] for extra in reading.document.extras] == ["HMR-16OZ"] * 2
    with pytest.raises(MappingError, match=r"^extras\[0\]: PO1"):
        write_interchange([reading.document], STRICT, 7, AT)


def test_a_part_that_cant_be_is_left_out_and_its_neighbors_keep_their_places() -> None:
    charges = "SAC*C*D240***100~SAC**C310***200~SAC*A*C310***300*******ZZZ"
    reading, _ = under(ACCEPTS, broken("CTT*2", f"{charges}~CTT*2"))
    assert isinstance(reading.document, Order), reading.error
    assert [one.amount for one in reading.document.lines[1].adjustments] == [1, 3]
    assert [(one.segment, one.within, one.position) for one in reading.document.extras] == [("SAC", "PO1[2]", 9)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("PO1*1*24*EA", "PO1*1*2x4*EA", r"^extras\[0\]"),
        ("CUR*BY*USD", "CUR*BY*USD~*480*CA", r"^extras\[0\] \(a segment without an id in the header\) has no place"),
    ],
)
def test_what_is_kept_whole_is_refused_by_its_name_when_it_is_written(old: str, new: str, said: str) -> None:
    reading, _ = under(ACCEPTS, broken(old, new))
    assert reading.document is not None
    with pytest.raises(MappingError, match=said):
        write_interchange([reading.document], STRICT, 7, AT)


def test_hundreds_of_faults_are_all_understood_and_the_warnings_are_bounded() -> None:
    lines = ["PO1**1*EA*1**VN" for _ in range(300)]
    one = ["ST*850*0001", "BEG*00*SA*4711**20260302", *lines, "CTT*300"]
    data = interchange([[*one, f"SE*{len(one) + 1}*0001"]]).encode()
    reading, answer = under(ACCEPTS, data)
    assert isinstance(reading.document, Order)
    assert len(reading.document.lines) == len(reading.document.extras) == 300
    assert {extra.within for extra in reading.document.extras} == {f"PO1[{n}]" for n in range(1, 301)}
    assert len(reading.warnings) == 101
    assert len(answer.transactions[0].segments) == 300


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of public samples (../shared/samples) isn't here")
def test_the_shared_inventory_is_read_with_the_term_and_refused_with_its_name() -> None:
    (path,) = (SAMPLES / "846").glob("*inventory*")
    isa = path.read_bytes()[:106].decode("latin-1").split("*")
    who = (InterchangeId(isa[5].strip(), isa[6].strip()),)
    refused, _ = under(replace(STRICT, ids=who), path)
    assert refused.error is not None
    assert "`errors: accept` in the agreement would take it" in refused.error.text
    reading, answer = under(replace(ACCEPTS, ids=who), path)
    assert reading.document is not None
    assert reading.document.kind == "inventory_advice"
    assert answer.transactions[0].status == "E"
