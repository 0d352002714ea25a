"""`hub x12 validate` and `hub x12 ack`: verdicts, and what we would answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.faces.x12.conftest import FILES, Call


def test_a_verdict_for_each_transaction(x12: Call) -> None:
    said = x12("validate", FILES / "broken/element-too-long.edi")
    assert said.code == 1
    assert [line.split("  ")[3] for line in said.out.splitlines() if line.startswith("#")] == [
        "accepted",
        "rejected",
        "accepted",
    ]


def test_the_overlay_of_a_partner_counts(x12: Call, acme: Path) -> None:
    file = FILES / "850-small.edi"
    assert x12("validate", file).code == 0
    said = x12("validate", file, "--partner", "ACME", "--json", site=acme)
    (transaction,) = said.json["interchanges"][0]["groups"][0]["transactions"]
    assert {error["segment"] for error in transaction["errors"]} == {"BEG", "CUR", "REF"}
    assert said.out == x12("validate", file, "--json", site=acme).out, "the sender's own agreement"


def test_an_unknown_partner(x12: Call, acme: Path) -> None:
    said = x12("validate", FILES / "850-small.edi", "--partner", "ACMA", site=acme)
    assert (said.code, "did you mean ACME?" in said.err) == (2, True)


def test_a_997_goes_back_to_the_sender(x12: Call) -> None:
    said = x12("ack", FILES / "broken/element-too-long.edi", "--control-number", 41)
    assert said.code == 1
    isa = said.out.split("*")
    assert [part.strip() for part in isa[5:9]] == ["01", "068717859", "01", "043645501"]
    assert isa[13] == "000000041"
    assert "AK2*850*0001~\nAK3*PO1*17*PO1*8~\nAK4*1*350*5*111111111111111111111~\nAK5*R*5~" in said.out
    assert "AK9*P*3*3*2~" in said.out


@pytest.mark.parametrize("kind", ["997", "999"])
@pytest.mark.parametrize("file", sorted(FILES.glob("8*.edi")), ids=lambda file: file.stem)
def test_what_we_would_answer_is_valid(x12: Call, file: Path, kind: str) -> None:
    said = x12("ack", file, "--type", kind)
    assert x12("validate", "-", given=said.out.encode()).code == 0


def test_each_group_has_its_own_with_numbers_that_count_up(x12: Call) -> None:
    said = x12("ack", FILES / "850-two-groups.edi", "--control-number", 5)
    assert [f"IEA*1*{number:09}" in said.out for number in (5, 6, 7)] == [True, True, False]


def test_a_ta1_where_the_envelope_fails(x12: Call) -> None:
    said = x12("ack", FILES / "broken/iea-missing.edi")
    assert "TA1*000000007*260302*0815*R*023~" in said.out
    assert x12("ack", FILES / "broken/iea-missing.edi", "--json").json[0]["document"] == "interchange_acknowledgment@1"


def test_acknowledgments_are_not_acknowledged(x12: Call) -> None:
    said = x12("ack", FILES / "997-partial.edi")
    assert (said.code, said.out) == (0, "")


def test_the_agreement_says_which_one_and_with_what_separators(x12: Call, acme: Path) -> None:
    said = x12("ack", FILES / "850-small.edi", site=acme)
    assert said.out.startswith("ISA|00|")
    assert "\nST|999|0001\n" in said.out
