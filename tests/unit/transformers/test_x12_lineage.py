"""Every field of a document can say which bytes gave it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, FieldOrigin
from hub.documents.base import Part
from tests.golden.x12_files import FIXTURES, PARTNERS, read
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.declarations.fields import shapes
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage

DEFAULTS = {"type": "F", "purpose": "00"}
"""Values that a field has where nothing gives one."""

FILES = sorted(FIXTURES.glob("*.edi"))


def transactions(data: bytes) -> Iterator[tuple[Event, Delimiters, str]]:
    delimiters, version = Delimiters(b"*", b">", b"", b"~"), ""
    for event in events(BytesBody(data)):
        if event.header is not None:
            delimiters = event.header.delimiters
        elif event.kind == "GS":
            version = (event.elements[8:9] or ("",))[0]
        elif event.kind == "ST":
            yield event, delimiters, version


def fields(part: Part, path: str = "") -> Iterator[tuple[str, Any]]:
    """All fields that have a value, to the leaves."""
    for name in shapes(type(part)):
        value = getattr(part, name)
        if value in (None, "") or (not path and name in ("partner", "document", "extras")):
            continue
        if isinstance(value, Mapping):
            yield from ((f"{path}{name}.{key}", one) for key, one in value.items())
        elif isinstance(value, Part):
            yield from fields(value, f"{path}{name}.")
        elif isinstance(value, tuple):
            for number, one in enumerate(value):
                inner = f"{path}{name}[{number}]"
                if isinstance(one, Part):
                    yield from fields(one, f"{inner}.")
                else:
                    yield inner, one
        else:
            yield f"{path}{name}", value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_field_has_the_bytes_that_gave_it_and_no_others_have(path: Path) -> None:
    data = path.read_bytes()
    documents = [r.document for r in read(data) if r.document is not None]
    for document, (event, delimiters, version) in zip(documents, transactions(data), strict=True):
        origins = lineage(event, delimiters, version)
        given = {origin.field for origin in origins}
        there = dict(fields(document))
        assert given <= set(there)
        assert [
            name for name in there if name not in given and there[name] != DEFAULTS.get(name.rpartition(".")[2])
        ] == []
        for origin in origins:
            raw = data[origin.start : origin.end]
            assert origin.text in (raw.decode(errors="replace"), raw.decode("latin-1"))


def test_an_origin_names_segment_position_element_and_bytes() -> None:
    data = (FIXTURES / "850-small.edi").read_bytes()
    event, delimiters, version = next(transactions(data))
    upc = next(o for o in lineage(event, delimiters, version) if o.field == "lines[0].products.UP")
    start = data.index(b"036000291452")
    assert upc == FieldOrigin("lines[0].products.UP", "PO1", upc.position, 7, None, start, start + 12, "036000291452")
    assert upc.where == "PO107"


def test_the_lines_of_a_wrapped_body_do_not_count() -> None:
    data = re.sub(rb"\r?\n", b"", (FIXTURES / "850-small.edi").read_bytes())
    wrapped = b"\n".join(data[i : i + 80] for i in range(0, len(data), 80))
    (event, delimiters, version), *_ = transactions(wrapped)
    number = next(o for o in lineage(event, delimiters, version) if o.field == "number")
    assert wrapped[number.start : number.end].replace(b"\n", b"").decode() == number.text


def test_the_reader_traces_a_position_of_a_body() -> None:
    data = (FIXTURES / "850-two-groups.edi").read_bytes()
    reader = X12Reader(PARTNERS)
    second = next(r for r in reader.read(BytesBody(data)) if r.position == ("1", "2", "1"))
    ((position, origins),) = reader.lineages(BytesBody(data), [("1", "2", "1")])
    assert position == ("1", "2", "1")
    number = next(o for o in origins if o.field == "number")
    assert second.document is not None
    assert number.text == second.document.number
    assert list(reader.lineages(BytesBody(data), [("1", "9", "1")])) == []
    assert list(reader.lineages(BytesBody(b"nothing of the kind"), [("1", "1", "1")])) == []
    every = [r.position for r in reader.read(BytesBody(data)) if r.document is not None]
    assert [position for position, _ in reader.lineages(BytesBody(data))] == every


@dataclass
class Counted:
    """A body that counts what is read of it."""

    data: bytes
    passed: int = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        for start in range(0, len(self.data), 4096):
            self.passed += 4096
            yield self.data[start : start + 4096]


def test_a_body_is_read_once_for_all_positions_and_no_further_than_the_last() -> None:
    body = Counted(interchange([transaction(str(n), control=f"{n:04}") for n in range(400)]).encode())
    reader = X12Reader(PARTNERS)
    wanted = [("1", "1", str(n)) for n in (3, 200, 7)]
    assert [position[2] for position, _ in reader.lineages(body, wanted)] == ["3", "7", "200"]
    assert body.passed < body.size * 0.6
    body.passed = 0
    assert len(list(reader.lineages(body))) == 400
    assert body.passed < body.size + 4097


def test_what_was_taken_with_its_errors_is_traced_as_it_was_read() -> None:
    one = transaction("4711", extra=["REF**LOST", "REF*DP*038", "DTM*002*20260232*0900", "QQ9*X"])
    data = interchange([one]).encode()
    accepting = Agreement("ACME", (InterchangeId("01", "043645501"),), acknowledge=Acknowledge(errors="accept"))
    reader = X12Reader(PartnerDirectory([accepting]))
    origins = {o.field: o.text for o in dict(reader.lineages(BytesBody(data)))[("1", "1", "1")]}
    assert origins["references[0].value"] == "038"
    assert origins["dates[0].time"] == "0900"
    assert "references[1].value" not in origins
    assert "dates[0].date" not in origins
