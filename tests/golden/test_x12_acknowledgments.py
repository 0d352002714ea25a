"""What we answer to each broken file, byte for byte: `.997`, `.999` and, where it isn't plain acceptance, `.ta1` beside
it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.core.agreement import Acknowledge, AcknowledgmentSet, Agreement, InterchangeId, OverlayRule, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import FileBody, Reading
from hub.documents import InterchangeAcknowledgment
from tests.golden.x12_files import FIXTURES, read
from transformers.x12 import X12Reader
from transformers.x12.reading.reader import DUPLICATES
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.writer import write_interchange

FILES = sorted([*(FIXTURES / "broken").glob("*.edi"), *(FIXTURES / "agreed").glob("*.edi")])
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
ACME = Agreement(
    "ACME",
    (InterchangeId("01", "043645501"),),
    InterchangeId("01", "068717859"),
    acknowledge=Acknowledge(ta1="always"),
    separators=Separators(newline="\n"),
)

# what the agreement says of the files that only an agreement makes wrong
TERMS: dict[str, dict[str, Any]] = {
    "segment-forbidden": {"overlays": {"850": (OverlayRule("N1/PER", use="X"),)}},
    "element-forbidden": {"overlays": {"850": (OverlayRule("ITD/ITD07", use="X"),)}},
    "code-not-agreed": {"overlays": {"850": (OverlayRule("REF", qualifiers=("DP",)),)}},
    "every-transaction-rejected": {"overlays": {"850": (OverlayRule("CUR/CUR02", codes=("CAD",)),)}},
    "segment-agreed-missing": {"overlays": {"850": (OverlayRule("CUR", use="M"),)}},
    "loop-agreed-missing": {"overlays": {"850": (OverlayRule("N1", use="M"),)}},
    "element-agreed-missing": {"overlays": {"850": (OverlayRule("REF/REF03", use="M"),)}},
    "length-not-agreed": {"overlays": {"850": (OverlayRule("BEG/BEG03", min_length=6, max_length=6),)}},
    "agreed-and-standard": {"overlays": {"850": (OverlayRule("FOB", use="X"),)}},
    "set-not-agreed": {"receive": ("860",)},
    "st02-twice": {"duplicate_days": 30},
    "gs06-twice": {"duplicate_days": 30},
    "gs06-twice-5010": {"duplicate_days": 30},
    "taken-with-errors": {"acknowledge": Acknowledge(errors="accept", ta1="always")},
    "ta1-asked": {"acknowledge": Acknowledge(ta1="asked")},
}
SEEN = {"interchange-twice": {"1": "taken on 2026-03-01"}}


def answers(path: Path, with_set: AcknowledgmentSet) -> Iterator[Reading]:
    """What the reader says to the partner of a file."""
    agreement = replace(ACME, **TERMS.get(path.stem, {}))
    assert agreement.acknowledge
    agreement = replace(agreement, acknowledge=replace(agreement.acknowledge, with_set=with_set))
    headers: Mapping[str, Any] = {DUPLICATES: SEEN.get(path.stem, {})}
    for reading in X12Reader(PartnerDirectory([agreement])).read(FileBody(path), headers):
        if reading.envelope.get("direction") == "outbound":
            yield reading


def written(reading: Reading, with_set: AcknowledgmentSet) -> str:
    assert reading.document
    agreement = replace(ACME, acknowledge=Acknowledge(with_set=with_set))
    return write_interchange(
        [reading.document], agreement, 17, AT, version=str(reading.envelope["version"])
    ).body.decode()


def expected(path: Path, suffix: str) -> str:
    beside = path.with_suffix(suffix)
    return beside.read_text() if beside.exists() else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("with_set", ["997", "999"])
def test_each_group_is_answered_with_exactly_this(path: Path, with_set: AcknowledgmentSet) -> None:
    found = [r for r in answers(path, with_set) if not isinstance(r.document, InterchangeAcknowledgment)]
    assert "".join(written(r, with_set) for r in found) == expected(path, f".{with_set}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_interchange_is_answered_with_a_ta1(path: Path) -> None:
    found = [r for r in answers(path, "997") if isinstance(r.document, InterchangeAcknowledgment)]
    text = "".join(written(r, "997") for r in found)
    wanted = expected(path, ".ta1")
    assert text == wanted if wanted else re.fullmatch(r"(?s)(ISA.*TA1\*\d{9}\*260302\*0815\*A\*000~.*)?", text)


@pytest.mark.parametrize("path", [p for p in FILES if p.with_suffix(".997").exists()], ids=lambda path: path.stem)
def test_what_we_answer_reads_back_as_what_was_meant(path: Path) -> None:
    for with_set in ("997", "999"):
        for answer in answers(path, with_set):
            (back,) = read(written(answer, with_set).encode())
            assert back.error is None
            assert back.warnings == ()
            assert back.document is not None
            assert answer.document is not None
            assert list(changed_fields(answer.document, back.document)) == []


def codes(suffix: str, pattern: str) -> set[str]:
    """What the expected answers say in one element."""
    texts = (path.read_text() for path in FIXTURES.glob(f"*/*{suffix}"))
    return {code for text in texts for code in re.findall(pattern, text, re.M)}


# the code lists of the 997 and the 999 that a receiver who checks the syntax can need, and what says them
# (a segment is only unexpected, 2, where the partner's own rules forbid it: the 999 has I4 for that)
SAID = {
    "AK304": (".997", r"^AK3\*[^~]*\*(\d)~", {"1", "2", "3", "4", "5", "6", "7", "8"}),
    "AK403": (".997", r"^AK4\*[^*]*\*\d*\*(\d+)[*~]", {*"123456789", "10", "12", "13"}),
    "AK501": (".997", r"^AK5\*(\w)", {"A", "E", "R"}),
    "AK502": (".997", r"^AK5\*R\*(\d+)", {*"1234567", "18", "23"}),
    "AK901": (".997", r"^AK9\*(\w)", {"A", "E", "P", "R"}),
    "AK905": (".997", r"^AK9\*R\*\d*\*\d*\*\d*\*(\d+)", {"3", "4", "5", "6", "19"}),
    "IK304": (".999", r"^IK3\*[^~]*\*(I?\d)~", {*"1345678", "I4", "I7", "I8"}),
    "IK403": (".999", r"^IK4\*[^*]*\*\d*\*(I?\d+)[*~]", {*"123456789", "10", "12", "13", "I6", "I9", "I10", "I12"}),
    "IK501": (".999", r"^IK5\*(\w)", {"A", "E", "R"}),
    "IK502": (".999", r"^IK5\*R\*(I?\d+)", {*"1234567", "18", "23", "I5"}),
    "TA104": (".ta1", r"^TA1\*\d*\*\d*\*\d*\*(\w)", {"A", "E", "R"}),
    "TA105": (
        ".ta1",
        r"^TA1\*\d*\*\d*\*\d*\*\w\*(\d+)",
        {"000", "001", "004", *(f"0{n}" for n in (14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27))},
    ),
}


@pytest.mark.parametrize("element", SAID)
def test_every_code_that_we_can_say_has_its_twin(element: str) -> None:
    suffix, pattern, known = SAID[element]
    assert codes(suffix, pattern) == known
