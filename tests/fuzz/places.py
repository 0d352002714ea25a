"""What is read without a fault is written again: each segment and each element where it stood."""

from __future__ import annotations

import re
from functools import lru_cache

from hypothesis import strategies as st

from hub.core.errors import MappingError
from hub.core.ports import BytesBody
from tests.fuzz.mutants import interchanges
from tests.golden.x12_transactions import read_one, written
from transformers.x12.declarations.catalogue import release_of, set_declaration
from transformers.x12.declarations.declaration import walk
from transformers.x12.declarations.place import bare_number
from transformers.x12.envelope.scan import events

ANSWERS = frozenset({"997", "999"})
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
FOREIGN = re.compile(r"separates in what we send|not in the .* character set|can't be sent")
"""Values that the separators and the characters of the test's agreement don't take."""

Transaction = tuple[str, str, str]
"""Set, version, and the segments between ST and SE, each with a tilde behind all but the last."""


@lru_cache(maxsize=1)
def transactions() -> list[Transaction]:
    """The first transaction of each fixture that is read without a flaw."""
    found = []
    for one in interchanges():
        stream = list(events(BytesBody(one.data)))
        version = next(event.elements[8] for event in stream if event.kind == "GS")
        event = next(event for event in stream if event.kind == "ST")
        header = next(event.header for event in stream if event.header)
        marks = header.delimiters
        text = event.data.replace(marks.element, b"*").replace(marks.component, b">").replace(marks.terminator, b"~")
        first, *segments = [segment.strip() for segment in text.decode("latin-1").split("~")]
        if (name := first.split("*")[1]) not in ANSWERS and marks.terminator != b"\n":
            last = next(n for n, segment in enumerate(segments) if segment.startswith("SE*"))
            found.append((name, version, "~".join(segments[:last])))
    return found


@st.composite
def changed_transactions(draw: st.DrawFn) -> Transaction:
    """A transaction with segments repeated, and elements that are left out, repeated or moved on."""
    name, version, text = draw(st.sampled_from(transactions()))
    segments = [segment.split("*") for segment in text.split("~")]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(segments) - 1))
        elements = segments[at]
        number = draw(st.integers(1, max(1, len(elements) - 1)))
        match draw(st.sampled_from(["segment", "without", "again", "on", "more"])):
            case "segment":
                segments.insert(at, list(elements))
            case "without":
                elements[number : number + 1] = [""]
            case "again":
                elements.insert(number, elements[number] if number < len(elements) else "AA")
            case "on":
                elements[number:number] = [""] * draw(st.sampled_from([1, 2, 3]))
            case _:
                elements.append(draw(st.sampled_from(["AA", "1", "20260302"])))
    return name, version, "~".join("*".join(elements) for elements in segments)


def keeps_its_places(transaction: Transaction) -> None:
    name, version, text = transaction
    segments = [segment for segment in text.split("~") if segment.strip(" *\n")]
    reading = read_one(name, segments, version)
    if reading.document is None:
        return
    try:
        again = written(reading.document, name, version)
    except MappingError as error:
        if FOREIGN.search(str(error)):
            return
        raise
    here, there = (_meant(each, name, version) for each in (segments, again))
    assert here == there


def _meant(segments: list[str], name: str, version: str) -> list[str]:
    """The segments without what writing counts, adds or writes otherwise."""
    free: dict[str, set[int]] = {"HL": {4}}
    for use in walk(set_declaration(name, release_of(version)[0]).structure):
        places = {*use.counts, *use.sums, *(each.century for each in use.segment.centuries)}
        if places:
            free.setdefault(use.segment.id, set()).update(places)
    found = []
    for segment in segments:
        id, *elements = segment.split("*")
        texts = [
            "" if number in free.get(id, ()) else bare_number(text) if NUMBER.fullmatch(text) else text.rstrip(" ")
            for number, text in enumerate(elements, 1)
        ]
        if any(texts):
            found.append("*".join([id, *texts]).rstrip("*"))
    return found
