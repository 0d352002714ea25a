"""`hub x12 inspect`: the tree, its errors in place, and the same as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.x12 import orders_850
from tests.unit.faces.x12.conftest import FILES, Call

BROKEN = sorted((FILES / "broken").glob("*.edi"))


def test_a_tree_shows_names_and_what_codes_mean(x12: Call) -> None:
    said = x12("inspect", FILES / "850-small.edi")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("interchange 000000007  01/043645501 -> 01/068717859  2026-03-02 08:15")
    assert "        BEG02     Purchase Order Type Code                SA  (Stand-alone order)" in lines
    assert "        BEG05     Date                                    20260302  (2026-03-02)" in lines
    assert "      loop PO1[2]" in lines
    assert lines[-1] == "1 transaction in 1 group, 1 interchange: 1 accepted"


def test_levels_of_a_ship_notice_are_nested_by_their_ids(x12: Call) -> None:
    lines = x12("inspect", FILES / "856-pick-and-pack.edi").out.splitlines()
    depths = {line.strip(): len(line) - len(line.lstrip()) for line in lines if "loop HL" in line}
    assert depths["loop HL[1]"] < depths["loop HL[2]"] < depths["loop HL[3]"] < depths["loop HL[4]"]
    assert depths["loop HL[4]"] == depths["loop HL[5]"]
    assert depths["loop HL[6]"] == depths["loop HL[2]"]


def test_an_error_stands_under_its_segment(x12: Call) -> None:
    said = x12("inspect", FILES / "broken/element-too-long.edi")
    assert said.code == 1
    lines = said.out.splitlines()
    at = next(n for n, line in enumerate(lines) if "! error" in line)
    before = [line.split()[0] for line in lines[:at] if line.strip()]
    assert lines[at].strip().startswith("! error 5 at PO101: Assigned Identification: found 21 characters")
    assert before[-1] == "PO111"


def test_only_what_has_errors(x12: Call) -> None:
    said = x12("inspect", FILES / "broken/element-too-long.edi", "--errors")
    assert "#2  850" in said.out
    assert "#1  850" not in said.out
    assert "BEG01" not in said.out
    assert said.out.splitlines()[-1] == "3 transactions in 1 group, 1 interchange: 2 accepted, 1 rejected"


def test_one_transaction(x12: Call) -> None:
    said = x12("inspect", FILES / "850-two-groups.edi", "--transaction", 2, "--json")
    groups = said.json["interchanges"][0]["groups"]
    assert [len(group["transactions"]) for group in groups] == [1]
    assert x12("inspect", FILES / "850-two-groups.edi", "--transaction", 9).code == 2


def test_the_json_of_a_broken_file(x12: Call) -> None:
    said = x12("inspect", FILES / "broken/element-too-long.edi", "--json")
    assert said.code == 1
    (interchange,) = said.json["interchanges"]
    (group,) = interchange["groups"]
    assert set(said.json) == {"interchanges", "errors"}
    assert set(interchange) == {"control_number", "sender", "receiver", "groups", "errors"}
    assert set(group) == {"control_number", "version", "transactions", "errors"}
    statuses = [transaction["status"] for transaction in group["transactions"]]
    assert statuses == ["accepted", "rejected", "accepted"]
    bad = group["transactions"][1]
    assert set(bad) == {"set", "control_number", "segments", "status", "errors"}
    (error,) = bad["errors"]
    assert (error["code"], error["segment"], error["position"], error["element"]) == ("5", "PO1", 17, 1)
    assert error["value"] == "1" * 21


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_text_and_json_say_the_same_errors(x12: Call, file: Path) -> None:
    said = x12("inspect", file, "--json")
    levels = [said.json, *said.json["interchanges"]]
    levels += [group for interchange in said.json["interchanges"] for group in interchange["groups"]]
    levels += [transaction for group in levels for transaction in group.get("transactions", ())]
    found = sum(len(level["errors"]) for level in levels)
    assert said.code == (1 if found else 0)
    for arguments in (("inspect", file), ("inspect", file, "--errors"), ("validate", file)):
        again = x12(*arguments)
        assert again.code == said.code
        assert again.out.count("! error") == found


def test_a_group_with_a_wrong_trailer_rejects_what_is_in_it(x12: Call) -> None:
    groups = x12("inspect", FILES / "broken/ge01-wrong.edi", "--json").json["interchanges"][0]["groups"]
    assert [error["code"] for error in groups[0]["errors"]] == ["5"]
    assert {transaction["status"] for transaction in groups[0]["transactions"]} == {"rejected"}
    assert {transaction["status"] for transaction in groups[1]["transactions"]} == {"accepted"}


def test_a_large_file_is_summarised(x12: Call, tmp_path: Path) -> None:
    file = tmp_path / "large.edi"
    file.write_bytes(orders_850([str(n) for n in range(12000)]))
    said = x12("inspect", file)
    assert said.code == 0
    assert "--full all" in said.err
    assert len(said.out.splitlines()) == 5
    assert said.out.splitlines()[-1] == "12000 transactions in 1 group, 1 interchange: 12000 accepted"


def test_nothing_in_a_file_steers_the_terminal(x12: Call) -> None:
    hostile = orders_850(["A\x1b[31mB\x9b2J"]).replace(b"UP*036000291452", b"UP*\xe2\x80\xae\x07")
    for command in ("inspect", "validate", "ack"):
        said = x12(command, "-", given=hostile)
        assert not {"\x1b", "\x9b", "\x07", "‮"} & set(said.out + said.err), command
    assert "A\\x1b[31mB" in x12("inspect", "-", given=hostile).out


@pytest.mark.parametrize("command", ["inspect", "validate", "ack"])
def test_files_that_are_not_there_and_files_that_are_not_x12(x12: Call, tmp_path: Path, command: str) -> None:
    missing = x12(command, tmp_path / "missing.edi")
    assert (missing.code, "no such file" in missing.err) == (2, True)
    assert x12(command, tmp_path).code == 2
    for given in (b"", b"  \r\n", b"PK\x03\x04" * 300, b"ISA*00*"):
        assert x12(command, "-", given=given).code == 1


def test_standard_input(x12: Call) -> None:
    data = (FILES / "850-small.edi").read_bytes()
    assert x12("inspect", "-", given=data).out == x12("inspect", FILES / "850-small.edi").out
