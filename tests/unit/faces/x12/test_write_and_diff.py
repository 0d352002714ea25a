"""`hub x12 write` and `hub x12 diff`: documents as X12, and files compared by what they mean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub.core.partners import PartnerDirectory
from hub.core.ports import FileBody
from hub.documents import to_json
from tests.unit.faces.x12.conftest import FILES, Call
from transformers.x12.reading.reader import X12Reader

SOUND = sorted(FILES.glob("*.edi"))


def documents(file: Path) -> bytes:
    """As `hub read` prints them."""
    found = [reading.document for reading in X12Reader(PartnerDirectory()).read(FileBody(file))]
    return b"".join(to_json(document) + b"\n" for document in found if document is not None)


@pytest.mark.parametrize("file", SOUND, ids=lambda file: file.stem)
def test_what_is_written_means_what_it_was_written_from(x12: Call, file: Path, tmp_path: Path) -> None:
    (version, *_) = re.findall(r"X.(0\d{5})", file.read_text("latin-1"))
    made = tmp_path / "made.edi"
    several = ("999", "875", "880")
    name = ("--set", file.stem[:3]) if file.stem.startswith(several) else ()
    said = x12("write", "-", "--version", version, "-o", made, *name, given=documents(file))
    assert said.code == 0, said.err
    assert x12("diff", file, made, "--json").json == []


def test_what_x12_cannot_carry_is_named(x12: Call, tmp_path: Path) -> None:
    order = {"document": "order@1", "number": "1" * 23, "purpose": "00", "type": "SA", "date": "2026-03-02"}
    order["lines"] = [{"number": "1", "quantity": "1", "unit": "EA"}]  # type: ignore[assignment]
    said = x12("write", "-", given=json.dumps(order).encode())
    assert said.code == 1
    assert "number: Purchase Order Number: found 23 characters" in said.err


def test_several_documents_of_one_kind_go_together(x12: Call) -> None:
    said = x12("write", "-", "--json", "--control-number", 9, given=documents(FILES / "850-two-groups.edi"))
    (interchange,) = said.json["interchanges"]
    assert interchange["control_number"] == "000000009"
    assert interchange["x12"].count("ST*850*") == 3


class TestByWhoseTerms:
    """Placeholders for ids don't go out unseen."""

    ORDER = (FILES / "850-small.edi").read_bytes()

    def test_without_an_agreement_it_says_what_to_do(self, x12: Call, acme: Path) -> None:
        given = documents(FILES / "850-small.edi")
        bare = x12("write", "-", given=given)
        assert "ZZ*SENDER" in bare.out
        assert bare.err.startswith(
            "the document names no partner: written from ZZ/SENDER to ZZ/RECEIVER. Take --partner"
        )
        assert "the site has none yet: hub partner add drafts one" in bare.err
        other = given.replace(b'"document"', b'"partner": "ACEM", "document"', 1)
        named = x12("write", "-", given=other, site=acme)
        assert "there is no agreement with ACEM" in named.err
        assert "Take --partner NAME (one of ACME), or --no-agreement" in named.err

    def test_who_says_so_is_asked_nothing(self, x12: Call, acme: Path) -> None:
        given = documents(FILES / "850-small.edi")
        assert x12("write", "-", "--no-agreement", given=given).err == ""
        meant = x12("write", "-", "--no-agreement", given=given.replace(b"{", b'{"partner": "ACME", ', 1), site=acme)
        assert ("ZZ*SENDER" in meant.out, meant.err) == (True, "")
        assert x12("write", "-", "--no-agreement", "--partner", "ACME", given=given, site=acme).code == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [(b"{", "not JSON"), (b"", "blank"), (b'{"document": "ordr@1"}', "did you mean"), (b"\xff", "UTF-8")],
)
def test_json_that_is_no_document(x12: Call, given: bytes, text: str) -> None:
    said = x12("write", "-", given=given)
    assert (said.code, text in said.err) == (1, True)


def test_a_file_that_is_x12_already(x12: Call) -> None:
    said = x12("write", FILES / "850-small.edi")
    assert said.code == 1
    assert "this is X12 already; `hub read" in said.err


def test_a_set_that_does_not_carry_it(x12: Call) -> None:
    said = x12("write", "-", "--set", "810", given=documents(FILES / "850-small.edi"))
    assert (said.code, "850 or 875 does" in said.err) == (1, True)
    assert x12("write", "-", "--set", "000", given=b"{}").code == 2
    assert x12("write", "-", "--version", "9", given=b"{}").code == 2


def test_envelopes_and_separators_make_no_difference(x12: Call, tmp_path: Path) -> None:
    other = tmp_path / "other.edi"
    data = (FILES / "850-small.edi").read_bytes().replace(b"*", b"|").replace(b"000000007", b"000000009")
    other.write_bytes(data.replace(b"~", b"'").replace(b"|>'", b"|:'", 1))
    said = x12("diff", FILES / "850-small.edi", other)
    assert (said.code, said.out) == (0, "no difference: 1 document\n")


def test_fields_that_differ(x12: Call, tmp_path: Path) -> None:
    other = tmp_path / "other.edi"
    data = (FILES / "850-small.edi").read_bytes()
    other.write_bytes(data.replace(b"PO1*1*24*EA*12.75*", b"PO1*1*25*EA*12.750*").replace(b"VN*TPM-25", b"VN*TPM-26"))
    said = x12("diff", FILES / "850-small.edi", other, "--json")
    assert said.code == 1
    assert [(each["path"], each["a"], each["b"]) for each in said.json] == [
        ("lines[0].quantity", "24", "25"),
        ("lines[1].products.VN", "TPM-25", "TPM-26"),
    ]


def test_a_count_that_is_right_makes_no_difference_and_a_wrong_one_does(x12: Call, tmp_path: Path) -> None:
    data = (FILES / "850-small.edi").read_bytes()
    right, none, wrong = tmp_path / "right.edi", tmp_path / "none.edi", tmp_path / "wrong.edi"
    right.write_bytes(data.replace(b"CTT*3*180~", b"CTT*3~"))
    none.write_bytes(data.replace(b"CTT*3*180~\n", b"").replace(b"SE*25*", b"SE*24*"))
    wrong.write_bytes(data.replace(b"CTT*3*180~", b"CTT*4~"))
    assert x12("diff", right, none, "--json").json == []
    (found,) = x12("diff", right, wrong, "--json").json
    assert (found["path"], found["a"], found["b"]) == ("totals", None, {"lines": 4})


def test_a_file_that_is_too_large_to_compare_says_so(x12: Call, tmp_path: Path) -> None:
    with (tmp_path / "large.edi").open("wb") as large:
        large.truncate(65 << 20)
    said = x12("diff", FILES / "850-small.edi", tmp_path / "large.edi")
    assert (said.code, "65 MB, and at most 64 MB can be compared" in said.err) == (2, True)


def test_a_document_that_only_one_file_has(x12: Call) -> None:
    said = x12("diff", FILES / "850-two-groups.edi", "-", given=documents(FILES / "850-two-groups.edi").split(b"\n")[0])
    assert said.code == 1
    assert [line.strip() for line in said.out.splitlines()].count("document  is there  ->  -") == 2
