"""What was read is written again: as a document that says the same, and with every element that stood in the file."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId, Separators
from hub.core.ports import BytesBody, FileBody, Reading
from tests.golden.x12_files import FIXTURES, SAMPLES, read
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.tree import segment_texts
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.writer import write_interchange

FILES = [*sorted(FIXTURES.glob("*.edi")), *sorted(SAMPLES.rglob("*.edi"))]
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
SEPARATORS = Separators(element="\x1d", component="\x1f", repetition="\x1e", terminator="\x1c")
COUNTED = re.compile(r"totals\.\w+|line_count|quantity")
"""What the writer counts where a document doesn't say it."""

TEXTS = frozenset({"N9", "MSG", "MTX"})
"""Segments that share a text: its first line may stand in the first of them, or in the next one."""


def written(reading: Reading) -> bytes:
    """The document as an interchange of its own, of the version it came in."""
    assert reading.document
    name = str(reading.envelope["set"])
    agreement = Agreement(
        "ACME",
        (InterchangeId("01", "043645501"),),
        InterchangeId("01", "068717859"),
        version=str(reading.envelope["version"]),
        separators=SEPARATORS,
        send=(name,),
        acknowledge=Acknowledge(with_set="999" if name == "999" else "997"),
    )
    return write_interchange([reading.document], agreement, 1, AT).body


def values(data: bytes, wanted: int) -> Counter[tuple[str, str]]:
    """All values of one transaction (`wanted`: its ordinal in the body), each with its segment, and how often it stands
    there. Numbers are what they amount to."""
    found: Counter[tuple[str, str]] = Counter()
    delimiters, ordinal = None, 0
    for event in events(BytesBody(data)):
        if event.header is not None:
            delimiters = event.header.delimiters
        ordinal += event.kind == "ST"
        if event.kind == "ST" and ordinal == wanted and delimiters is not None:
            marks = delimiters.component + delimiters.repetition.replace(b"-", b"")  # a sample has it in its values too
            split = re.compile("[" + re.escape(marks.decode("latin-1")) + "]")
            for segment in segment_texts(event, delimiters)[1:-1]:
                name, *elements = segment.split(delimiters.element.decode("latin-1"))
                parts = [part.strip() for element in elements for part in split.split(element)]
                found.update(("N9" if name in TEXTS else name, meaning(part)) for part in parts if part)
    return found


def meaning(text: str) -> str:
    """A number without the zeros that say nothing."""
    return f"{Decimal(text).normalize():f}" if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", text, re.ASCII) else text


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_read_is_written_and_reads_back_the_same_with_every_element(path: Path) -> None:
    for ordinal, reading in enumerate(read(FileBody(path)), 1):
        if reading.document is None:
            continue
        body = written(reading)
        (back,) = read(body)
        assert back.document is not None
        different = [one for one in changed_fields(reading.document, back.document, added=True) if one[1] is not None]
        assert different == []
        assert [f for f, *_ in changed_fields(back.document, reading.document) if not COUNTED.fullmatch(f)] == []
        assert values(path.read_bytes(), ordinal) - values(body, 1) == Counter()
