"""What retail sends: quantities by store, periods, taxes of charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import MappingError
from hub.core.ports import BytesBody
from hub.documents.parts.parts import Milestone
from tests.golden.x12_transactions import document_of, interchange, read_one, written
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage

SDQ = ["SDQ*EA*92*0012*10*0014*20", "SDQ*CA**AA*1*BB*2*CC*3*DD*4*EE*5*FF*6*GG*7*HH*8*II*9*JJ*10*LOC"]
TEN = dict(zip(("AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH", "II", "JJ"), map(str, range(1, 11)), strict=True))


def sets(version: str, day: str) -> dict[str, tuple[list[str], str]]:
    """Each set with the segment in it, and the way to the part that has the distributions."""
    found = {
        "850": ([f"BEG*00*SA*P1**{day}", "PO1**1*EA*5**VN*A", *SDQ, "CTT*1"], "lines"),
        "855": ([f"BAK*00*AC*P1*{day}", "PO1**1*EA*5**VN*A", *SDQ, "CTT*1"], "lines"),
        "860": ([f"BCH*04*SA*P1***{day}", "POC*1*CA*1*1*EA*5**VN*A", *SDQ, "CTT*1"], "lines"),
        "810": ([f"BIG*{day}*I1", "IT1**1*EA*5**VN*A", *SDQ, "TDS*500", "CTT*1"], "lines"),
        "856": ([f"BSN*00*S1*{day}*0930", "HL*1**S*0", *SDQ, "CTT*1"], "levels"),
        "940": (["W05*N*1", "LX*1", *SDQ, "W01*1*EA**VN*A", "W76*1"], "groups"),
    }
    detail = ["W05*N*1", "LX*1", "W01*1*EA**VN*A", "LS*LX", "LX*1", *SDQ, "LE*LX", "W76*1"]
    return found | {"940 detail": (detail, "groups.lines.details")}


@pytest.mark.parametrize("version", ["003040", "004010", "005010"])
@pytest.mark.parametrize("name", sets("", ""))
def test_quantities_by_store_are_distributions_of_the_line(name: str, version: str) -> None:
    segments, path = sets(version, "260105" if version < "004010" else "20260105")[name]
    part: Any = document_of(name[:3], segments, version)
    document = part
    for step in path.split("."):
        part = getattr(part, step)[0]
    first, second = part.distributions
    assert (first.unit, first.qualifier, dict(first.quantities)) == ("EA", "92", {"0012": "10", "0014": "20"})
    assert (second.unit, second.qualifier, dict(second.quantities), second.location) == ("CA", None, TEN, "LOC")
    assert not document.extras
    assert written(document, name[:3], version) == segments


def line(segment: str) -> list[str]:
    return ["BEG*00*SA*P1**20260105", "PO1**1*EA*5**VN*A", segment, "CTT*1"]


def test_a_store_that_stands_twice_is_told_and_kept() -> None:
    reading = read_one("850", line("SDQ*EA*92*0012*10*0012*20"))
    document: Any = reading.document
    assert dict(document.lines[0].distributions[0].quantities) == {"0012": "10"}
    assert reading.warnings == ("SDQ: an id stands twice; quantities has its first value, and extras all of them",)
    assert written(document, "850") == line("SDQ*EA*92*0012*10*0012*20")


@pytest.mark.parametrize(
    ("segment", "code", "element"),
    [
        ("SDQ*EA*92*0012*10*0014", "2", "SDQ06"),
        ("SDQ*EA*92*0012*TEN", "6", "SDQ04"),
        ("SDQ**92*0012*10", "1", "SDQ01"),
        ("SDQ*EA*92", "1", "SDQ03"),
    ],
)
def test_a_broken_distribution_is_refused(segment: str, code: str, element: str) -> None:
    error = read_one("850", line(segment)).error
    assert error is not None
    assert (error.x12_code, error.element) == (code, element)


DAYS = {"date": "2026-01-10", "until": "2026-01-15"}
PERIODS = [
    ("RD8*20260110-20260115", DAYS),
    ("RD6*260110-260115", DAYS | {"format": "RD6"}),
    ("D8*20260110", {"date": "2026-01-10", "format": "D8"}),
    ("D6*260110", {"date": "2026-01-10", "format": "D6"}),
    ("DT*202601101200", {"date": "2026-01-10", "time": "1200", "format": "DT"}),
]


def dated(segment: str, version: str) -> list[str]:
    day = "260105" if version < "004010" else "20260105"
    return [f"BEG*00*SA*P1**{day}", segment, "PO1**1*EA*5**VN*A", "CTT*1"]


@pytest.mark.parametrize(("version", "before"), [("003040", "DTM*002*****"), ("004010", "DTM*002****")])
@pytest.mark.parametrize(("text", "fields"), PERIODS)
def test_a_period_in_one_text_is_a_range_of_days(version: str, before: str, text: str, fields: dict[str, str]) -> None:
    segments = dated(before + text, version)
    document: Any = document_of("850", segments, version)
    assert document.dates[0].model_dump(mode="json", exclude_defaults=True) == fields | {
        "purpose": "delivery_requested"
    }
    assert not document.extras
    assert written(document, "850", version) == segments
    assert str(document.delivery_requested) == "2026-01-10"


@pytest.mark.parametrize(("text", "fields"), PERIODS)
def test_a_period_of_dtp_is_a_range_too(text: str, fields: dict[str, str]) -> None:
    segments = ["BSN*00*S1*20260105*0930", "HL*1**S*0", "CLD*1*2", f"DTP*011*{text}", "CTT*1"]
    document: Any = document_of("856", segments)
    (day,) = document.levels[0].loads[0].dates
    assert day.model_dump(mode="json", exclude_defaults=True) == fields | {"purpose": "shipped"}
    assert written(document, "856") == segments


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("RD8*20260115-20260110", True),
        ("RD8*20260110", True),
        ("RD8*20260110-20260230", True),
        ("DT*20260110", True),
        ("D8*260110", True),
        ("TM*1200", False),
        ("UN*WHENEVER", False),
    ],
)
def test_a_text_that_is_no_period_is_kept_and_one_against_its_format_is_told(text: str, warned: bool) -> None:
    for name, segments in (
        ("850", dated(f"DTM*002****{text}", "004010")),
        ("856", ["BSN*00*S1*20260105*0930", "HL*1**S*0", "CLD*1*2", f"DTP*011*{text}", "CTT*1"]),
    ):
        reading = read_one(name, segments)
        assert reading.document is not None
        assert bool(reading.warnings) is warned
        assert [extra.elements[-1] for extra in reading.document.extras] == [text.partition("*")[2]]
        assert written(reading.document, name) == segments


def test_a_range_beside_a_date_of_its_own_is_kept_whole() -> None:
    for segment in ("DTM*002*20260110***RD8*20260110-20260115", "DTM*002**1530**RD8*20260110-20260115"):
        document: Any = document_of("850", dated(segment, "004010"))
        assert document.dates[0].until is None
        assert written(document, "850") == dated(segment, "004010")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"until": "2026-01-15"}, "dates[0].until: a period needs the day that it begins on (DTM06)"),
        (
            {"date": "2026-01-15", "until": "2026-01-10"},
            "dates[0].until: the period ends on 2026-01-10, before it begins on 2026-01-15 (DTM06)",
        ),
        ({"date": "2026-01-15", "format": "DT"}, "dates[0].format: the format DT (CCYYMMDDHHMM) can't say it (DTM06)"),
        (
            {"date": "2026-01-15", "format": "WEEK"},
            "dates[0].format: 'WEEK' is no format of dates that we write: D6, D8, DT, RD6, RD8 (DTM06)",
        ),
    ],
)
def test_a_range_that_cant_be_written_is_refused_by_its_field(fields: dict[str, str], error: str) -> None:
    document: Any = document_of("850", dated("DTM*002*20260110", "004010"))
    day = Milestone.model_validate({"purpose": "shipped"} | fields)
    with pytest.raises(MappingError) as refused:
        written(document.model_copy(update={"dates": (day,)}), "850")
    assert str(refused.value) == error


def test_the_lineage_of_a_range_names_its_text() -> None:
    body = BytesBody(interchange("850", dated("DTM*002****RD8*20260110-20260115", "004010")))
    found = list(events(body))
    header = next(event.header for event in found if event.header)
    origins = lineage(next(event for event in found if event.kind == "ST"), header.delimiters, "004010")
    days = [(o.field, o.element, o.text) for o in origins if o.field.startswith("dates")]
    assert days == [
        ("dates[0].purpose", 1, "002"),
        ("dates[0].date", 6, "20260110"),
        ("dates[0].until", 6, "20260115"),
    ]
    assert all(body.data[o.start : o.end].decode() == o.text for o in origins)


CHARGE, TAX = "SAC*C*D240***1000", "TXI*ST*0.8*8"


def invoice(*line: str, end: tuple[str, ...] = ()) -> list[str]:
    return ["BIG*20260105*I1", "IT1*1*10*EA*5**VN*A", "TXI*ST*4*8", *line, "TDS*0", "TXI*GS*1", *end, "CTT*1"]


@pytest.mark.parametrize("version", ["003040", "004010", "004020", "004030", "005010"])
def test_a_tax_behind_a_charge_belongs_to_it_and_counts(version: str) -> None:
    segments = [
        text.replace("20260105", "260105") if version < "004010" else text
        for text in invoice(CHARGE, TAX, "TXI*GS*0.2", "SAC*A*C310***500", "TXI*ST*0.4", end=(CHARGE, "TXI*ST*0.9"))
    ]
    document: Any = document_of("810", segments, version)
    line, whole = document.lines[0], document.adjustments[0]
    assert [[(t.type, str(t.amount)) for t in one.taxes] for one in line.adjustments] == [
        [("ST", "0.8"), ("GS", "0.2")],
        [("ST", "0.4")],
    ]
    assert ([str(t.amount) for t in line.taxes], [str(t.amount) for t in whole.taxes]) == (["4"], ["0.9"])
    assert not document.extras
    assert written(document, "810", version) == segments
    unstated = document.model_copy(update={"totals": document.totals.model_copy(update={"amount": None})})
    goods, charges, taxes = Decimal(50), Decimal(10) - Decimal(5) + Decimal(10), Decimal("4") + Decimal("1")
    assert unstated.total == goods + charges + taxes + Decimal("0.8") + Decimal("0.2") - Decimal("0.4") + Decimal("0.9")


@pytest.mark.parametrize(
    ("charge", "tax", "adds"),
    [
        ("SAC*C*D240***1000", "TXI*ST*0.8", "10.8"),
        ("SAC*C*D240***1000", "TXI*ST*0.8*****I", "10"),
        ("SAC*C*D240***1000", "TXI*ST*0.8*****O", "10"),
        ("SAC*A*C310***1000", "TXI*ST*0.8", "-10.8"),
        ("SAC*A*C310***1000*******01", "TXI*ST*0.8", "0"),
        ("SAC*N*D240***1000", "TXI*ST*0.8", "0"),
    ],
)
def test_a_tax_counts_as_its_charge_does(charge: str, tax: str, adds: str) -> None:
    segments = ["BIG*20260105*I1", "IT1*1*10*EA*5**VN*A", charge, tax, "TDS*0", "CTT*1"]
    document: Any = document_of("810", segments)
    totals = document.totals.model_copy(update={"amount": None})
    assert document.model_copy(update={"totals": totals}).total == 50 + Decimal(adds)
    right = Decimal(5000) + 100 * Decimal(adds)
    assert not read_one("810", [*segments[:4], f"TDS*{right:.0f}", "CTT*1"]).warnings
    assert read_one("810", [*segments[:4], f"TDS*{right + 5:.0f}", "CTT*1"]).warnings
