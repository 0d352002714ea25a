"""Overlays of any kind, on any place of a set; and partner files with accidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from hub.app.plugin_discovery import discover
from hub.configuration.check import check_site
from hub.configuration.site import Checked
from hub.core.agreement import OverlayRule
from hub.core.errors import MappingError
from tests.fuzz.documents import real
from tests.fuzz.mutants import interchanges
from tests.fuzz.reading import ASKING, is_answered
from tests.fuzz.writing import AT, names_a_field
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.declarations.declaration import Loop, SegmentUse
from transformers.x12.terms.agreement_check import agreement_problems
from transformers.x12.writing.writer import sets_of, write_interchange

PARTNER = """\
partner: ACME
ids:
  - {qualifier: "01", id: "043645501", test: false}
  - {qualifier: "ZZ", id: "ACMETEST", test: true}
we: {qualifier: "01", id: "068717859"}
owner: edi-team
x12:
  version: "004010"
  receive: ["850", "860", "997"]
  send: ["855", "810"]
  acknowledge: {with: "997", within: 1h, errors: accept, ta1: always}
  expect_ack: {within: 24h, owner: acme-desk}
  delimiters: {element: "|", component: "0x1f", repetition: "!", terminator: '\\n', newline: none}
  charset: utf-8
  duplicates: {days: 30}
  overlays:
    "850":
      - {at: BEG/BEG03, max_length: 10}
      - {at: PO1/PO102, use: M}
      - {at: N1, qualifiers: [ST, BT]}
      - {at: REF, segment: NTE}
      - {at: CUR, use: X}
"""
PLUGINS = discover()
CODES = ["", "ST", "BT", "EA", "00", "SA", "*", "é", "X" * 40]


@lru_cache(maxsize=64)
def places(name: str) -> tuple[str, ...]:
    """All places of a set that a rule can name."""
    return tuple(dict.fromkeys(_places(set_declaration(name, "004010").structure, "")))


def _places(structure: Sequence[SegmentUse | Loop], path: str) -> Iterator[str]:
    for entry in structure:
        if isinstance(entry, Loop):
            yield f"{path}{entry.id}"
            yield from _places(entry.structure, f"{path}{entry.id}/")
        else:
            own = f"{path}{entry.segment.id}"
            yield own
            yield from (f"{own}/{entry.segment.id}{n:02}" for n in range(1, len(entry.segment.elements) + 1))


SIZES = st.integers(0, 30)
LISTS = st.lists(st.sampled_from(CODES), max_size=3).map(tuple)

# what a rule can say
TERMS: dict[str, st.SearchStrategy[Any]] = {
    "use": st.sampled_from(["M", "O", "X"]),
    "max": SIZES,
    "min_length": SIZES,
    "max_length": SIZES,
    "codes": LISTS,
    "add": LISTS,
    "remove": LISTS,
    "qualifiers": LISTS,
    "default": st.sampled_from(CODES),
    "segment": st.sampled_from(["NTE", "XYZ", "PO1", "SE", "ST", ""]),
}


@st.composite
def overlays(draw: st.DrawFn) -> tuple[str, tuple[OverlayRule, ...]]:
    """A set and rules for it, many of which fit."""
    name = draw(st.sampled_from(known_sets()))
    rules = []
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.one_of(st.sampled_from(places(name)), st.sampled_from(places(name)), st.text(max_size=8)))
        terms = draw(st.lists(st.sampled_from(sorted(TERMS)), min_size=1, max_size=2, unique=True))
        rules.append(OverlayRule(at, **{term: draw(TERMS[term]) for term in terms}))
    return name, tuple(rules)


def is_laid_over(name: str, rules: tuple[OverlayRule, ...]) -> bool:
    """Sound files of the set are read under these rules, and real documents written: refused or not, but with a reason.
    False when the check of the agreement has something against the rules."""
    agreement = replace(ASKING, overlays={name: rules}, version="004010", send=(name,))
    wrong = [problem for problem in agreement_problems(agreement) if not problem.warning]
    for one in interchanges():
        if one.name.startswith(name):
            is_answered(one.data, agreement)
    for kind, documents in real().items():
        for document in documents if name in sets_of(kind) else []:
            try:
                write_interchange([document], agreement, 1, AT)
            except MappingError as error:
                reason = str(error)
                assert names_a_field(document, reason) or reason.startswith(
                    ("the overlay of", "the rules agreed", "the agreement")
                ), reason
    return not wrong


@st.composite
def partner_files(draw: st.DrawFn) -> str:
    """A partner file with accidents to its lines and its characters."""
    lines = PARTNER.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "repeat", "swap", "text", "text", "cut"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "repeat":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case _:
                where = draw(st.integers(0, len(lines[at])))
                piece = draw(st.one_of(st.sampled_from(_PIECES), st.text(max_size=4)))
                lines[at] = lines[at][:where] + piece + lines[at][where + draw(st.integers(0, 3)) :]
    return "".join(lines)


_PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    "'",
    '"',
    "\t",
    "&a ",
    "*a",
    "!!int ",
    "null",
    "~",
    "-1",
    "0x",
    "1e9",
    "é",
    "|\n",
    "#",
]


def checked_with_a_place(text: str) -> Checked:
    """Checks a site with this partner file: sound, or with findings that say where."""
    file = "config/partners/acme.yaml"
    checked = check_site({file: text.encode("utf-8", "replace")}, PLUGINS, {}, lambda name: False)
    assert checked.site is not None or checked.findings
    for finding in checked.findings:
        assert str(finding)
        assert finding.place.file == file, finding
        assert finding.place.line is None or 0 < finding.place.line <= text.count("\n") + 2, finding
    return checked
