"""Nothing changes its place on the way through: a document that is read and written again has each segment and element where it
stood, and what was kept for its place binds nobody who changes the document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import MappingError
from hub.documents import Order, from_json, to_json
from hub.documents.identifiers import Identifiers
from hub.documents.parts import MonetaryAmount
from tests.golden.x12_transactions import document_of, written

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


@pytest.mark.parametrize(("name", "version", "segments"), PLACES)
def test_each_segment_and_element_is_written_where_it_stood(name: str, version: str, segments: list[str]) -> None:
    document = document_of(name, segments, version)
    assert written(document, name, version) == segments
    assert written(from_json(to_json(document)), name, version) == segments


def changed(document: Order, **fields: Any) -> list[str]:
    return written(document.model_copy(update=fields), "850")


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
