"""What every write must come to: an interchange that reads back equal, or a refusal that names the field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from hub.core.agreement import Acknowledge, AcknowledgmentSet, Agreement, Charset, InterchangeId, Separators
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document, InterchangeAcknowledgment
from hub.documents.base import Part
from transformers.x12 import X12Reader
from transformers.x12.declarations.fields import shapes
from transformers.x12.writing.counted import as_counted
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.writer import sets_of, write_interchange

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
THEY, WE = InterchangeId("01", "043645501"), InterchangeId("01", "068717859")
VERSIONS = ["003040", "004010", "005010"]
CHARSETS: list[Charset] = ["basic", "extended", "utf-8", "latin-1"]
SEPARATORS = [
    Separators(),
    Separators(newline="\n"),
    Separators(newline="\r\n"),
    Separators(element="|", component=":", repetition="!", terminator="\n"),
    Separators(element="\x1d", component="\x1f", repetition="\x1e", terminator="\x1c"),
    Separators(element="^", component="\\", repetition="%", terminator="'"),
]


@st.composite
def agreements(draw: st.DrawFn, kind: str) -> Agreement:
    """Terms under which a kind of document can be sent."""
    with_set: AcknowledgmentSet = draw(st.sampled_from(["997", "999"]))
    return Agreement(
        "ACME",
        (THEY,),
        WE,
        version=draw(st.sampled_from(VERSIONS)),
        charset=draw(st.sampled_from(CHARSETS)),
        separators=draw(st.sampled_from(SEPARATORS)),
        send=(draw(st.sampled_from(sets_of(kind))),) if sets_of(kind) else (),
        acknowledge=Acknowledge(with_set=with_set),
    )


def carried(document: Document, agreement: Agreement) -> bool:
    """Writes the document and reads it back. False when it was refused; an AssertionError when neither was done
    rightly."""
    try:
        body = write_interchange([document], agreement, 1, AT).body
    except MappingError as error:
        refusal = str(error)
    else:
        _reads_back(document, body, agreement)
        return True
    assert names_a_field(document, refusal), refusal
    return False


def _reads_back(document: Document, body: bytes, agreement: Agreement) -> None:
    mirrored = Agreement("ACME", (WE,), THEY, charset=agreement.charset)
    (back,) = X12Reader(PartnerDirectory([mirrored])).read(BytesBody(body))
    assert back.error is None, back.error
    assert back.document is not None
    if isinstance(document, InterchangeAcknowledgment):
        document = document.model_copy(update={"number": document.number.zfill(9)})
    name = str(back.envelope["set"])
    wanted = as_counted(document, name) if name != "TA1" else document
    assert list(changed_fields(wanted, back.document)) == []


def names_a_field(document: Document, text: str) -> bool:
    """Whether a sentence begins with the path of a field of the document."""
    return _follows(document, text)


def _follows(holder: Any, text: str) -> bool:
    if isinstance(holder, Part):
        found = re.match(r"(\w+)((?:\[\d+\])?)", text)
        if found is None or found[1] not in type(holder).model_fields:
            return False
        value, rest = getattr(holder, found[1]), text[found.end() :]
        if found[2]:
            number = int(found[2][1:-1])
            if not isinstance(value, tuple) or number >= len(value):
                return False
            value = value[number]
        inner = shapes(type(holder))[found[1]].part if value is None else None
        if inner is not None and rest.startswith("."):  # a part that isn't there, and by an overlay has to be
            return rest[1:].partition(":")[0] in inner.model_fields
        return _ends(rest) or (rest.startswith(".") and _follows(value, rest[1:]))
    if isinstance(holder, dict):
        return any(text.startswith(key) and _ends(text[len(key) :]) for key in holder)
    return False


def _ends(rest: str) -> bool:
    return rest.startswith((": ", " ("))
