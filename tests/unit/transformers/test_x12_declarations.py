"""The declarations are data that hold together, and the two ways of reading them, compiled and slow, agree."""

from __future__ import annotations

import random
import re

import pytest

from hub.documents import DOCUMENTS, to_json
from tests.golden.x12_files import FIXTURES
from transformers.x12.compiled.compiled import CompiledSet, compiled_set
from transformers.x12.declarations.catalogue import RELEASES, declaration_of, known_sets, release_of, set_declaration
from transformers.x12.declarations.code_names import code_name
from transformers.x12.declarations.declaration import Loop, Rule, SegmentUse, walk
from transformers.x12.declarations.element_value import Refused
from transformers.x12.envelope.delimiters import Delimiters, as_text
from transformers.x12.validation.diagnose import diagnose

SETS = [(name, release) for name in known_sets() for release in RELEASES]
FILES = {"850": "850-full.edi", "810": "810-invoice.edi", "856": "856-sotpi.edi"}


MARKS = as_text(Delimiters(b"*", b">", b"^", b"~"))


def body(name: str, release: str = "004010") -> list[str]:
    """The segments after ST, with SE, of the first transaction that there is of the set in the release; none without
    one."""
    files = [FILES[name]] if name in FILES else sorted(path.name for path in FIXTURES.glob(f"{name}-*.edi"))
    for text in ((FIXTURES / file).read_text().replace("\n", "") for file in files):
        if f"*X*{release}~" in text:
            segments = text[text.index("~ST*") + 1 :].split("~")[1:]
            return segments[: next(n for n, s in enumerate(segments, 1) if s.startswith("SE*"))]
    return []


def test_the_sets_of_orders_ship_notices_invoices_and_acknowledgments_are_there() -> None:
    assert {"810", "850", "856", "997", "999"} <= set(known_sets())


@pytest.mark.parametrize(("name", "release"), SETS)
def test_a_declaration_compiles_against_its_document_and_names_its_source(name: str, release: str) -> None:
    declaration = set_declaration(name, release)
    assert declaration.document in DOCUMENTS
    assert "not checked" in declaration.source
    compiled = compiled_set(name, release)
    assert compiled.source.count("def h") > 1
    if segments := body(name, release):
        assert to_json(compiled.read(segments, "*", ">", "^", "ACME")[0])
    for use in walk(declaration.structure):
        for rule in use.segment.rules:
            assert max(rule.positions) <= len(use.segment.elements), f"{use.segment.id} {rule}"


@pytest.mark.parametrize(
    ("rule", "present", "broken"),
    [
        ("P", {1, 2}, False),
        ("P", {1}, True),
        ("P", set(), False),
        ("R", set(), True),
        ("R", {2}, False),
        ("E", {1, 2}, True),
        ("E", {2}, False),
        ("C", {1}, True),
        ("C", {1, 2, 3}, False),
        ("C", {2}, False),
        ("L", {1}, True),
        ("L", {1, 3}, False),
        ("L", {2}, False),
    ],
)
def test_relational_rules(rule: str, present: set[int], broken: bool) -> None:
    positions = (1, 2) if rule in "PE" else (1, 2, 3)
    assert Rule(rule, positions).broken(lambda p: p in present) is broken


def test_versions_find_their_release() -> None:
    assert release_of("004010VICS") == ("004010", True)
    assert release_of("005010") == ("005010", True)
    assert release_of("004030VICS") == ("004030", True)
    assert release_of("003040") == ("003040", True)
    assert release_of("004061") == ("004060", False)
    assert release_of("002040") == ("003040", False)
    assert release_of("008010") == ("005010", False)
    assert release_of("") == ("004010", False)


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("4010", "004010"),
        ("4010VICS", "004010"),
        ("00401", "004010"),
        ("401", "004010"),
        ("5010", "005010"),
        ("00307", "003070"),
        ("40", "004010"),
        ("VICS", "004010"),
    ],
)
def test_a_version_without_all_of_its_zeros_finds_its_release(version: str, release: str) -> None:
    assert release_of(version) == (release, False)


