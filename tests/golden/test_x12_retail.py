"""What retail sends: quantities by store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden.x12_transactions import document_of, read_one, written

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
