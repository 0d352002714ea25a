"""What every reading must come to, whatever the bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.core.agreement import Acknowledge, AcknowledgmentSet, Agreement, Charset, InterchangeId, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, FieldOrigin, Reading
from hub.documents import Document, from_json, to_json
from tests.fuzz.mutants import Interchange
from tests.fuzz.writing import AT
from tests.golden.x12_files import FIXTURES, read
from tests.unit.transformers.test_x12_lineage import DEFAULTS, fields, transactions
from transformers.x12 import X12Reader
from transformers.x12.compiled.compiled import CompiledSet, compiled_set
from transformers.x12.declarations.catalogue import known_sets, release_of
from transformers.x12.declarations.element_value import Refused
from transformers.x12.envelope.delimiters import as_text
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.tree import segment_texts
from transformers.x12.reading.reader import ONE_PASS
from transformers.x12.reading.transaction import complete
from transformers.x12.validation.diagnose import diagnose
from transformers.x12.writing.writer import write_interchange

ACCEPTING = Agreement(
    "ACME",
    (InterchangeId("01", "043645501"),),
    InterchangeId("01", "068717859"),
    acknowledge=Acknowledge(errors="accept"),
)
CONTROL = ("ISA", "GS", "GE", "IEA")


@dataclass(frozen=True)
class Pieces:
    """A body that comes in pieces, of a file that is too large to be kept."""

    data: bytes
    piece: int

    @property
    def size(self) -> int:
        return max(len(self.data), ONE_PASS + 1)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        for start in range(0, len(self.data), self.piece):
            yield self.data[start : start + self.piece]


def reads_to_documents_and_errors(data: bytes) -> list[Reading]:
    """Each reading is a document or an error, each in a place of its own, none without a reason."""
    readings = read(data)
    assert readings
    assert len({r.position for r in readings}) == len(readings)
    for reading in readings:
        assert (reading.document is None) != (reading.error is None)
        assert reading.error is None or reading.error.text != "the transaction breaks its declaration"
    return readings


def reads_the_same_in_pieces(data: bytes, piece: int) -> None:
    again = list(X12Reader(PartnerDirectory()).read(Pieces(data, piece)))
    once = list(X12Reader(PartnerDirectory()).read(BytesBody(data)))
    assert [(r.position, r.document, str(r.error)) for r in again] == [
        (r.position, r.document, str(r.error)) for r in once
    ]


def spares_its_neighbours(one: Interchange, data: bytes) -> bool:
    """Those whose bytes weren't touched are read as before; those of the same group unless its trailer now counts
    wrongly, or the accident reaches into them (a header is gone, and what stood before it has no end). False when the
    accident made or broke an envelope."""
    before, after = list(events(BytesBody(one.data))), list(events(BytesBody(data)))
    if [e.kind for e in after if e.kind in CONTROL] != [e.kind for e in before if e.kind in CONTROL]:
        return False
    good = {"/".join(r.position): r.document for r in read(one.data)}
    found = {"/".join(r.position): r.document for r in read(data)}
    assert found["1/2/1"] == good["1/2/1"]
    was, now = ([e.data for e in stream if e.kind == "ST"] for stream in (before, after))
    if len(now) == len(was):
        assert found["1/1/1"] == good["1/1/1"]
        assert found["1/1/3"] == good["1/1/3"] or now[2] != was[2]
    return True


def agrees_with_its_diagnosis(data: bytes) -> None:
    """The compiled reader refuses exactly what the diagnosis finds, and what is relaxed takes all that is strict.
    Whatever they make can be stored."""
    for event, delimiters, version in transactions(data):
        segments = segment_texts(event, delimiters)
        marks = as_text(delimiters)
        name = segments[0].split(marks.element)[1:2]
        if not event.closed or not name or name[0] not in known_sets():
            continue
        if any(marks.forbidden.search(segment) for segment in segments):
            continue
        strict, loose = (compiled_set(name[0], release_of(version)[0], understood=loose) for loose in (False, True))
        found = diagnose(strict, segments[1:], marks)
        document, relaxed = (
            taken(compiled, segments, marks.element, marks.component, marks.repetition) for compiled in (strict, loose)
        )
        assert (document is None) is bool(found), (found, segments)
        if document is not None:
            assert relaxed == document
        if relaxed is not None and complete(relaxed):
            assert from_json(to_json(relaxed)) == relaxed


def taken(compiled: CompiledSet, segments: list[str], element: str, component: str, repetition: str) -> Any:
    try:
        return compiled.read(segments[1:], element, component, repetition, None)[0]
    except Refused:
        return None


def traces_every_field(data: bytes) -> None:
    """The lineage of what was read names its fields, all of them and no others; and its bytes say what they hold. So
    does that of what was taken with its errors."""
    for partners in (PartnerDirectory(), PartnerDirectory([ACCEPTING])):
        reader = X12Reader(partners)
        origins = dict(reader.lineages(BytesBody(data)))
        for reading in reader.read(BytesBody(data)):
            outbound = reading.envelope.get("direction") == "outbound"
            if reading.document is not None and "TA1" not in reading.envelope.values() and not outbound:
                _traces(reading.document, origins[reading.position])


def _traces(document: Document, origins: Sequence[FieldOrigin]) -> None:
    there = dict(fields(document))
    said: dict[str, list[str]] = {}
    for origin in origins:
        said.setdefault(origin.field, []).append(origin.text)
    assert set(said) <= set(there)
    for name, value in there.items():
        assert name in said or value == DEFAULTS.get(name.rpartition(".")[2]), name
        assert name not in said or says(said[name], value), (name, said[name], value)


def says(texts: list[str], value: Any) -> bool:
    """Whether texts come to a value. A code may have become a word, or the code of a purpose."""
    if isinstance(value, date):
        return texts[0].endswith(f"{value:%y%m%d}")
    if isinstance(value, Decimal | int):
        return _digits(texts[0]) == _digits(f"{value:f}" if isinstance(value, Decimal) else str(value))
    return value in (*texts, "\n".join(texts)) or re.fullmatch(r"[a-z_]+|0\d", value) is not None


def _digits(text: str) -> str:
    return text.replace(".", "").strip("0-")


def stands_in_json(reading: Reading) -> None:
    """A document that was taken, perhaps with errors, has all that it needs, and what could not be read of it is
    kept."""
    if reading.document is not None:
        assert from_json(to_json(reading.document)) == reading.document
        assert all(extra.segment or any(extra.elements) for extra in reading.document.extras)


def reads_over_white_space(path: Path, blanks: Sequence[str]) -> None:
    """White space behind a terminator is nobody's."""
    data = path.read_bytes()
    first, *others = data.split(b"~")
    spaced = first
    for number, other in enumerate(others):
        spaced += b"~" + blanks[number % len(blanks)].encode() + other.lstrip(b"\r\n")
    assert [r.document for r in read(spaced)] == [r.document for r in read(data)]


