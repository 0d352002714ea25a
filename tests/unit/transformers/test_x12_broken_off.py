"""An interchange that breaks off is refused, and the one that follows it is read: wherever it broke off, whatever
separates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId, OverlayRule
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import InterchangeAcknowledgment
from tests.fuzz.reading import Pieces
from tests.golden.x12_files import read
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader

FIRST = interchange([transaction("1"), transaction("2", control="0002")]).replace("\n", "")
SECOND = interchange([transaction("3")], control=8)
CUTS = range(len(FIRST) - len("IEA*1*000000007~"), 110, -1)


def numbers(readings: list[Reading]) -> list[str]:
    return [r.document.number for r in readings if r.document]


@pytest.mark.parametrize("terminator", ["~", "\n", "'", "\x1c"])
@pytest.mark.parametrize("element", ["*", "|", "\x1d", "+"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n"])
def test_the_next_one_is_read_wherever_the_first_broke_off(element: str, terminator: str, between: str) -> None:
    second = SECOND.replace("~\n", "~").replace("~", terminator).replace("*", element)
    for cut in CUTS:
        readings = read((FIRST[:cut] + between + second).encode("latin-1"))
        assert numbers(readings) == ["3"], FIRST[cut - 30 : cut]
        first = next(r for r in readings if r.position == ("1",))
        assert first.error is not None
        assert first.error.x12_code == "023"


def test_widths_may_be_wrong_right_behind_a_terminator() -> None:
    second = SECOND.replace("          ", "").replace("      *", "*").replace("*", "|")
    for cut in (at + 1 for at in range(len(FIRST) - 20) if FIRST[at] == "~" and at > 110):
        assert numbers(read((FIRST[:cut] + second).encode())) == ["3"]


def test_it_is_the_same_in_pieces() -> None:
    for cut in range(len(FIRST) - 20, 110, -37):
        data = (FIRST[:cut] + SECOND.replace("*", "|").replace("~\n", "~")).encode()
        once = [(r.position, str(r.error)) for r in read(data)]
        for piece in (1, 7, 64, 111):
            readings = X12Reader(PartnerDirectory()).read(Pieces(data, piece))
            assert [(r.position, str(r.error)) for r in readings] == once


def test_the_broken_one_is_answered() -> None:
    acme = Agreement("ACME", (InterchangeId("01", "043645501"),), acknowledge=Acknowledge())
    body = BytesBody((FIRST[:-20] + SECOND).encode())
    said = [r.document for r in X12Reader(PartnerDirectory([acme])).read(body) if r.envelope.get("direction")]
    answers = [d for d in said if isinstance(d, InterchangeAcknowledgment)]
    assert [(d.number, d.status, d.note) for d in answers] == [("000000007", "R", "023")]


@pytest.mark.parametrize(
    "text",
    ["ISA", "ISA|00|", "ISA-7", "SEE ISA|00|", SECOND.split("~")[0].replace("*", "|"), "A ISA/00/ZZ"],
)
def test_a_value_that_looks_like_a_header_is_a_value(text: str) -> None:
    extra = [f"MSG*{text[:264]}", "MSG*NEXT"]
    data = interchange([transaction("1", extra=["N9*L1*1", *extra]), transaction("2", control="0002")])
    assert numbers(read(data.encode())) == ["1", "2"]


def test_an_interchange_within_binary_data_is_data() -> None:
    inner = SECOND.replace("*", "|").replace("~\n", "'")
    segments = transaction("1")
    segments[2:2] = [f"BIN*{len(inner)}*{inner}"]
    segments[-1] = f"SE*{len(segments)}*0001"
    agreed = Agreement(
        "ACME", (InterchangeId("01", "043645501"),), overlays={"850": (OverlayRule("BEG", segment="BIN"),)}
    )
    body = BytesBody(interchange([segments, transaction("2", control="0002")]).encode())
    readings = list(X12Reader(PartnerDirectory([replace(agreed)])).read(body))
    assert numbers(readings) == ["1", "2"]
    assert readings[0].document is not None
    assert readings[0].document.extras[0].elements == (str(len(inner)), inner)
