"""Each release as it is: what stands where before 004010 and after, and the rules between elements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from hub.configuration.entries.agreements import agreement_of
from hub.configuration.files.partner_file import PartnerFile
from hub.core.agreement import Acknowledge, Agreement, InterchangeId, OverlayRule
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Order
from hub.documents.parts.parts import Milestone
from tests.golden.x12_transactions import AT, document_of, interchange, read_one, written
from transformers.x12 import X12Reader
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage
from transformers.x12.terms.agreement_check import agreement_problems
from transformers.x12.terms.departures import departures
from transformers.x12.writing.writer import write_interchange

OLD = ("003040", "003050", "003060", "003070")


def order(dated: str, version: str = "003040") -> list[str]:
    day = "260105" if version < "004010" else "20260105"
    return [f"BEG*00*SA*P1**{day}", dated, "PO1**10*EA*5.5**VN*AB-1", "CTT*1"]


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize(
    ("segment", "day"),
    [
        ("DTM*010*991231***19", date(1999, 12, 31)),
        ("DTM*010*991231***20", date(2099, 12, 31)),
        ("DTM*010*991231***18", date(1899, 12, 31)),
        ("DTM*010*260110*0930*ET*20", date(2026, 1, 10)),
    ],
)
def test_the_century_decides_the_year_and_is_written_again(version: str, segment: str, day: date) -> None:
    document = document_of("850", order(segment, version), version)
    assert isinstance(document, Order)
    assert document.dates[0].date == day
    assert not document.extras
    assert written(document, "850", version) == order(segment, version)


@pytest.mark.parametrize(
    ("name", "version", "segments", "field"),
    [
        ("940", "003040", ["W05*N*1", "G62*10*991231*U*0930*ET*18", "LX*1", "W01*1*EA**VN*A", "W76*1"], "appointments"),
        ("940", "003070", ["W05*N*1", "G62*10*991231****18", "LX*1", "W01*1*EA**VN*A", "W76*1"], "appointments"),
        ("214", "003070", ["B10*A*B*ABCD", "LX*1", "AT7*X1*NS***991231*18*0930*LT"], "details.statuses"),
        ("824", "003070", ["BGN*00*1*991231***X****18", "N1*ST*A", "OTI*TA*ZZ*1"], ""),
        ("850", "003070", ["BEG*00*SA*P1**991231>18", "PO1**1*EA*5**VN*A", "CTT*1"], ""),
        ("860", "003070", ["BCH*04*SA*P1***260105>20*****991231>18", "POC*1*DI", "CTT*1"], ""),
        ("214", "004010", ["B10*A*B*ABCD", "LX*1", "AT7*X1*NS***18991231*0930*LT"], "details.statuses"),
    ],
)
def test_every_segment_with_a_century_is_read_and_written(
    name: str, version: str, segments: list[str], field: str
) -> None:
    document: Any = document_of(name, segments, version)
    part = document
    for step in field.split(".") if field else ():
        part = getattr(part, step)[0]
    assert part.date == date(1899, 12, 31)
    assert written(document, name, version) == segments


def test_a_century_is_written_in_an_element_always_and_in_a_composite_where_the_date_needs_it() -> None:
    document = document_of("850", order("DTM*010*260110", "003070"), "003070")
    assert isinstance(document, Order)
    assert written(document, "850", "003070")[:2] == ["BEG*00*SA*P1**260105", "DTM*010*260110***20"]
    old = document.model_copy(
        update={"date": date(1899, 12, 31), "dates": (Milestone(purpose="shipped", date=date(2070, 1, 1)),)}
    )
    assert written(old, "850", "003070")[:2] == ["BEG*00*SA*P1**991231>18", "DTM*011*700101***20"]
    with pytest.raises(MappingError, match=r"^date: a date of six digits can't say 1899-12-31 \(BEG05\)$"):
        written(old, "850", "003060")


def test_an_agreement_without_centuries_gets_none() -> None:
    document = document_of("850", order("DTM*010*260110***20"), "003040")
    overlays = {"850": (OverlayRule("DTM/DTM05", use="X"),)}
    we, they = InterchangeId("01", "068717859"), InterchangeId("01", "043645501")
    agreement = Agreement("ACME", (they,), we, version="003040", send=("850",), overlays=overlays)
    assert b"DTM*010*260110~" in write_interchange([document], agreement, 1, AT).body


def test_a_segment_that_was_kept_whole_without_a_century_is_written_without_one() -> None:
    segments = order("DTM*010*260110****UN*PERIOD")
    assert written(document_of("850", segments, "003040"), "850", "003040") == segments


def test_the_lineage_of_a_date_names_its_century() -> None:
    (event,) = [
        e for e in events(BytesBody(interchange("850", order("DTM*010*991231***19"), "003040"))) if e.kind == "ST"
    ]
    header = next(e.header for e in events(BytesBody(interchange("850", order("DTM*010*991231***19")))) if e.header)
    origins = [o for o in lineage(event, header.delimiters, "003040") if o.field == "dates[0].date"]
    assert [(o.segment, o.element, o.text) for o in origins] == [("DTM", 2, "991231"), ("DTM", 5, "19")]


@pytest.mark.parametrize(
    ("version", "segment", "code", "place"),
    [
        ("003040", "DTM*010*000229***19", "8", "DTM02"),
        ("003040", "DTM*010*260110***2", "4", "DTM05"),
        ("003040", "DTM*010*260110***XX", "6", "DTM05"),
        ("003040", "DTM*010****19", "2", "DTM02"),
        ("003060", "DTM*010*****RD8", "2", "DTM07"),
        ("003060", "DTM*010****20*RD8*20260101-20260102*X", "3", "DTM08"),
        ("004010", "DTM*010****RD8", "2", "DTM06"),
        ("004010", "DTM*010*20260110***20", "2", "DTM06"),
        ("004010", "DTM*010*260110***20", "8", "DTM02"),
        ("004010", "DTM*010*20260110**ET", "2", "DTM03"),
    ],
)
def test_a_date_that_breaks_its_release_is_refused(version: str, segment: str, code: str, place: str) -> None:
    error = read_one("850", order(segment, version), version).error
    assert error is not None
    assert (error.x12_code, error.element) == (code, place)


def test_a_composite_date_that_is_no_day_is_refused_and_so_is_one_before_its_release() -> None:
    wrong = ["BEG*00*SA*P1**000229>19", *order("DTM*010*260110")[1:]]
    error = read_one("850", wrong, "003070").error
    assert error is not None
    assert (error.x12_code, error.element, "19000229" in error.text) == ("8", "BEG05-1", True)
    error = read_one("850", wrong, "003060").error
    assert error is not None
    assert (error.x12_code, error.element) == ("8", "BEG05")


NOTES = ["NTE**CALL BEFORE DELIVERY", "NTE*GEN*RING TWICE"]


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("850", "BEG*00*SA*P1**260105", "PO1**1*EA*5**VN*A"),
        ("855", "BAK*00*AC*P1*260105", "PO1**1*EA*5**VN*A"),
        ("860", "BCH*04*SA*P1***260105", "POC*1*CA*1*1*EA*5**VN*A"),
    ],
)
def test_notes_stand_behind_the_first_segment_until_003070(name: str, head: str, line: str) -> None:
    segments = [head, *NOTES, line, "CTT*1"]
    for version in ("003040", "003050", "003060"):
        document: Any = document_of(name, segments, version)
        assert [(n.kind, n.text) for n in document.notes] == [(None, "CALL BEFORE DELIVERY"), ("GEN", "RING TWICE")]
        assert written(document, name, version) == segments
    error = read_one(name, segments, "003070").error
    assert error is not None
    assert error.text.startswith("NTE isn't a segment of this transaction set")


def test_a_ship_notice_of_003040_may_have_notes_and_a_line_lead_times_and_an_amount() -> None:
    notice = ["BSN*00*S1*260105*0930*0001", "NTE**HANDLE WITH CARE", "HL*1**S*0", "CTT*1"]
    assert written(document_of("856", notice, "003040"), "856", "003040") == notice
    assert read_one("856", notice, "003060").error is not None
    lines = ["BEG*00*SA*P1**260105", "PO1**1*EA*5**VN*A", "LDT*AF*5*DA", "AMT*1*5", "CTT*1"]
    document = document_of("850", lines, "003040")
    assert isinstance(document, Order)
    assert document.lines[0].amounts[0].qualifier == "1"
    assert written(document, "850", "003040") == lines
    assert read_one("850", lines).error is not None


@pytest.mark.parametrize("version", [*OLD, "004010", "004030", "005010"])
@pytest.mark.parametrize(
    ("line", "warning", "element"),
    [
        ("POC*1*PC***EA*12.5**VN*AB-1", None, None),
        ("POC*1*QI*5*2*EA*12.5**VN*AB-1", None, None),
        ("POC*1*QI*5**EA*12.5**VN*AB-1", "POC04 is missing: with POC03 it should be there (rule C030405)", None),
        ("POC*1*QI*5*2**12.5**VN*AB-1", None, "POC05"),
        ("POC*1*QI*5***12.5**VN*AB-1", None, "POC05"),
    ],
)
def test_a_changed_line_needs_a_unit_with_its_quantity_and_should_say_what_is_left(
    version: str, line: str, warning: str | None, element: str | None
) -> None:
    day = "260105" if version < "004010" else "20260105"
    reading = read_one("860", [f"BCH*04*SA*P1***{day}", line, "CTT*1"], version)
    assert (reading.error.element if reading.error else None) == element
    assert not element or "rule C030405" in str(reading.error)
    assert reading.warnings == ((warning,) if warning else ())


@pytest.mark.parametrize(
    ("versions", "segment", "at", "rule"),
    [
        (("004010", "005010"), "PO4*1*********5", "line", "C1013"),
        (("004010", "005010"), "PO4*1**********5", "line", "C1113"),
        (("004010", "005010"), "PO4*1***********5", "line", "C1213"),
        (("004010", "005010"), "PKG*****TEXT", "head", "C0501"),
        (("004010", "005010"), "TD3*TL*******LK**20FT", "head", "E0110"),
        (("005010",), "N4*TORONTO*ON**CA***ON", "party", "E0207"),
        (("005010",), "NM1*ST*1**********X", "schedule", "C1203"),
        (("005010",), "MEA***1*EA*******A*IN", "line", "E0412"),
    ],
)
def test_the_relations_between_elements_are_those_of_the_release(
    versions: tuple[str, ...], segment: str, at: str, rule: str
) -> None:
    for version in ("004010", "005010"):
        head = [segment] if at == "head" else ["N1*ST*ABC", segment] if at == "party" else []
        line = [segment] if at == "line" else []
        segments = ["BEG*00*SA*P1**20260105", *head, "PO1**1*EA*5**VN*A", *line, "CTT*1"]
        if at == "schedule":
            segments = ["BPR*I*1*C*ACH", "ENT*1", segment]
        reading = read_one("850" if at != "schedule" else "820", segments, version)
        assert (reading.error is not None and f"(rule {rule})" in str(reading.error)) == (version in versions), reading


def agreed(read_as: dict[str, str], **terms: Any) -> PartnerDirectory:
    return PartnerDirectory([Agreement("ACME", (InterchangeId("01", "043645501"),), read_as=read_as, **terms)])


MODERN = ["BEG*00*SA*P1**20260105", "DTM*010*20260110", "PO1**10*EA*5.5**VN*AB-1", "CTT*1"]


@pytest.mark.parametrize("read_as", [{"*": "004010"}, {"850": "004010"}, {"*": "003040", "850": "004010VICS"}])
@pytest.mark.parametrize("written", ["003040", "003060VICS", "002001", "999999"])
def test_a_partner_whose_gs08_is_wrong_is_read_as_agreed_and_acknowledged_as_they_wrote(
    read_as: dict[str, str], written: str
) -> None:
    body = BytesBody(interchange("850", MODERN).replace(b"*X*004010~", b"*X*" + written.encode() + b"~"))
    without = list(X12Reader(agreed({})).read(body))
    assert without[0].error is not None or written == "999999"
    partners = agreed(read_as, acknowledge=Acknowledge())
    order, answer = X12Reader(partners).read(body)
    assert order.error is None
    assert order.warnings == ()
    assert isinstance(order.document, Order)
    assert order.document.date == date(2026, 1, 5)
    assert (order.envelope["version"], answer.envelope["version"]) == (written, written)


def test_a_partner_who_writes_an_old_release_under_a_new_name_is_read_as_the_old_one() -> None:
    old = [text.replace("20260105", "260105").replace("20260110", "991231***19") for text in MODERN]
    body = interchange("850", old, "003040").replace(b"*X*003040~", b"*X*004010~")
    (order,) = X12Reader(agreed({"850": "003040"})).read(BytesBody(body))
    assert isinstance(order.document, Order)
    assert order.document.dates[0].date == date(1999, 12, 31)
    (refused,) = X12Reader(agreed({"856": "003040"})).read(BytesBody(body))
    assert refused.error is not None


def test_the_lineage_and_the_check_of_a_file_follow_read_as() -> None:
    body = BytesBody(interchange("850", MODERN).replace(b"*X*004010~", b"*X*003040~"))
    found = list(events(body))
    header = next(event.header for event in found if event.header)
    event = next(event for event in found if event.kind == "ST")
    agreement = Agreement("ACME", (InterchangeId("01", "043645501"),), version="004010", read_as={"*": "004010"})
    assert header is not None
    origins = lineage(event, header.delimiters, "003040", agreement)
    assert [o.text for o in origins if o.field == "dates[0].date"] == ["20260110"]
    assert [d.text for d in departures(body, agreement) if d.kind == "version"] == []
    told = [d.text for d in departures(body, replace(agreement, read_as={})) if d.kind == "version"]
    assert told == ["GS08 is '003040', and 004010 is agreed for the 850"]


@pytest.mark.parametrize(
    ("read_as", "receive", "path", "text"),
    [
        ({"*": "004019"}, (), ("x12", "read_as"), "read_as: there is no release 004019 that we know"),
        ({"850": "007010"}, (), ("x12", "read_as", "850"), "read_as: 850: there is no release 007010 that we know"),
        (
            {"999": "004010", "123": "004010"},
            (),
            ("x12", "read_as", "123"),
            "read_as: there is no transaction set '123' that we know",
        ),
        ({"856": "004010"}, ("850",), ("x12", "read_as", "856"), "read_as: 856 isn't in `receive`"),
    ],
)
def test_a_wrong_read_as_is_an_error_of_the_check(
    read_as: dict[str, str], receive: tuple[str, ...], path: tuple[str, ...], text: str
) -> None:
    agreement = Agreement("ACME", (InterchangeId("01", "043645501"),), receive=receive, read_as=read_as)
    assert [(p.path, p.text) for p in agreement_problems(agreement)] == [(path, text)]


def test_an_overlay_is_held_against_the_release_by_which_it_is_read() -> None:
    overlays = {"850": (OverlayRule("DTM/DTM07", use="X"),)}
    agreement = Agreement("ACME", (), version="004010", overlays=overlays)
    (problem,) = agreement_problems(agreement)
    assert "DTM has 6 elements" in problem.text
    assert not list(agreement_problems(replace(agreement, version=None, read_as={"*": "003040"})))


def test_a_partner_file_says_read_as_for_all_sets_or_by_set() -> None:
    for said, read_as in (("004010", {"*": "004010"}), ({"856": "004010"}, {"856": "004010"}), (None, {})):
        file = PartnerFile.model_validate({"partner": "ACME", "x12": {} if said is None else {"read_as": said}})
        assert agreement_of(file).read_as == read_as
    for wrong in ("4010", {"85": "004010"}, {"850": "4010"}):
        with pytest.raises(ValidationError):
            PartnerFile.model_validate({"partner": "ACME", "x12": {"read_as": wrong}})


def test_a_control_character_in_an_element_that_is_one_too_many_is_told() -> None:
    segments = ["BEG*00*SA*P1**260105", "NTE**TEXT*\x01", "PO1**1*EA*5**VN*A", "CTT*1"]
    error = read_one("850", segments, "003040").error
    assert error is not None
    assert [finding.code for finding in error.findings] == ["3", "6"]
