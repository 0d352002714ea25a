"""Nothing changes its place on the way through: a document that is read and written again has each segment and element
where it stood, and what was kept for its place binds nobody who changes the document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document, Order, from_json, to_json
from hub.documents.parts.identifiers import Identifiers
from hub.documents.parts.parts import MonetaryAmount
from tests.golden.x12_transactions import document_of, interchange, read_one, written
from transformers.x12 import X12Reader

ORDER = "BEG*00*SA*P1**20260105"
LINE = "PO1**1*EA*5**VN*AB-1"
CHANGE = ["BCH*04*SA*P1***20260105", "POC*1*CA*1*1*EA*5**VN*AB-1"]
INVOICE = ["BIG*20260105*I1", "IT1**1*EA*5**VN*AB-1"]


def order(*head: str, line: tuple[str, ...] = (), end: tuple[str, ...] = (), first: str = ORDER) -> list[str]:
    return [first, *head, LINE, *line, "CTT*1", *end]


PLACES = [
    # amounts of the header and of the end, of every qualifier
    ("850", "004010", order("AMT*TT*5")),
    ("850", "004010", order(end=("AMT*TT*5",))),
    ("850", "004010", order(end=("AMT*1*5",))),
    ("850", "004010", order("AMT*TT*5", "AMT*1*6", "AMT*TT*7", end=("AMT*1*6",))),
    ("850", "005010", order("AMT*1*5", line=("AMT*1*5",), end=("AMT*1*5",))),
    ("860", "004010", [CHANGE[0], "AMT*TT*5", "AMT*1*6", CHANGE[1], "CTT*1", "AMT*1*6", "AMT*TT*5", "AMT*1*7"]),
    # the text of a note: in N9, behind it, in both
    ("850", "004010", order("N9*L1**ONE")),
    ("850", "004010", order("N9*L1**ONE", "MSG*TWO", "MSG*THREE")),
    ("850", "004010", order("N9*L1*REF", "MSG*ONE")),
    ("850", "004010", order("N9*L1*REF*ONE")),
    ("850", "004010", order("N9*L1*REF*ONE", "MSG*ONE", "MSG*TWO")),
    ("850", "004010", order(line=("MSG*ONE", "N9*L1**TWO", "MSG*THREE", "N9*L1**FOUR"))),
    ("850", "005010", order(line=("MTX*ABC*ONE", "N9*ABC**ONE", "N9*ABC**TWO", "MTX**THREE", "N9*L1**FOUR"))),
    ("810", "004010", [INVOICE[0], "NTE*GEN*ONE", "N9*GEN*REF*TWO", "MSG*THREE", INVOICE[1], "TDS*500", "CTT*1"]),
    (
        "850",
        "003040",
        order("NTE*GEN*ONE", "N9*GEN**ONE", "N9*GEN**TWO", "N9*L1*R", "MSG*A", first="BEG*00*SA*P1**260105"),
    ),
    # lists over segments that aren't full
    ("850", "004010", order("N1*ST*ABC", "N2*A", "N2*B", "N3*A", "N3*A")),
    ("850", "004010", order("N1*ST*ABC", "N3*A", "N3*B*C", "N1*BT*ABC", "N3*A*B", "N3*C")),
    ("940", "005010", ["W05*N*1", "W6*HM", "W6*KF*FR*AA", "W6*BB", "LX*1", "W01*1*EA**VN*AB-1", "W76*1"]),
    # an hour without a date has no purpose
    ("875", "004010", ["G50*N*20260105*P1", "G62***8*1200", "N1*ST*ABC", "G68*1*CA*1**VN*A", "G76*1*CA"]),
    # pairs behind a gap
    ("850", "004010", [ORDER, "PO1**1*EA*5****VN*AB-1***UP*036000291452", "CTT*1"]),
    ("850", "004010", order("PER*BD*JOE***EM*A@B.C", line=("SDQ*EA*92*0012*10***0014*3***0016*4***********LOC",))),
    ("810", "004010", [INVOICE[0], "IT1*1*1*EA*807.5****IN*A-1*VN*852", "TDS*500", "CTT*1"]),
    ("856", "004010", ["BSN*00*S1*20260105*0930", "HL*1**I*0", "LIN**VN*A***UP*036000291452", "CTT*1"]),
]


RECEIPT = ["BRA*RV-1*20260311*00*1", "DTM*050*20260311"]
RELEASED = ["W05*N*1", "LX*1", "W01*1*EA**VN*AB-1", "W76*1"]
NOTICE = ["BSN*00*S1*20260105*0930", "HL*1**S*1", "HL*2*1*I*0", "LIN**VN*A", "SN1**5*EA"]
TENDER = ["B2**SCAC**S1**PP", "B2A*00", "N7**T1", "S5*1*LD", "L11*A*BM"]


def received(line: str, totals: str = "CTT*1") -> list[str]:
    return [*RECEIPT, line, "LIN**UK*1", totals]


def released(*handling: str) -> list[str]:
    return [RELEASED[0], *handling, *RELEASED[1:]]


def tendered(*seals: str) -> list[str]:
    return [*TENDER[:3], *seals, *TENDER[3:]]


LISTS = [
    # elements of a list behind a gap, the same text again, a full segment behind one that isn't
    ("204", "004010", tendered("M7*AA*BB**CC")),
    ("204", "004010", tendered("M7*AA***BB", "M7*CC**DD")),
    ("204", "004010", tendered("M7*AA*BB***SH", "M7*CC")),
    ("940", "005010", released("W6*HM**KF")),
    ("940", "005010", released("W6*HM*AA*BB*CC", "W6*HM***AA")),
    ("940", "005010", released("W6*HM***AA", "W6*HM*AA*BB*CC", "W6*HM*AA")),
    ("940", "005010", released("W6*HM", "W6*HM*HM", "W6*HM")),
    ("940", "005010", released("W6*HM", "W6*HM", "W6*HM*HM*HM*HM", "W6*HM")),
    ("850", "004010", order("N1*ST*ABC", "N2*A", "N2*A*A", "N3*A*A", "N3*A")),
    ("997", "004010", ["AK1*PO*1", "AK2*850*0001", "AK5*R**5*1", "AK9*R*1*1*0**1"]),
]
PARTS = [
    # parts behind a gap, in the places of others, without the first of their elements
    ("861", "004010", received("RCD*1*10*CA***1*CA*01****1*CA*02")),
    ("861", "004010", received("RCD*1*10*CA***1*CA*01****1*CA*01")),
    ("861", "004010", received("RCD*1*10*CA************1*CA*02")),
    ("861", "004010", received("RCD*1*10*CA*****01")),
    ("861", "004010", received("RCD*1*10*CA***1*CA*01***01*1*CA*02")),
    ("850", "004010", order(line=("SCH*1*EA***002*20260105**010*20260107",))),
    # composites and elements that no field holds, beside segments that fields hold whole
    ("850", "004010", order("REF*L1**TEXT", "REF*L1*R*TEXT*L1>R2", "REF*L1*R**L1>R2")),
    ("850", "004010", order("N9*L1*R**20260105", "MSG*TWO", "N9*L1*R*ONE*20260105*0930*ED*L1>R2", "N9*L1**ONE")),
    ("940", "004010", [RELEASED[0], "N9*BM**TEXT", "N9*BM*R*TEXT*20260105", "N9*BM**TEXT*20260105", *RELEASED[1:]]),
    ("850", "005010", order("N1*ST*ABC", "N4****US***WA")),
    ("850", "005010", order("N1*ST*ABC", "N4*SEATTLE***US***WA", "N4*TACOMA***US***WA", "N4*YAKIMA*WA")),
    ("850", "005010", order("N1*ST*ABC", "N4*SEATTLE", "N4*SEATTLE***US***WA")),
    (
        "832",
        "004010",
        ["BCT*PC*1", "CUR*SE*USD*1.2345****007*20260101", "CUR*BY*CAD*1.2345", "LIN**VN*A", "CTP**WHL*5", "CTT*1"],
    ),
]
COUNTED = [
    # a count, or a sum, in a segment of which no field holds the rest
    ("846", "004010", ["BIA*00*MB*R1*20260105", "LIN**VN*A", "QTY*33*5*EA", "CTT*1*5*10*LB"]),
    ("846", "004010", ["BIA*00*MB*R1*20260105", "LIN**VN*A", "QTY*33*5*EA", "CTT*1**10*LB"]),
    ("856", "004010", [*NOTICE, "CTT*2*5*10*LB*2*CF*TEXT"]),
    ("861", "004010", received("RCD*1*10*CA", "CTT*1*10*10*LB")),
    (
        "880",
        "004010",
        ["G01*20260105*I1", "N1*ST*ABC*9*123", "G17*1*CA*5*036000291452", "G31*1*CA*10*LB*2*CF*1*EA", "G33*500"],
    ),
]


LEVELS = [
    # levels whose ids count up where the tree doesn't: an item of the first order behind the second order; and the
    # other way round
    ["HL*1**S*1", "HL*2*1*O*1", "HL*3*1*O*1", "HL*4*2*I*0", "LIN**VN*A", "HL*5*3*I*0", "LIN**VN*B"],
    ["HL*1**S*1", "HL*2*1*O*1", "HL*4*2*I*0", "LIN**VN*A", "HL*3*2*I*0", "LIN**VN*B", "HL*5*1*O*0"],
    ["HL*7**S*1", "HL*2*7*O*1", "HL*1*2*I*0", "LIN**VN*A", "HL*3*2*I*0", "LIN**VN*B"],
    # ids that say nothing of the order, and segments that no field holds: each stays with its level
    [
        "HL*1**S*1",
        "HL*2*1*O*1",
        "HL*4*1*O*1",
        "HL*5*4*I*0",
        "LIN**VN*A",
        "CUR*SE*USD",
        "HL*3*2*I*0",
        "LIN**VN*B",
        "CUR*SE*CAD",
    ],
    ["HL*A**S*1", "HL*B*A*O*1", "HL*C*A*O*1", "HL*E*C*I*0", "LIN**VN*A", "HL*D*B*I*0", "LIN**VN*B", "CUR*SE*CAD"],
]


@pytest.mark.parametrize(
    ("name", "version", "segments"),
    [
        *PLACES,
        *LISTS,
        *PARTS,
        *COUNTED,
        *(
            ("856", "004010", [NOTICE[0], *levels, f"CTT*{sum(one.startswith('HL') for one in levels)}"])
            for levels in LEVELS
        ),
    ],
)
def test_each_segment_and_element_is_written_where_it_stood(name: str, version: str, segments: list[str]) -> None:
    document = document_of(name, segments, version)
    assert written(document, name, version) == segments
    assert written(from_json(to_json(document)), name, version) == segments


TAKEN = [
    (["SCH*1*EA******002*20260105"], ["SCH*1*EA***002*20260105"]),
    (["SCH*1*EA******002*20260105", "SCH*2*EA***002*20260105"], ["SCH*1*EA***002*20260105", "SCH*2*EA***002*20260105"]),
    (["N1*ST*ABC", "N2**AA", "N2*BB"], ["N1*ST*ABC", "N2*AA", "N2*BB"]),
]


@pytest.mark.parametrize(("wrong", "right"), TAKEN)
def test_a_gap_in_place_of_a_mandatory_element_is_taken_with_errors_and_closed_by_writing(
    wrong: list[str], right: list[str]
) -> None:
    assert read_one("850", order(line=tuple(wrong))).error is not None
    accepting = Agreement("ACME", (InterchangeId("01", "043645501"),), acknowledge=Acknowledge(errors="accept"))
    reader = X12Reader(PartnerDirectory([accepting]))
    (reading, *_) = reader.read(BytesBody(interchange("850", order(line=tuple(wrong)))))
    assert reading.document is not None
    assert [one for one in written(reading.document, "850") if one in right] == right


def test_what_is_kept_whole_of_parts_is_no_value_without_its_part() -> None:
    """The first element of a part is missing, so that no field holds the others: nobody may drop them."""
    document = document_of("861", received("RCD*1*10*CA*****01"))
    (line,) = document.lines
    assert line.discrepancies == ()
    (extra,) = document.extras
    assert (extra.segment, extra.kept_for) == ("RCD", None)


def test_a_kept_segment_whose_parts_have_changed_is_named() -> None:
    document = document_of("861", received("RCD*1*10*CA***1*CA*01***01*1*CA*02"))
    (line,) = document.lines
    other = line.model_copy(update={"discrepancies": line.discrepancies[::-1]})
    with pytest.raises(MappingError, match=r"^extras\[0\]: RCD agrees with nothing that the document's fields say$"):
        changed(document, "861", lines=(other,))


def test_parts_that_have_changed_stand_without_the_gap() -> None:
    document = document_of("861", received("RCD*1*10*CA***1*CA*01****1*CA*02"))
    (line,) = document.lines
    other = line.model_copy(update={"discrepancies": line.discrepancies[::-1]})
    assert "RCD*1*10*CA***1*CA*02*1*CA*01" in changed(document, "861", lines=(other,))


@pytest.mark.parametrize(("stated", "twice"), [("CTT*1**10*LB", "CTT*2**10*LB"), ("CTT*1*7*10*LB", "CTT*2*14*10*LB")])
def test_a_count_is_counted_also_in_a_segment_that_is_kept_whole(stated: str, twice: str) -> None:
    document = document_of("861", received("RCD*1*7*CA", stated))
    (extra,) = document.extras
    assert extra.elements == ("", "", "10", "LB")
    lines = document.lines * 2
    assert changed(document, "861", lines=lines)[-1] == twice
    old = extra.model_copy(update={"elements": tuple(stated.split("*")[1:])})  # as an older hub kept it
    assert changed(document, "861", lines=lines, extras=(old,))[-1] == twice


def test_texts_that_are_added_to_a_list_leave_the_others_where_they_stood() -> None:
    document = document_of("940", released("W6*HM**KF"), "005010")
    handling = document.handling

    def handled(*texts: str) -> list[str]:
        changed = document.model_copy(update={"handling": texts})
        return [one for one in written(changed, "940", "005010") if one.startswith("W6")]

    assert handled(*handling, "AA") == ["W6*HM**KF", "W6*AA"]
    assert handled("AA", *handling) == ["W6*AA", "W6*HM**KF"]
    assert handled("AA", "HM") == ["W6*AA*HM"]


def test_the_order_of_levels_binds_nobody_who_changes_the_tree() -> None:
    document = document_of("856", [NOTICE[0], *LEVELS[4], "CTT*5"])
    assert {(one.kept_for, one.elements) for one in document.extras} >= {("place", (id,)) for id in "ABCDE"}
    shipment = document.levels[0]
    less = shipment.model_copy(update={"levels": shipment.levels[:1]})
    left = changed(document, "856", levels=(less,), extras=tuple(one for one in document.extras if one.kept_for))
    assert left[1:] == ["HL*A**S*1", "HL*B*A*O*1", "HL*D*B*I*0", "LIN**VN*B", "CTT*3"]


def test_a_line_of_a_text_that_says_nothing_is_none() -> None:
    document = document_of("850", order("N9*L1*R", "MTX**ONE", "MTX", "MTX**TWO"), "005010")
    assert written(document, "850", "005010") == order("N9*L1*R", "MTX**ONE", "MTX**TWO")


def changed(document: Document, name: str = "850", **fields: Any) -> list[str]:
    return written(document.model_copy(update=fields), name)


def test_what_is_kept_for_its_place_binds_nobody_who_changes_the_document() -> None:
    document = document_of("850", order("AMT*TT*5", "N9*L1*REF*ONE", "N1*ST*ABC", "N3*A", "N3*B", end=("AMT*1*6",)))
    assert isinstance(document, Order)
    assert {extra.kept_for for extra in document.extras} == {"place"}
    total, lines = document.amounts
    more = total.model_copy(update={"value": lines.value})
    assert [one for one in changed(document, amounts=(more, lines)) if "AMT" in one] == ["AMT*TT*6", "AMT*1*6"]
    assert changed(document, amounts=(more,))[-2:] == ["CTT*1", "AMT*TT*6"]
    note = document.notes[0].model_copy(update={"text": "OTHER"})
    assert changed(document, notes=(note,))[2:4] == ["N9*L1*REF", "MSG*OTHER"]
    party = document.parties[0]
    assert party.address is not None
    moved = party.model_copy(update={"address": party.address.model_copy(update={"lines": ("C", "D")})})
    assert "N3*C*D" in changed(document, parties=(moved,))
    assert not [one for one in changed(document, amounts=(), notes=(), parties=()) if one[:3] in ("AMT", "N9*", "N3*")]


def test_ids_that_have_changed_stand_without_the_gap() -> None:
    document = document_of("850", [ORDER, "PO1**1*EA*5****VN*AB-1", "CTT*1"])
    assert isinstance(document, Order)
    line = document.lines[0].model_copy(update={"products": Identifiers({"VN": "AB-2"})})
    assert "PO1**1*EA*5**VN*AB-2" in changed(document, lines=(line,))


def test_more_amounts_than_the_end_has_room_for_stand_in_the_header() -> None:
    document = document_of("850", order())
    assert isinstance(document, Order)
    amounts = [MonetaryAmount(qualifier="TT", value=Decimal(n)) for n in (1, 2)]
    assert changed(document, amounts=tuple(amounts)) == order("AMT*TT*2", end=("AMT*TT*1",))


def test_a_place_that_an_extra_doesnt_know_is_no_error_but_a_segment_that_only_extras_hold_is() -> None:
    document = document_of("850", order(end=("AMT*1*5",)))
    (extra,) = document.extras
    assert "AMT*1*5" in written(
        document.model_copy(update={"extras": (extra.model_copy(update={"within": "X[1]"}),)}), "850"
    )
    lost = extra.model_copy(update={"within": "X[1]", "kept_for": None})
    with pytest.raises(MappingError, match=r"^extras\[0\] \(AMT in X\[1\]\) has no place in a 850$"):
        written(document.model_copy(update={"extras": (lost,)}), "850")