@pytest.mark.parametrize(
    ("loop", "wrong"),
    [
        ("to: levels, tree: {id: 1, parent: 2, children: levels}", "a tree is written as one group: add `group: HL`"),
        ("to: levels, group: HL", "a group of loops is a tree: add `tree: {id: 1, parent: 2, children: FIELD}`"),
        ("group: HL, tree: {id: 1, parent: 2, children: levels}", "a tree makes parts: add `to: FIELD`"),
        ("to: levels, group: HL, tree: {id: 3, parent: 2, children: levels}", "`put` says nothing of element 3"),
    ],
)
def test_a_tree_that_could_be_read_and_not_be_written_is_refused_with_its_place(loop: str, wrong: str) -> None:
    text = f"""
set: "870"
name: Order Status Report
group: RS
document: order_status
structure:
  - {{segment: BSR, use: M, put: {{3: number}}}}
  - {{loop: HL, max: 10, {loop}, structure: [{{segment: HL, use: M, put: {{1: id, 2: level}}, drop: [3, 4]}}]}}
"""
    with pytest.raises(ValueError, match=rf"^870/HL: .*{re.escape(wrong)}"):
        declaration_of(text, "004010")


def test_each_set_and_each_functional_group_has_a_name_for_people() -> None:
    declared = [set_declaration(name, RELEASES[-1]) for name in known_sets()]
    assert [one.set for one in declared if not code_name("143", one.set)] == []
    assert [one.group for one in declared if one.set not in code_name("479", one.group)] == []


@pytest.mark.parametrize(
    ("name", "release", "segment", "most"),
    [
        ("867", "004010", "DD", 1),
        ("867", "004020", "DD", 0),
        ("210", "004050", "L11", 5),
        ("210", "004060", "L11", 20),
    ],
)
def test_what_a_release_between_004010_and_005010_takes_more_of(
    name: str, release: str, segment: str, most: int
) -> None:
    """As the grammars of the release have it: DD below QTY, L11 below LX."""
    loops = {"867": ("PTD", "QTY"), "210": ("LX",)}[name]
    entries = set_declaration(name, release).structure
    for loop in loops:
        entries = next(one.structure for one in entries if isinstance(one, Loop) and one.id == loop)
    assert [one.max for one in entries if isinstance(one, SegmentUse) and one.segment.id == segment] == [most]


def takes(compiled: CompiledSet, segments: list[str]) -> bool:
    try:
        compiled.read(segments, "*", ">", "^", None)
    except Refused:
        return False
    return True


VALUES = [
    "",
    "1",
    "A",
    "ZZ",
    "20260302",
    "20260299",
    "12.5",
    "-3",
    "1,5",
    "X" * 90,
    "2561",
    "F",
    "ABC",
    "0",
    ".",
    "A>B",
]


@pytest.mark.parametrize("name", [*FILES, "214", "820", "824", "940", "945", "997"])
def test_the_compiled_reader_refuses_exactly_what_the_diagnosis_finds(name: str) -> None:
    compiled = compiled_set(name, "004010")
    good = body(name)
    assert not diagnose(compiled, good, MARKS)
    dice = random.Random(850)
    refused = 0
    for _ in range(500):
        segments = [s.split("*") for s in good]
        for _ in range(dice.randint(1, 2)):
            at = dice.randrange(len(segments) - 1)
            match dice.randrange(5):
                case 0:
                    del segments[at]
                case 1:
                    segments.insert(at, list(dice.choice(segments)))
                case 2:
                    segments[at].append(dice.choice(VALUES))
                case _:
                    segments[at][dice.randrange(1, len(segments[at]))] = dice.choice(VALUES)
        mutant = ["*".join(s) for s in segments]
        findings = diagnose(compiled, mutant, MARKS)
        assert takes(compiled, mutant) is not bool(findings), (findings, mutant)
        refused += bool(findings)
    assert 100 < refused < 500
