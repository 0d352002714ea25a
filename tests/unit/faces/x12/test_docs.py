"""`hub x12 docs`: a set as we know it, and as it is between a partner and us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.faces.x12.conftest import Call
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.declarations.code_names import code_names
from transformers.x12.declarations.declaration import walk


def test_the_list_of_sets(x12: Call) -> None:
    assert [each["set"] for each in x12("docs", "--json").json] == list(known_sets())


@pytest.mark.parametrize("name", known_sets())
@pytest.mark.parametrize("release", ["004010", "005010"])
def test_every_set_in_every_form(x12: Call, name: str, release: str) -> None:
    segments = {use.segment.id for use in walk(set_declaration(name, release).structure)}
    described = x12("docs", name, "--release", release, "--json").json
    assert {row["segment"] for row in described["structure"] if "segment" in row} == segments
    text = x12("docs", name, "--release", release).out
    page = x12("docs", name, "--release", release, "--format", "markdown").out
    assert all(f"[{segment}](#{segment.lower()})" in page and f"{segment}  " in text for segment in segments)


def test_where_an_element_lives(x12: Call) -> None:
    text = x12("docs", "850").out
    assert "BEG03     M  AN 1-22    Purchase Order Number                   -> number" in text
    assert "-> lines[].products.* (value)" in text
    assert "C0807: with CUR08 also CUR07" in text


def test_what_the_agreement_changes_is_marked(x12: Call, acme: Path) -> None:
    text = x12("docs", "850", "--partner", "ACME", site=acme).out
    marked = {line.split()[0]: line.partition("  > ")[2] for line in text.splitlines() if "  > " in line}
    assert marked == {"BEG02": "codes only NE", "REF": "max many -> 1", "CUR": "not used between us"}


def test_a_set_is_shown_in_the_version_agreed_for_it(x12: Call, acme: Path) -> None:
    file = acme / "config/partners/acme.yaml"
    file.write_text(file.read_text().replace('version: "004010"', 'version: "004010"\n  versions: {"856": "005010"}'))
    shown = {
        name: x12("docs", name, "--partner", "ACME", "--json", site=acme).json["release"] for name in ("850", "856")
    }
    assert shown == {"850": "004010", "856": "005010"}


def test_a_set_that_there_is_not(x12: Call) -> None:
    said = x12("docs", "851")
    assert (said.code, "did you mean 8" in said.err) == (2, True)
    assert x12("docs", "850", "--release", "1").code == 2


def test_names_of_codes_are_of_elements_that_there_are() -> None:
    used = {
        each.number
        for name in known_sets()
        for release in ("004010", "005010")
        for use in walk(set_declaration(name, release).structure)
        for one in use.segment.elements
        for each in (one.element, *(component.element for component in one.element.components))
    }
    assert set(code_names()) - used <= {"143", "479"}
    assert all(name and code for names in code_names().values() for code, name in names.items())
