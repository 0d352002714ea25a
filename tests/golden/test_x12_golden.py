"""Real-shaped X12 files and exactly the documents that they are; each broken twin and exactly its error."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.ports import FileBody
from hub.documents import from_json, to_json
from tests.golden.x12_files import FIXTURES, SHIPPED, read

GOLDEN = sorted(FIXTURES.glob("*.edi"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_file_gives_exactly_these_documents(path: Path) -> None:
    expected = path.with_suffix(".expected").read_text("utf-8").splitlines()
    found = []
    for reading in read(FileBody(path)):
        assert reading.error is None
        assert reading.document is not None
        data = to_json(reading.document)
        assert from_json(data) == reading.document
        found.append(f"{'/'.join(reading.position)} {data.decode()}")
    assert found == expected


@pytest.mark.parametrize("name", ["newline", "crlf", "bom-blank-lines", "one-line-unterminated", "odd-delimiters"])
def test_the_delimiters_and_line_ends_change_nothing(name: str) -> None:
    small, other = (read(FileBody(FIXTURES / f"850-{n}.edi")) for n in ("small", name))
    assert [r.document for r in small] == [r.document for r in other]
    assert not other[0].warnings


GOOD = ("1/1/1", "1/1/3")

# file: the positions that are read, and the one error: position, code, segment, element
TWINS: dict[str, tuple[tuple[str, ...], tuple[str, str | None, str | None, str | None]]] = {
    "segment-unknown": (GOOD, ("1/1/2", "1", "XYZ[5]", None)),
    "segment-of-another-set": (GOOD, ("1/1/2", "6", "HL[5]", None)),
    "segment-missing": (GOOD, ("1/1/2", "3", "BEG[2]", None)),
    "segment-twice": (GOOD, ("1/1/2", "5", "CUR[4]", None)),
    "segment-out-of-order": (GOOD, ("1/1/2", "7", "REF[9]", None)),
    "segment-too-often": (GOOD, ("1/1/2", "5", "PER[9]", None)),
    "lines-missing": (GOOD, ("1/1/2", "1", "REM[17]", None)),
    "element-missing": (GOOD, ("1/1/2", "1", "BEG[2]", "BEG03")),
    "element-pair-broken": (GOOD, ("1/1/2", "2", "N1[13]", "N104")),
    "element-required-broken": (GOOD, ("1/1/2", "2", "REF[5]", "REF02")),
    "element-conditional-broken": (GOOD, ("1/1/2", "2", "PO1[17]", "PO102")),
    "element-too-many": (GOOD, ("1/1/2", "3", "PID[20]", "PID10")),
    "element-too-short": (GOOD, ("1/1/2", "4", "N4[11]", "N401")),
    "element-too-long": (GOOD, ("1/1/2", "5", "PO1[17]", "PO101")),
    "element-not-a-number": (GOOD, ("1/1/2", "6", "PO1[17]", "PO104")),
    "element-control-character": (GOOD, ("1/1/2", "6", "PID[18]", "PID05")),
    "element-bad-code": (GOOD, ("1/1/2", "7", "PID[20]", "PID01")),
    "element-bad-date": (GOOD, ("1/1/2", "8", "DTM[7]", "DTM02")),
    "element-bad-time": (GOOD, ("1/1/2", "9", "DTM[7]", "DTM03")),
    "element-excluded": (GOOD, ("1/1/2", "10", "QTY[21]", "QTY04")),
    "element-too-many-repetitions": (GOOD, ("1/1/2", "12", "DMG[4]", "DMG05")),
    "element-too-many-components": (GOOD, ("1/1/2", "13", "N9[9]", "N907")),
    "loop-too-often": (GOOD, ("1/1/2", "4", "SAC[31]", None)),
    "st01-missing": (GOOD, ("1/1/2", "6", "ST", "ST01")),
    "st02-missing": (GOOD, ("1/1/2", "7", "ST", "ST02")),
    "se01-wrong": (("1/1/1", "1/2/1"), ("1/1/2", "4", "SE", "SE01")),
    "se02-wrong": (("1/1/1", "1/2/1"), ("1/1/2", "3", "SE", "SE02")),
    "se-missing": (("1/1/1", "1/2/1"), ("1/1/2", "2", "ST", None)),
    "stray-segment": (("1/1/1", "1/1/2", "1/2/1"), ("1/1/2+1", "024", None, None)),
    "stray-se": (("1/1/1", "1/2/1"), ("1/1/1+1", "022", "SE", None)),
    "stray-ge": (("1/1/1", "1/2/1"), ("1/1/1+1", "022", "GE", None)),
    "stray-iea": (("1/1/1",), ("1//+1", "024", None, None)),
    "gs01-other-kind": (GOOD, ("1/1/2", "6", "ST", "ST01")),
    "gs01-other-kind-5010": (GOOD, ("1/1/2", "18", "ST", "ST01")),
    "iea-missing": ((), ("1", "023", "ISA", None)),
    "iea01-wrong": ((), ("1", "021", "IEA", "IEA01")),
    "iea02-wrong": ((), ("1", "001", "IEA", "IEA02")),
    "isa-half": ((), ("", "024", "ISA", None)),
    "isa-terminator-wrong": ((), ("", "004", "ISA", None)),
    "isa-separator-wrong": ((), ("", "026", "ISA", None)),
    "isa16-missing": ((), ("", "027", "ISA", "ISA16")),
    "ta1-in-group": (("1/1/1", "1/2/1"), ("1/1/1+1", "022", "TA1", None)),
    "empty": ((), ("", "024", None, None)),
    "blank": ((), ("", "024", None, None)),
    "binary": ((), ("", "024", None, None)),
    "group-empty": ((), ("1/1/0", "024", "GE", None)),
    "set-unknown": ((), ("1/1/1", "1", "ST", "ST01")),
    "hl-parent-unknown": ((), ("1/1/1", "7", "HL[24]", "HL02")),
    "hl-id-twice": ((), ("1/1/1", "7", "HL[28]", "HL01")),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_gives_its_error_and_its_neighbours_go_on(name: str) -> None:
    readings = read(FileBody(FIXTURES / "broken" / f"{name}.edi"))
    good, error = TWINS[name]
    assert tuple("/".join(r.position) for r in readings if r.document) == good
    wrong = [r for r in readings if r.error]
    assert [("/".join(r.position), r.error.x12_code, r.error.segment, r.error.element) for r in wrong if r.error] == [
        error
    ]


@pytest.mark.parametrize(("name", "code"), [("ge01-wrong", "5"), ("ge02-wrong", "4"), ("ge-missing", "3")])
def test_a_group_with_a_wrong_trailer_is_refused_and_the_next_one_goes_on(name: str, code: str) -> None:
    readings = read(FileBody(FIXTURES / "broken" / f"{name}.edi"))
    assert ["/".join(r.position) for r in readings] == ["1/1/1", "1/1/2", "1/2/1"]
    assert [r.error.x12_code if r.error else None for r in readings] == [code, code, None]


def test_a_group_whose_number_is_none_is_refused_whole() -> None:
    readings = read(FileBody(FIXTURES / "broken" / "gs06-wrong.edi"))
    assert [r.error.x12_code if r.error else None for r in readings] == ["6", "6", "6"]


@pytest.mark.parametrize("element", ["09", "10", "13", "14", "15"])
def test_a_header_with_a_wrong_element_is_read_with_a_warning(element: str) -> None:
    readings = read(FileBody(FIXTURES / "broken" / f"isa{element}-wrong.edi"))
    assert all(r.document for r in readings)
    assert all(f"ISA{element} is" in "".join(r.warnings) for r in readings)


def test_wrong_widths_of_the_header_are_read_with_a_warning() -> None:
    readings = read(FileBody(FIXTURES / "broken" / "isa-widths.edi"))
    assert all(r.document for r in readings)
    assert "ISA06 has 9 characters, expected 15" in readings[0].warnings


def test_every_broken_twin_is_tested() -> None:
    elsewhere = {"ge01-wrong", "ge02-wrong", "ge-missing", "gs06-wrong", "isa-widths"}
    elsewhere |= {f"isa{element}-wrong" for element in ("09", "10", "13", "14", "15")}
    assert {path.stem for path in (FIXTURES / "broken").glob("*.edi")} == set(TWINS) | elsewhere


def test_an_error_points_at_its_segment() -> None:
    path = FIXTURES / "broken" / "element-bad-date.edi"
    error = read(FileBody(path))[1].error
    assert error is not None
    assert error.offset is not None
    assert path.read_bytes()[error.offset :].startswith(b"DTM*002*20260231")


def test_the_shipped_inputs_are_what_their_names_say() -> None:
    wrong = {"acme-truncated": 0, "acme-not-edi": 0, "acme-850-one-bad": 2}
    for path in sorted(SHIPPED.glob("*.edi")):
        readings = read(FileBody(path))
        assert sum(r.document is not None for r in readings) == wrong.get(path.stem, len(readings)), path.name
        partner = path.stem.partition("-")[0].upper()
        assert {r.envelope.get("partner", partner) for r in readings} == {partner}
    small = read(FileBody(SHIPPED / "acme-850-small.edi"))[0]
    assert small.document is not None
    assert (small.document.number, str(small.document.total)) == ("104582", "5157.36")