SPACED = [
    path
    for path in sorted(FIXTURES.glob("*.edi"))
    if b"BIN*" not in path.read_bytes() and b"~" in path.read_bytes()[105:107]
]
"""Files whose terminator is a tilde, without binary data."""


ASKING = Agreement(
    "ACME", (InterchangeId("01", "043645501"),), InterchangeId("01", "068717859"), acknowledge=Acknowledge(ta1="always")
)


def is_answered(data: bytes, terms: Agreement = ASKING) -> None:
    """What we say of it can be written, whatever separates and whatever they can read; and reads back without an
    error."""
    ways: list[tuple[AcknowledgmentSet, Separators, Charset]] = [
        ("997", Separators(), "extended"),
        ("999", Separators(element="|", component=":", repetition="(", terminator="\n"), "basic"),
    ]
    for with_set, separators, charset in ways:
        acknowledge = Acknowledge(with_set=with_set, ta1="always", errors="accept")
        agreement = replace(terms, acknowledge=acknowledge, separators=separators, charset=charset)
        for reading in X12Reader(PartnerDirectory([agreement])).read(BytesBody(data)):
            if reading.envelope.get("direction") != "outbound":
                stands_in_json(reading)
                continue
            assert reading.document is not None
            version = str(reading.envelope["version"])
            (back,) = read(write_interchange([reading.document], agreement, 17, AT, version=version).body)
            assert back.error is None, back.error
